//! Takes the log of an équipe whose next term this hub has accepted, as a member kept it:
//! verbatim, chained to where the hub before signed that it ended, or all parties did.

use raccordo_core::hubgroup::HubGroup;
use raccordo_core::hublog::{Chain, ChainFault, LogEntry};
use raccordo_core::id::{Epoch, NodeId};
use raccordo_core::time::Instant;
use raccordo_core::trust::commit::GroupView;
use raccordo_core::trust::statement::SignedStatement;
use raccordo_core::trust::validator::validate_view;
use raccordo_core::wire::seed::{Seed, SeedState, Seeded};

use super::accept::not_a_hub;
use super::found_group::{new_row, replace};
use super::offer::{accepted, offered_statement, settle, still_goes_on};
use super::read_log::statement_of;
use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault, Whose};
use crate::app::signals::Topic;
use crate::app::work::write_ledger;
use crate::store::hub::{CarriedRow, LogRow};
use crate::store::offer::{CopyRow, OfferRow};
use crate::store::{StoreError, Tx};

/// Most entries of one page.
const ENTRIES_MAX: usize = 64;
/// Most entries of a copy: members keep half as many.
const COPY_ENTRIES_MAX: u64 = 16_384;
/// Most bytes of a copy: members keep half as many.
const COPY_BYTES_MAX: u64 = 512 << 20;

/// A term that waits for its log.
struct Awaited {
    offer: OfferRow,
    statement: SignedStatement,
    /// What is carried of the équipe.
    before: Option<CarriedRow>,
}

/// A copy that came out right.
struct Whole {
    public: HubGroup,
    row: CarriedRow,
    roster: Vec<NodeId>,
}

/// Takes a page of the caller's copy. Repeated and overlapping pages are safe; a copy that does
/// not come out right is thrown away. What is carried of the équipe stays as it is until a copy
/// is whole.
///
/// # Errors
/// `not_a_hub`, `too_many`, `no_such_equipe`, `not_accepted`, `not_a_party`, `does_not_follow`,
/// `seed_gap`, `seed_bad`, `seed_too_large`.
pub async fn seed(node: &Node, caller: &NodeId, page: Seed) -> Done<Seeded> {
    let Some(hub) = &node.hub else { return Err(not_a_hub()) };
    if page.entries.len() > ENTRIES_MAX {
        return Err(Fault::usage("too_many", "a page hands over at most 64 entries"));
    }
    let mut slot = hub.lock(page.group).await;
    let mut tx = node.store.write().await?;
    tx.raise_carried(page.lineage).await?;
    tx.raise_offers(page.lineage).await?;
    let before = tx.carried(page.lineage).await?;
    let Some(offer) = accepted(&mut *tx, page.lineage).await? else {
        return not_awaited(&mut *tx, caller, &page, before).await;
    };
    let statement = offered_statement(&offer)?;
    if !statement.statement().may_have_leaf(caller) {
        return Err(not_a_party());
    }
    // The first term has no log before it, and a successor is founded.
    if statement.statement().hub.term == 1 || statement.statement().succeeds.is_some() {
        return Err(not_accepted());
    }
    if let Some(row) = &before {
        still_goes_on(row, &offer)?;
    }
    let (lineage, group) = (page.lineage, page.group);
    let mut copy = begun(&mut *tx, &offer, caller, &page).await?;
    let awaited = Awaited { offer, statement, before };
    let taken = take(node, &mut *tx, &mut copy, page, &awaited).await;
    let whole = match taken {
        Ok(whole) => whole,
        Err(fault) if fault.reason == "seed_bad" => {
            drop_copy(&mut *tx, &copy).await?;
            tx.commit().await?;
            return Err(fault);
        }
        Err(fault) => return Err(fault),
    };
    let sequence = copy.sequence;
    let Some(public) = whole else {
        tx.put_log_copy(copy).await?;
        tx.commit().await?;
        return Ok(Seeded { founded: false, sequence });
    };
    let (subject, place) = (lineage.to_string(), sequence.to_string());
    let detail = [("by", caller.as_str()), ("sequence", place.as_str())];
    record(node, &mut *tx, Actor::Node, "hub.seeded", &subject, &detail).await?;
    tx.commit().await?;
    slot.group = Some(public);
    node.signals.wake(&Topic::Trust);
    node.signals.wake(&Topic::Log(group));
    Ok(Seeded { founded: true, sequence })
}

