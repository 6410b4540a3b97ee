//! Makes a new card of this node, signed by its identity key, and sends it to every peer.
//! The keys that it names are in force at once for what is sealed and dialled, and in each
//! équipe when the log has returned a commit that carries the card.

use std::collections::BTreeSet;

use raccordo_core::entropy::draw;
use raccordo_core::id::{ItemId, NodeId};
use raccordo_core::sealing::SealingKey;
use raccordo_core::secret::Secret;
use raccordo_core::sending::Standing;
use raccordo_core::trust::card::{Card, SignedCard};
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::trust::possession::{KeyUse, ProvenKey};
use raccordo_core::trust::state::TrustState;

use super::audit::{Actor, record};
use super::fault::{Done, Fault};
use super::identity::{KeySet, context, made_of, names, open, seed};
use super::init::{CARD_LIFETIME, CLOCKS_DIFFER, NewTls};
use super::signals::Topic;
use super::successor::MAIL_KIND;
use super::work::Work;
use super::{Node, pack};
use crate::store::Tx;
use crate::store::node::MailRow;

/// What is to change; what is none stays as it is.
#[derive(Default)]
pub struct Order {
    /// New keys for TLS; new ones for MLS and sealing are made with them.
    pub tls: Option<NewTls>,
    /// Display name.
    pub name: Option<String>,
    /// IPA code; empty for none.
    pub ipa_code: Option<String>,
    /// `host:port` of the hub that this node runs.
    pub hub_endpoint: Option<String>,
    /// Serial of the new card, where peers know of a later one than this node: it was
    /// restored from a backup.
    pub serial: Option<u64>,
}

/// Makes the card, and queues it for every peer at every hub.
///
/// # Errors
/// `bad_card`, `lower_serial`, `not_a_hub`, `exists` when another call was first.
pub async fn rotate(node: &Node, actor: Actor, order: Order) -> Done<SignedCard> {
    let before = node.identity.newest();
    if order.hub_endpoint.is_some() && node.hub.is_none() {
        return Err(Fault::conflict("not_a_hub", "this node is no hub")
            .hint("enable [hub] in raccordo.toml and restart it; then rotate"));
    }
    let mut tx = node.store.write().await?;
    let seeds = seeds(node, &mut *tx, &before, order.tls.is_some()).await?;
    let own = &node.identity;
    let proven = |secret: &IdentityKey, key_use| {
        ProvenKey::prove(secret, key_use, &own.node, &own.key.public())
    };
    let (tls_key, tls_certificate, tls_proven) = match &order.tls {
        Some(tls) => (tls.key.clone(), tls.certificate.clone(), proven(&tls.signing, KeyUse::Tls)),
        None => {
            let key = before.tls_key.reveal().clone();
            (key, before.tls_certificate.clone(), before.card.card().tls_key)
        }
    };
    let sealing =
        SealingKey::derive(&seeds.sealing).map_err(|cause| Fault::ours("sealing_key", cause))?;
    let old = before.card.card();
    let now = node.clock.now();
    let serial = serial(old, order.serial)?;
    let card = Card {
        name: order.name.unwrap_or_else(|| old.name.clone()),
        ipa_code: order.ipa_code.map_or(old.ipa_code.clone(), |it| (!it.is_empty()).then_some(it)),
        hub_endpoint: order.hub_endpoint.or_else(|| old.hub_endpoint.clone()),
        tls_key: tls_proven,
        mls_key: proven(&IdentityKey::from_seed(seeds.mls.reveal()), KeyUse::Mls),
        sealing_key: sealing.public().to_vec(),
        // Clocks of peers differ.
        valid_from: now.minus(CLOCKS_DIFFER),
        valid_until: now.plus(CARD_LIFETIME),
        serial,
        ..old.clone()
    };
    let card = card
        .sign(&node.identity.key)
        .map_err(|cause| Fault::usage("bad_card", cause.to_string()))?;
    let me = node.identity.node.as_str();
    record(node, &mut *tx, actor, "trust.rotate", me, &[("serial", &serial.to_string())]).await?;
    let secrets: [(&str, &[u8]); 4] = [
        (names::MLS, seeds.mls.reveal()),
        (names::SEALING, seeds.sealing.reveal()),
        (names::TLS_KEY, &tls_key),
        (names::TLS_CERTIFICATE, &tls_certificate),
    ];
    for (name, value) in secrets {
        let name = names::of_card(name, serial);
        tx.put_secret(&name, node.seal(&context(&name), value)?).await?;
    }
    tx.insert_own_card(serial, card.encode()).await?;
    let hubs = post(node, &mut *tx, &card).await?;
    let tls_key = Secret::new(tls_key);
    let set = made_of(
        &node.identity.node,
        card.clone(),
        &seeds.mls,
        &seeds.sealing,
        tls_key,
        tls_certificate,
    )?;
    if let Err(error) = tx.commit().await {
        // Perhaps it is durable, and only the answer was lost: then it is this node's card.
        let stored = node.store.read().await?.own_card().await?;
        if stored.as_deref() != Some(&card.encode()) {
            return Err(error.into());
        }
    }
    node.identity.renew(set);
    tracing::info!("this node has a new card");
    node.signals.wake(&Topic::Trust);
    hubs.into_iter().for_each(|hub| node.signals.wake(&Topic::Errands(hub)));
    Ok(card)
}

