//! How the federation comes to be: cards and the draft in peace, all else under faults.

use std::time::Duration;

use raccordo_core::id::LineageId;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::pact::Pact;
use raccordo_core::trust::state::TrustChange;
use raccordo_node::app::audit::Actor;
use raccordo_node::app::fault::Whose;
use raccordo_node::app::hub::accept::{self, Decision};
use raccordo_node::app::pacts::{self, Source};
use raccordo_node::app::{Node, found, peers};

use super::couriers::down;
use super::task::ready;
use super::world::{EQUIPE, Who, World};
use super::{Checked, Violation};

/// An administrator at the machine.
pub const ADMINISTRATOR: Actor = Actor::Administrator(1000);

impl World {
    /// Makes the nodes, lets all verify one another, drafts and signs the pact.
    ///
    /// # Errors
    /// Something does not work in peace.
    pub fn prepare(&mut self) -> Checked {
        let mut cards = vec![self.hub.init()?];
        for member in &self.members {
            cards.push(member.init()?);
        }
        // Cards are exchanged after they were made, by every clock.
        self.time.pass(Duration::from_secs(600));
        let everybody = (0..self.members.len()).map(Who::Member).chain([Who::Hub]);
        for who in everybody {
            self.boot(who)?;
            if let Some(node) = self.machine(who)?.node() {
                ready(verify_all(&node, &cards))??;
            }
        }
        let Some(chair) = self.node(0) else { return Err(Violation::new("no chair")) };
        // The last one begins outside, and is added by the others.
        let founders = self.members.len() - 1;
        let parties = self.members.iter().take(founders).map(|member| member.name.clone());
        let parties: Vec<_> = parties.collect();
        let hub = self.hub.name.clone();
        let suite = self.plan.suite().name();
        self.lineage = Some(ready(draft(&chair, &parties, &hub, suite))??);
        self.after()
    }

    /// A member's administrator does what is next: signs, or as chair founds.
    ///
    /// # Errors
    /// What the use cases must not answer.
    pub fn administer(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        let named = match ready(pacts::named(&node, EQUIPE))? {
            Ok(standing) => standing,
            Err(fault) if down(&fault) || fault.whose == Whose::NotFound => {
                return Ok(fault.reason.into());
            }
            Err(fault) => return Err(fault.into()),
        };
        if named.active {
            return Ok("active".into());
        }
        let done = if named.proposal.signed_by().contains(&node.identity.node) {
            if place != 0 {
                return Ok("waits".into());
            }
            ready(found::create(&node, ADMINISTRATOR, EQUIPE))?.map(|_| "founded")
        } else {
            let source = Source::Named(EQUIPE.into());
            ready(pacts::sign(&node, ADMINISTRATOR, source))?.map(|_| "signed")
        };
        match done {
            Ok(done) => Ok(done.into()),
            Err(fault) if down(&fault) || fault.whose == Whose::Conflict => Ok(fault.reason.into()),
            // Everybody but the chair may be asked to join later on.
            Err(fault) if fault.reason == "not_the_chair" => Ok(fault.reason.into()),
            // While a party is suspended here, nothing is signed.
            Err(fault) if fault.reason == "party_not_verified" => Ok(fault.reason.into()),
            Err(fault) => Err(fault.into()),
        }
    }

    /// The hub's administrator accepts what waits.
    ///
    /// # Errors
    /// What the use cases must not answer.
    pub fn accept_at_hub(&mut self) -> Checked<String> {
        let Some(hub) = self.hub.node() else { return Ok("down".into()) };
        for row in ready(accept::list(&hub))?? {
            if row.state() == "waiting" {
                let accepted = accept::decide(&hub, ADMINISTRATOR, EQUIPE, Decision::Accept);
                return match ready(accepted)? {
                    Ok(_) => Ok("accepted".into()),
                    Err(fault) if down(&fault) => Ok(fault.reason.into()),
                    Err(fault) => Err(fault.into()),
                };
            }
        }
        Ok("nothing".into())
    }
}

async fn verify_all(node: &Node, cards: &[SignedCard]) -> Checked {
    for card in cards {
        let peer = &card.card().node;
        if *peer != node.identity.node {
            let added = peers::add(node, ADMINISTRATOR, card.clone()).await?;
            peers::verify(node, ADMINISTRATOR, peer, &added.code).await?;
        }
    }
    Ok(())
}

async fn draft(
    chair: &Node,
    parties: &[raccordo_core::id::NodeId],
    hub: &raccordo_core::id::NodeId,
    suite: &str,
) -> Checked<LineageId> {
    let text = pacts::draft(chair, EQUIPE, parties, hub, true, suite).await?;
    let pact = Pact::parse(&text).map_err(|bad| Violation(format!("the draft: {bad}")))?;
    pacts::sign(chair, ADMINISTRATOR, Source::Toml(text)).await?;
    pacts::propose(chair, ADMINISTRATOR, EQUIPE, false).await?;
    Ok(pact.terms().lineage)
}

/// Trust that comes and goes.
pub async fn toggle(node: &Node, peer: &raccordo_core::id::NodeId) -> Checked<String> {
    let changed = match peers::show(node, peer).await {
        Ok(shown) if shown.row.state.counts_as_verified() => {
            peers::change(node, ADMINISTRATOR, peer, TrustChange::Suspend, "").await
        }
        Ok(shown) => peers::verify(node, ADMINISTRATOR, peer, &shown.code).await,
        Err(fault) => Err(fault),
    };
    match changed {
        Ok(peer) => Ok(format!("{} {}", peer.row.node, peer.row.state.as_str())),
        Err(fault) if down(&fault) => Ok(fault.reason.into()),
        Err(fault) => Err(fault.into()),
    }
}