/// What a party hears that hands over what is here already; else a refusal.
async fn not_awaited(
    tx: &mut dyn Tx,
    caller: &NodeId,
    page: &Seed,
    carried: Option<CarriedRow>,
) -> Done<Seeded> {
    match carried {
        Some(row) => {
            if !statement_of(&row)?.statement().may_have_leaf(caller) {
                return Err(not_a_party());
            }
            let here = matches!(row.state.as_str(), "founded" | "seeded");
            if here && row.group == page.group {
                return Ok(Seeded { founded: true, sequence: row.sequence });
            }
            Err(not_accepted())
        }
        None if tx.offers(page.lineage).await?.is_empty() => {
            Err(Fault::not_found("no_such_equipe", "this équipe was not offered here"))
        }
        None => Err(not_accepted()),
    }
}

fn not_a_party() -> Fault {
    Fault::refused("not_a_party", "only a party hands a log over")
}

fn not_accepted() -> Fault {
    Fault::refused("not_accepted", "this hub does not wait for a log")
}

/// The caller's copy, gone on with unless this page begins after it or is of another group.
async fn begun(tx: &mut dyn Tx, offer: &OfferRow, caller: &NodeId, page: &Seed) -> Done<CopyRow> {
    let known = tx.log_copy(offer.lineage, offer.digest, caller).await?;
    if let Some(known) = known {
        if known.group == page.group && known.sequence >= page.after {
            return Ok(known);
        }
        drop_copy(tx, &known).await?;
    }
    Ok(CopyRow {
        lineage: offer.lineage,
        digest: offer.digest,
        party: caller.clone(),
        group: page.group,
        after: page.after,
        sequence: page.after,
        head: page.head_after,
        epoch: page.entries.first().map_or(Epoch(0), |first| first.epoch),
        accepted_at: Instant(0),
        stored_bytes: 0,
    })
}

async fn drop_copy(tx: &mut dyn Tx, copy: &CopyRow) -> Done<()> {
    tx.delete_log(copy.place()).await?;
    Ok(tx.delete_log_copy(copy).await?)
}

/// Adds a page to the copy; with the last one the group is here.
async fn take(
    node: &Node,
    tx: &mut dyn Tx,
    copy: &mut CopyRow,
    page: Seed,
    awaited: &Awaited,
) -> Done<Option<HubGroup>> {
    add(tx, copy, page.entries).await?;
    let Some(state) = page.state else { return Ok(None) };
    let whole = whole(node, copy, awaited, state)?;
    replace_by(node, tx, copy, awaited, whole).await.map(Some)
}

async fn add(tx: &mut dyn Tx, copy: &mut CopyRow, entries: Vec<LogEntry>) -> Done<()> {
    let mut chain = Chain {
        group: copy.group,
        sequence: copy.sequence,
        head: copy.head,
        epoch: copy.epoch,
        last_accepted_at: copy.accepted_at,
    };
    let place = copy.place();
    let mut placed = Vec::new();
    for entry in entries.into_iter().filter(|entry| entry.sequence > copy.sequence) {
        // After a void commit the epoch before it goes on. What the copy is worth is decided
        // by its head.
        chain.epoch = chain.epoch.min(entry.epoch);
        let digest = chain.verify_next(&entry).map_err(|fault| match fault {
            ChainFault::Gap { .. } => Fault::conflict("seed_gap", fault.to_string()),
            _ => bad(&fault),
        })?;
        copy.stored_bytes = copy.stored_bytes.saturating_add(entry.payload.len() as u64);
        placed.push(LogRow {
            group: place,
            sequence: entry.sequence,
            epoch: entry.epoch,
            kind: entry.kind,
            sender: entry.sender,
            entry: entry.entry_id,
            accepted_at: entry.accepted_at,
            payload: entry.payload,
            digest,
            head: chain.head,
        });
    }
    let entries = chain.sequence.0.saturating_sub(copy.after.0);
    if entries > COPY_ENTRIES_MAX || copy.stored_bytes > COPY_BYTES_MAX {
        let message = "no member keeps so much of a log";
        return Err(Fault::new(Whose::Exhausted, "seed_too_large", message));
    }
    // One entry id twice in a chain: of no hub that ordered it.
    tx.insert_log(&placed).await.map_err(|error| match error {
        StoreError::Exists(_) => bad(&"an entry stands in it twice"),
        error => error.into(),
    })?;
    copy.sequence = chain.sequence;
    copy.head = chain.head;
    copy.epoch = chain.epoch;
    copy.accepted_at = chain.last_accepted_at;
    Ok(())
}