struct Seeds {
    mls: Secret<[u8; 32]>,
    sealing: Secret<[u8; 32]>,
}

async fn seeds(node: &Node, tx: &mut dyn Tx, before: &KeySet, fresh: bool) -> Done<Seeds> {
    if fresh {
        let (mls, sealing) = (draw(&*node.entropy), draw(&*node.entropy));
        return Ok(Seeds { mls: Secret::new(mls), sealing: Secret::new(sealing) });
    }
    let name = |name| names::of_card(name, before.card.card().serial);
    let mls = seed(open(tx, &node.vault, &name(names::MLS)).await?)?;
    let sealing = seed(open(tx, &node.vault, &name(names::SEALING)).await?)?;
    Ok(Seeds { mls, sealing })
}

fn serial(old: &Card, wanted: Option<u64>) -> Done<u64> {
    let next = old.serial.saturating_add(1);
    match wanted {
        Some(wanted) if wanted < next => {
            let message = format!("the newest card has serial {}", old.serial);
            Err(Fault::usage("lower_serial", message).hint("serials only grow"))
        }
        wanted => Ok(wanted.unwrap_or(next)),
    }
}

/// Queues the card at each hub, first for the hub itself; returns the hubs.
async fn post(node: &Node, tx: &mut dyn Tx, card: &SignedCard) -> Done<BTreeSet<NodeId>> {
    let me = &node.identity.node;
    let peers = tx.peers().await?;
    let known = peers.iter().filter(|peer| peer.state != TrustState::Revoked);
    let known: Vec<&NodeId> = known.map(|peer| &peer.node).collect();
    let mut hubs = BTreeSet::new();
    for peer in &peers {
        let runs_one = super::peers::read_card(peer)?.card().hub_endpoint.is_some();
        if peer.state.counts_as_verified() && runs_one {
            hubs.insert(peer.node.clone());
        }
    }
    for equipe in tx.equipes().await? {
        if Standing::parse(&equipe.state) != Some(Standing::Ended) {
            hubs.insert(equipe.hub);
        }
    }
    if node.hub.is_some() {
        hubs.insert(me.clone());
    }
    for hub in &hubs {
        let first = std::iter::once(hub).filter(|hub| *hub != me);
        for recipient in first.chain(known.iter().copied().filter(|peer| *peer != hub)) {
            tx.insert_mail(MailRow {
                item: ItemId::random(&*node.entropy),
                hub: hub.clone(),
                recipient: recipient.clone(),
                kind: MAIL_KIND.into(),
                payload: card.encode(),
            })
            .await?;
        }
    }
    Ok(hubs)
}

/// Stages a commit that brings the newest card into this node's leaf, where an older one
/// stands there.
///
/// # Errors
/// The store's, or a damaged group.
pub async fn follow(node: &Node, lineage: raccordo_core::id::LineageId) -> Done<()> {
    let serial = node.identity.card().card().serial;
    if serial == 1 || node.slots.leaf_serial(lineage).await == Some(serial) {
        return Ok(());
    }
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(()) };
    let active = Standing::parse(&work.row.state) == Some(Standing::Active);
    if !active || work.holds_commit().await? || work.leaf_is_newest().await? {
        return Ok(());
    }
    pack::stage(node, &mut work, Default::default()).await?;
    work.commit().await?;
    tracing::info!(%lineage, "a commit with this node's new card is staged");
    pack::wake(node, lineage);
    Ok(())
}
