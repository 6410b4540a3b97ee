//! What people decide of a match: two confirm it, one at each node; nothing else links.

use raccordo_core::matching::event::{Event, Told};
use raccordo_core::matching::life::{MatchId, Refused, Side, Step, Word, apply};
use raccordo_core::operator::Action;
use raccordo_core::register::subject_of;

use super::list::{self, MatchView, no_such_match};
use super::{contact, events, standing};
use crate::app::audit::record;
use crate::app::directory::Operator;
use crate::app::fault::{Done, Fault};
use crate::app::register::meets;
use crate::app::signals::Topic;
use crate::app::work::Work;
use crate::app::{Node, pack};

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is the same.
    Confirm,
    /// It is another.
    Deny,
    /// It was linked, and should not be.
    Unlink,
    /// A word for the other manager, once linked.
    Answer(Word),
}

impl Decision {
    fn step(self) -> Step {
        match self {
            Self::Confirm => Step::Confirm,
            Self::Deny => Step::Deny,
            Self::Unlink => Step::Unlink,
            Self::Answer(word) => Step::Say(word),
        }
    }

    fn told(self) -> Told {
        match self {
            Self::Confirm => Told::Confirmed,
            Self::Deny => Told::Denied,
            Self::Unlink => Told::Unlinked,
            Self::Answer(word) => Told::Said(word),
        }
    }

    /// As the audit names it.
    fn action(self) -> &'static str {
        match self {
            Self::Confirm => "match.confirm",
            Self::Deny => "match.deny",
            Self::Unlink => "match.unlink",
            Self::Answer(_) => "match.answer",
        }
    }
}

/// Decides a match, as an operator of the organisation that keeps the record. What was decided
/// before is decided still. It counts once the log shows it.
///
/// # Errors
/// `no_such_match`, `role_not_allowed`, `no_work_phone`, `match_over`, `match_not_linked`,
/// `match_linked`, `party_not_verified`.
pub async fn decide(
    node: &Node,
    operator: &Operator,
    id: MatchId,
    decision: Decision,
) -> Done<MatchView> {
    let known = node.store.read().await?.found_match(id).await?;
    let lineage = known.ok_or_else(no_such_match)?.lineage;
    let Some(mut work) = Work::begin(node, lineage).await? else { return Err(no_such_match()) };
    let tx = work.tx()?;
    let row = tx.found_match(id).await?.ok_or_else(no_such_match)?;
    let owner = tx.register_record(row.record).await?.ok_or_else(no_such_match)?;
    let deciding = Action::DecideMatch(subject_of(&owner.subject));
    operator.must(deciding)?;
    if !meets(operator, &owner, |_| deciding) {
        return Err(no_such_match());
    }
    let before = standing::expected(node, tx, lineage, id).await?;
    match apply(before.as_ref(), Side::Here, decision.step()) {
        Ok(_) => {}
        Err(Refused::Repeated) => {
            let (view, shown) = (list::view(node, tx, row).await?, id.to_string());
            let (of, detail) = (node.identity.node.as_str(), [("ids", shown.as_str())]);
            record(node, tx, operator.actor(), "match.read", of, &detail).await?;
            work.commit().await?;
            return Ok(view);
        }
        Err(refused) => return Err(refused_decision(refused)),
    }
    if decision == Decision::Confirm
        && contact::own(node, tx, &row, Some(operator.id)).await?.is_none()
    {
        let message = "no phone at work is known of the case's manager, nor of you";
        return Err(Fault::conflict("no_work_phone", message)
            .hint("once linked, the other manager is told whom to call: ask the administrator, `raccordo operator phone NAME`"));
    }
    let detail = [("with", row.counterpart.as_str())];
    record(node, tx, operator.actor(), decision.action(), &id.to_string(), &detail).await?;
    let event = Event { about: id, told: decision.told() };
    if !events::say(node, tx, lineage, &row.counterpart, event, Some(operator.id)).await? {
        let message = format!("{} is not verified here", row.counterpart);
        return Err(Fault::refused("party_not_verified", message)
            .hint(format!("ask the administrator: `raccordo trust verify {}`", row.counterpart)));
    }
    let view = list::view(node, tx, row).await?;
    pack::pack_within(node, &mut work).await?;
    work.commit().await?;
    pack::wake(node, lineage);
    node.signals.wake(&Topic::Objects);
    Ok(view)
}

fn refused_decision(refused: Refused) -> Fault {
    let fault = Fault::conflict(refused.reason(), refused.to_string());
    match refused {
        Refused::NotLinked => fault.hint("confirm it first; the other manager must do so too"),
        Refused::Linked => fault.hint("`raccordo match unlink ID` takes the link back"),
        _ => fault.hint("see `raccordo match show ID`"),
    }
}
