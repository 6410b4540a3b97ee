//! What no database holds: every backend refuses it alike, and keeps nothing of a transaction
//! in which it was to be written.

use std::sync::Arc;

use raccordo_core::alarm::AlarmCode;
use raccordo_core::id::{Epoch, Sequence};
use raccordo_core::time::Instant;
use raccordo_core::trust::state::TrustState;
use raccordo_node::store::equipe::{AlarmRow, EquipeRow, MemberRow};
use raccordo_node::store::honesty::ClaimRow;
use raccordo_node::store::hub::CarriedRow;
use raccordo_node::store::inbox::SetAsideRow;
use raccordo_node::store::object::ObjectRow;
use raccordo_node::store::peer::PeerRow;
use raccordo_node::store::{Store, StoreError};

use crate::sample::{carried, digest, equipe, group, lineage, node, object};

/// The first number that does not fit.
const BEYOND: u64 = 1 << 63;

fn peer(card_serial: u64, reason: &str) -> PeerRow {
    PeerRow {
        node: node("toscana"),
        signed_card: b"card".to_vec(),
        card_serial,
        state: TrustState::Verified,
        reason: reason.to_owned(),
        changed_at: Instant(1),
        opened_key: None,
        challenged_at: Instant(0),
        refused: String::new(),
    }
}

fn alarm(place: u64, detail: &str) -> AlarmRow {
    AlarmRow {
        lineage: lineage(1),
        code: AlarmCode::LogBroken,
        member: None,
        peer: None,
        place: Sequence(place),
        detail: detail.to_owned(),
        raised_at: Instant(2),
    }
}

fn aside(sequence: u64, reason: &str) -> SetAsideRow {
    SetAsideRow {
        lineage: lineage(1),
        sequence: Sequence(sequence),
        envelope: None,
        sender: node("umbria"),
        reason: reason.to_owned(),
        at: Instant(3),
    }
}

fn member(delivered: u64) -> MemberRow {
    MemberRow {
        lineage: lineage(1),
        node: node("umbria"),
        delivered: Sequence(delivered),
        last_seen: Instant(4),
        last_number: 5,
    }
}

fn claim(sequence: u64) -> ClaimRow {
    ClaimRow {
        lineage: lineage(1),
        teller: node("umbria"),
        sequence: Sequence(sequence),
        head: digest(1),
        checkpoint: Vec::new(),
        checkpoint_signature: Vec::new(),
        noted_at: Instant(5),
    }
}

/// Each write by itself is refused, and so is whatever else its transaction has written.
macro_rules! refused {
    ($store:expr; $($write:ident($($argument:expr),*);)+) => {$(
        let mut tx = $store.write().await?;
        tx.put_secret("beside", b"it".to_vec()).await?;
        let written = tx.$write($($argument),*).await;
        assert!(matches!(written, Err(StoreError::Unfit(_))), "{}: {written:?}", stringify!($write));
        let kept = tx.commit().await;
        assert!(matches!(kept, Err(StoreError::Unfit(_))), "{}: {kept:?}", stringify!($write));
        assert_eq!($store.read().await?.secret("beside").await?, None, "{}", stringify!($write));
    )+};
}

pub async fn numbers_of_more_than_63_bits(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_equipe(equipe(1, "toscana-umbria")).await?;
    tx.insert_carried(carried(1, "toscana-umbria")).await?;
    tx.insert_objects(vec![object(1)]).await?;
    tx.commit().await?;
    refused! { store;
        put_peer(peer(BEYOND, ""));
        put_peer(peer(u64::MAX, ""));
        put_mailbox_cursor(&node("relay"), BEYOND);
        put_member(member(BEYOND));
        keep_claim(claim(BEYOND));
        put_alarm(alarm(BEYOND, "far"));
        set_aside(aside(BEYOND, "bad_field"));
        insert_own_card(BEYOND, b"card".to_vec());
        put_cursor(group(1), &node("umbria"), Sequence(BEYOND));
        put_tree(group(1), Epoch(BEYOND), b"tree".to_vec(), Instant(9));
        insert_objects(vec![ObjectRow { version: BEYOND, ..object(2) }]);
        update_object(&ObjectRow { version: BEYOND, ..object(1) });
        insert_equipe(EquipeRow { epoch: Epoch(BEYOND), ..equipe(2, "other") });
        update_equipe(&EquipeRow { sequence: Sequence(BEYOND), ..equipe(1, "toscana-umbria") });
        update_carried(&CarriedRow { stored_bytes_max: BEYOND, ..carried(1, "toscana-umbria") });
    }
    // The largest that fits is kept.
    let mut tx = store.write().await?;
    tx.put_peer(peer(BEYOND - 1, "")).await?;
    tx.put_member(member(BEYOND - 1)).await?;
    tx.commit().await?;
    let found = store.read().await?.peer(&node("toscana")).await?;
    assert_eq!(found.map(|row| row.card_serial), Some(BEYOND - 1));
    Ok(())
}

pub async fn texts_with_zero_bytes(store: Arc<dyn Store>) -> anyhow::Result<()> {
    refused! { store;
        put_peer(peer(1, "a\0b"));
        put_alarm(alarm(1, "\0"));
        set_aside(aside(1, "bad\0field"));
        insert_carried(carried(2, "a\0b"));
        insert_equipe(equipe(3, "a\0b"));
        insert_objects(vec![ObjectRow { end_reason: "\0".to_owned(), ..object(3) }]);
    }
    let mut tx = store.write().await?;
    tx.put_peer(peer(1, "perché \u{1}")).await?;
    Ok(tx.commit().await?)
}

/// Whoever goes on after a refusal, as if nothing had happened, stores nothing.
pub async fn nothing_follows_a_refusal(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    assert!(tx.put_peer(peer(BEYOND, "")).await.is_err());
    // PostgreSQL says no to this, the others may not: what counts is the end.
    let _ = tx.put_secret("after", b"it".to_vec()).await;
    assert!(tx.commit().await.is_err());
    let mut tx = store.write().await?;
    assert_eq!(tx.secret("after").await?, None);
    assert_eq!(tx.peers().await?, []);
    tx.put_secret("after", b"it".to_vec()).await?;
    Ok(tx.commit().await?)
}
