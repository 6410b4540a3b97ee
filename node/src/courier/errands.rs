//! What a hub is asked for besides the log: posts, offers, key packages, founding.

use std::time::Duration;

use raccordo_core::id::{LineageId, NodeId};

use super::line::{Line, Up};
use super::link::{HubLink, LinkError};
use super::{Backoff, Trouble, inbox};
use crate::app::fault::Done;
use crate::app::found::Step;
use crate::app::sealing_proof::{ANSWER_KIND, CHALLENGE_KIND};
use crate::app::signals::Topic;
use crate::app::successor::MAIL_KIND;
use crate::app::{Node, found, key_packages, mail, rejoin, term};

/// Key packages of one call.
const DEPOSITS_MAX: usize = 20;
/// How often is looked when nothing waits: key packages grow old without a signal.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Reasons for which a post is never worth another try; the others end when somebody acts.
const HOPELESS_POSTS: [&str; 3] = ["unknown_kind", "item_too_large", "bad_field"];

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Something was done that may have brought new errands.
    pub moved: bool,
    /// Something waits for the hub's administrator or for another party.
    pub waiting: bool,
}

/// Does every errand at a hub once.
///
/// # Errors
/// The store's, or why the hub could not be asked.
pub async fn step(node: &Node, link: &dyn HubLink, hub: &NodeId) -> Result<Progress, Trouble> {
    let mut progress = Progress::default();
    progress.moved |= inbox::enter_kept(node, link, hub).await?;
    posts(node, link, hub, &mut progress).await?;
    offers(node, link, hub, &mut progress).await?;
    deposits(node, link, hub, &mut progress).await?;
    requests(node, link, hub, &mut progress).await?;
    for (lineage, step) in found::steps(node, hub).await? {
        founding(node, link, hub, lineage, step, &mut progress).await?;
    }
    Ok(progress)
}

async fn posts(
    node: &Node,
    link: &dyn HubLink,
    hub: &NodeId,
    progress: &mut Progress,
) -> Result<(), Trouble> {
    for row in mail::waiting(node, hub).await? {
        match refusal(link.post(&row).await)? {
            Ok(()) => {
                mail::settled(node, row.item).await?;
                progress.moved = true;
            }
            Err(Refusal { reason, .. }) if HOPELESS_POSTS.contains(&reason.as_str()) => {
                tracing::error!(%hub, peer = %row.recipient, reason, "a post is refused for ever");
                mail::settled(node, row.item).await?;
            }
            // A card also goes by the logs and by other hubs: only for room is waited.
            Err(Refusal { reason, for_now: false }) if row.kind == MAIL_KIND => {
                tracing::warn!(%hub, peer = %row.recipient, reason, "a new card is not taken");
                mail::settled(node, row.item).await?;
            }
            // What is lost of these is asked for again.
            Err(Refusal { reason, for_now: false })
                if [CHALLENGE_KIND, ANSWER_KIND].contains(&row.kind.as_str()) =>
            {
                tracing::info!(%hub, peer = %row.recipient, reason, "a challenge is not carried");
                mail::settled(node, row.item).await?;
            }
            Err(Refusal { reason, .. }) => {
                tracing::warn!(%hub, peer = %row.recipient, reason, "a post waits");
                progress.waiting = true;
            }
        }
    }
    Ok(())
}

async fn offers(
    node: &Node,
    link: &dyn HubLink,
    hub: &NodeId,
    progress: &mut Progress,
) -> Result<(), Trouble> {
    for offer in mail::offers(node, hub).await? {
        match refusal(link.offer(&offer).await)? {
            Ok(state) => {
                progress.waiting |= state == "waiting";
                mail::answered(node, hub, offer.lineage(), &state).await?;
            }
            Err(Refusal { reason, .. }) => {
                let lineage = offer.lineage();
                tracing::warn!(%hub, %lineage, reason, "an offer is turned down");
                progress.waiting = true;
            }
        }
    }
    Ok(())
}

async fn deposits(
    node: &Node,
    link: &dyn HubLink,
    hub: &NodeId,
    progress: &mut Progress,
) -> Result<(), Trouble> {
    let waiting = key_packages::to_deposit(node, hub).await?;
    for some in waiting.chunks(DEPOSITS_MAX) {
        let (references, deposits): (Vec<_>, Vec<_>) = some.iter().cloned().unzip();
        match refusal(link.deposit(&deposits).await)? {
            Ok(()) => key_packages::deposited(node, &references).await?,
            Err(Refusal { reason, .. }) => {
                tracing::warn!(%hub, reason, "key packages are refused");
                progress.waiting = true;
            }
        }
    }
    Ok(())
}