/// Checks that the copy ends where the term begins: the group, its row, and who is in it.
fn whole(node: &Node, copy: &CopyRow, awaited: &Awaited, state: SeedState) -> Done<Whole> {
    let Awaited { offer, statement, before } = awaited;
    let adopted = HubGroup::adopt(&node.crypto, &state.public.group_info, &state.public.tree);
    let (public, view) = adopted.map_err(|cause| bad(&cause))?;
    check(copy, statement, &state, &view).map_err(|what| bad(&what))?;
    let copied = copy.sequence > copy.after;
    if copied && copy.epoch != view.epoch {
        return Err(bad(&"the group is of another epoch than the log"));
    }
    // Where no entry says it, it is the party's word, which puts no time ahead of this clock.
    let accepted_at = match copied {
        true => copy.accepted_at,
        false => state.accepted_at.min(node.clock.now()),
    };
    // Where the hub before is lost, the term begins with the commit of its statement.
    let begun = statement.statement().hub.is_planned();
    let row = CarriedRow {
        state: if begun { "founded" } else { "seeded" }.into(),
        epoch: view.epoch,
        sequence: copy.sequence,
        head: copy.head,
        accepted_at,
        trimmed: copy.after,
        stored_bytes: copy.stored_bytes,
        group_info: state.public.group_info,
        ..new_row(offer, statement, before.as_ref(), copy.group)
    };
    let roster = view.leaves.into_iter().filter_map(|(_, leaf)| leaf.node).collect();
    Ok(Whole { public, row, roster })
}

/// Puts a whole copy in the place of what was carried before.
async fn replace_by(
    node: &Node,
    tx: &mut dyn Tx,
    copy: &CopyRow,
    awaited: &Awaited,
    whole: Whole,
) -> Done<HubGroup> {
    let Whole { mut public, row, roster } = whole;
    let changes = public.take_changes().map_err(|cause| Fault::ours("ledger", cause))?;
    replace(tx, &awaited.offer, awaited.before.as_ref(), &row).await?;
    tx.rename_log(copy.place(), row.group).await?;
    settle(tx, row.lineage).await?;
    write_ledger(node, tx, changes).await?;
    for member in &roster {
        tx.put_cursor(row.group, member, row.trimmed).await?;
    }
    Ok(public)
}

fn check(
    copy: &CopyRow,
    statement: &SignedStatement,
    state: &SeedState,
    view: &GroupView,
) -> Result<(), &'static str> {
    let rule = |holds: bool, what| if holds { Ok(()) } else { Err(what) };
    let (term, before) = (&statement.statement().hub, &state.previous);
    rule(before.digest() == statement.statement().previous, "another statement went before")?;
    rule(view.group == copy.group, "the state is of another group")?;
    let validated = validate_view(view).map_err(|refused| refused.0)?;
    let end = match (term.end_before(), &state.checkpoint) {
        (Some(end), _) => {
            rule(validated.digest() == before.digest(), "the statement is in force already")?;
            Some(end)
        }
        (None, Some(signed)) => {
            rule(validated.digest() == statement.digest(), "the statement is not in force")?;
            let (last, stated) = (&before.statement().hub, signed.checkpoint());
            let of_it = (stated.group, &stated.hub, stated.term, stated.epoch)
                == (copy.group, &last.hub, last.term, view.epoch);
            rule(of_it, "the checkpoint is of another place")?;
            rule(signed.verify(&last.identity).is_ok(), "the checkpoint is not signed")?;
            Some((stated.sequence, stated.head))
        }
        (None, None) => None,
    };
    rule(end == Some((copy.sequence, copy.head)), "the log does not end where the term begins")
}

fn bad(cause: &dyn std::fmt::Display) -> Fault {
    Fault::refused("seed_bad", format!("the log is refused: {cause}"))
}
