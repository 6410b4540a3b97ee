//! Waiting until shared alerts have come far enough.

use std::time::Duration;

use clap::ValueEnum;
use raccordo_proto::casework::v1::casework_service_client::CaseworkServiceClient;
use raccordo_proto::casework::v1::{AwaitDeliveryRequest, Delivery, DeliveryState, SharedAlert};
use tokio::time::Instant;
use tonic::transport::Channel;

use crate::client::Operator;
use crate::duration;
use crate::failure::{EXIT_UNREACHABLE, Failure};

/// Alerts asked about in one call.
const CHUNK: usize = 500;
/// How long the last look at the states may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// How far alerts are to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Goal {
    /// Durable at the hub
    Accepted,
    /// Durable and processed at every other member
    Delivered,
}

impl Goal {
    /// As people read it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
        }
    }

    fn state(self) -> DeliveryState {
        match self {
            Self::Accepted => DeliveryState::Accepted,
            Self::Delivered => DeliveryState::Delivered,
        }
    }

    fn is_reached(self, shared: &SharedAlert) -> bool {
        shared.delivery.as_ref().map_or(0, |delivery| delivery.state) >= self.state().into()
    }
}

/// Waits, and keeps the newest known states in `shared` whatever happens.
///
/// # Errors
/// The goal is not reached in time, or the node refuses or does not answer.
pub async fn until(
    client: &mut CaseworkServiceClient<Channel>,
    operator: &Operator,
    goal: Goal,
    limit: Duration,
    shared: &mut [SharedAlert],
) -> Result<(), Failure> {
    let deadline = Instant::now() + limit;
    for chunk in shared.chunks_mut(CHUNK) {
        let ids: Vec<String> = chunk.iter().map(|shared| shared.id.clone()).collect();
        let left = deadline.saturating_duration_since(Instant::now());
        let asked = ask(client, operator, &ids, goal.state(), left).await;
        let known = match asked {
            Err(failure) if failure.is_passing() => {
                // The time is over: what is reached already is known at once.
                ask(client, operator, &ids, DeliveryState::Queued, LOOK_TIMEOUT).await
            }
            other => other,
        };
        match known {
            Ok(known) => merge(chunk, known),
            Err(failure) if failure.is_passing() => {}
            Err(failure) => return Err(failure),
        }
    }
    let late = shared.iter().filter(|shared| !goal.is_reached(shared)).count();
    match late {
        0 => Ok(()),
        _ => Err(too_late(goal, limit, late, shared)),
    }
}

async fn ask(
    client: &mut CaseworkServiceClient<Channel>,
    operator: &Operator,
    ids: &[String],
    state: DeliveryState,
    limit: Duration,
) -> Result<Vec<SharedAlert>, Failure> {
    let message = AwaitDeliveryRequest { ids: ids.to_vec(), state: state.into() };
    let answer = client.await_delivery(operator.call_within(message, limit)).await?;
    Ok(answer.into_inner().alerts)
}

/// Takes over what the node knows, by id.
fn merge(chunk: &mut [SharedAlert], known: Vec<SharedAlert>) {
    let mut known: std::collections::BTreeMap<String, SharedAlert> =
        known.into_iter().map(|shared| (shared.id.clone(), shared)).collect();
    for shared in chunk {
        if let Some(newer) = known.remove(&shared.id) {
            *shared = newer;
        }
    }
}

fn too_late(goal: Goal, limit: Duration, late: usize, shared: &[SharedAlert]) -> Failure {
    let waited = duration::show(limit);
    let message =
        format!("after {waited}, {late} of {} alerts are not {} yet", shared.len(), goal.word());
    let refusals = shared.iter().filter_map(|shared| shared.delivery.as_ref());
    let refusal = refusals.flat_map(|delivery: &Delivery| &delivery.refusals).next();
    let hint = match refusal {
        Some(refusal) => format!("{} could not process one: {}", refusal.member, refusal.reason),
        None => "they are durable here and go on being sent; do not share them again; see: raccordo alert show ID, raccordo status".to_owned(),
    };
    Failure::new(EXIT_UNREACHABLE, "timed_out", message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(id: &str, state: DeliveryState) -> SharedAlert {
        let delivery = Delivery { state: state.into(), ..Delivery::default() };
        SharedAlert { id: id.to_owned(), delivery: Some(delivery), ..SharedAlert::default() }
    }

    #[test]
    fn goals_are_reached_by_more() {
        let check = |goal: Goal, state, reached| {
            assert_eq!(goal.is_reached(&shared("a", state)), reached, "{goal:?} {state:?}");
        };
        check(Goal::Accepted, DeliveryState::Queued, false);
        check(Goal::Accepted, DeliveryState::Accepted, true);
        check(Goal::Accepted, DeliveryState::Read, true);
        check(Goal::Delivered, DeliveryState::Accepted, false);
        check(Goal::Delivered, DeliveryState::Delivered, true);
        assert!(!Goal::Accepted.is_reached(&SharedAlert::default()));
    }

    #[test]
    fn newer_states_replace_older_ones() {
        let mut chunk = [shared("a", DeliveryState::Queued), shared("b", DeliveryState::Queued)];
        merge(&mut chunk, vec![shared("b", DeliveryState::Delivered)]);
        assert!(Goal::Delivered.is_reached(&chunk[1]));
        assert!(!Goal::Delivered.is_reached(&chunk[0]));
    }

    #[test]
    fn lateness_is_told_without_alarm() {
        let alerts = [shared("a", DeliveryState::Accepted)];
        let failure = too_late(Goal::Delivered, Duration::from_secs(30), 1, &alerts);
        assert_eq!(failure.exit, EXIT_UNREACHABLE);
        assert_eq!(failure.message, "after 30s, 1 of 1 alerts are not delivered yet");
    }
}