/// Asks to join again where this node has lost its group.
async fn requests(
    node: &Node,
    link: &dyn HubLink,
    hub: &NodeId,
    progress: &mut Progress,
) -> Result<(), Trouble> {
    for (lineage, group) in rejoin::request::wanted(node, hub).await? {
        match refusal(link.fetch_tree(group, None).await)? {
            Ok(tree) => progress.moved |= rejoin::request::request(node, lineage, &tree).await?,
            Err(Refusal { reason, .. }) => {
                tracing::warn!(%hub, %lineage, reason, "this node cannot ask to join again");
                progress.waiting = true;
            }
        }
    }
    Ok(())
}

async fn founding(
    node: &Node,
    link: &dyn HubLink,
    hub: &NodeId,
    lineage: LineageId,
    step: Step,
    progress: &mut Progress,
) -> Result<(), Trouble> {
    let refused = match step {
        Step::Upload { group, group_info } => {
            match refusal(link.found_group(lineage, group, &group_info).await)? {
                Ok(()) => {
                    found::uploaded(node, lineage).await?;
                    progress.moved = true;
                    return Ok(());
                }
                Err(refusal) => refusal,
            }
        }
        Step::Seed => match refusal(seed(node, link, lineage).await?)? {
            Ok(founded) => {
                progress.waiting |= !founded;
                if founded {
                    term::seed::founded(node, lineage, hub).await?;
                    progress.moved = true;
                }
                return Ok(());
            }
            Err(refusal) => refusal,
        },
        Step::Claim { parties, suite } => {
            match refusal(link.claim(lineage, suite, &parties).await)? {
                Ok(claimed) => {
                    // Looked at again until all have joined: a commit may lose its place.
                    progress.waiting = true;
                    if !claimed.key_packages.is_empty() {
                        found::invite(node, lineage, claimed.key_packages).await?;
                    }
                    return Ok(());
                }
                Err(refusal) => refusal,
            }
        }
    };
    tracing::warn!(%lineage, reason = refused.reason, "the hub does not found the équipe");
    progress.waiting = true;
    Ok(())
}

/// Hands a log over, page by page; whether the hub has it whole.
async fn seed(
    node: &Node,
    link: &dyn HubLink,
    lineage: LineageId,
) -> Done<Result<bool, LinkError>> {
    let mut after = None;
    while let Some(page) = term::seed::page(node, lineage, after).await? {
        let seeded = match link.seed(page).await {
            Ok(seeded) => seeded,
            Err(error) => return Ok(Err(error)),
        };
        if seeded.founded {
            return Ok(Ok(true));
        }
        if after.is_some_and(|after| seeded.sequence <= after) {
            return Ok(Err(LinkError::bad_answer("the hub does not go on with the log")));
        }
        after = Some(seeded.sequence);
    }
    Ok(Ok(false))
}

/// Why a hub does not do one errand, while it does others.
struct Refusal {
    reason: String,
    /// Whether there is no room now, and there may be later.
    for_now: bool,
}

/// Sets a refusal of one errand apart from what stops all of them.
fn refusal<T>(answered: Result<T, LinkError>) -> Result<Result<T, Refusal>, LinkError> {
    match answered {
        Ok(value) => Ok(Ok(value)),
        Err(LinkError::Refused { reason, .. }) => Ok(Err(Refusal { reason, for_now: false })),
        Err(LinkError::Full { reason, .. }) => Ok(Err(Refusal { reason, for_now: true })),
        Err(later) => Err(later),
    }
}

/// Runs one hub's errands until told to stop.
pub(super) async fn run(line: Line) {
    let node = line.node.clone();
    let mut wanted = node.signals.listen(Topic::Errands(line.hub.clone()));
    let mut people = Backoff::for_people();
    let mut failures = Backoff::for_connections();
    while line.up().await == Up::Yes {
        let pause = match step(&node, &*line.link, &line.hub).await {
            Ok(Progress { moved: true, .. }) => {
                failures.reset();
                continue;
            }
            Ok(Progress { waiting: true, .. }) => people.next(&*node.entropy),
            Ok(_) => {
                people.reset();
                LOOK_AGAIN
            }
            Err(trouble) => {
                trouble.log("errands", &line.hub);
                line.pause(failures.next(&*node.entropy)).await;
                continue;
            }
        };
        failures.reset();
        tokio::select! {
            _ = wanted.changed() => people.reset(),
            () = tokio::time::sleep(pause) => {}
            () = line.stop.cancelled() => return,
        }
    }
}
