//! Waits until alerts have come far enough.

use std::collections::VecDeque;
use std::time::Duration;

use raccordo_core::id::ObjectId;
use raccordo_proto::casework::v1::{AwaitDeliveryRequest, DeliveryState, SharedAlert};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::record;
use crate::api::stopping;
use crate::app::Node;
use crate::app::alerts;
use crate::app::delivery::State;
use crate::app::directory::Operator;
use crate::app::fault::{Done, Fault};
use crate::app::signals::Topic;

/// Most alerts of one call.
const IDS_MAX: usize = 1_000;

/// A caller that waits.
pub struct Wait<'c> {
    node: &'c Node,
    operator: &'c Operator,
    goal: State,
    /// In the caller's order; the first is looked at first, as alerts mostly travel in the
    /// order in which they were shared.
    pending: VecDeque<ObjectId>,
    reached: Vec<SharedAlert>,
    changes: watch::Receiver<u64>,
}

impl<'c> Wait<'c> {
    /// Begins to listen.
    ///
    /// # Errors
    /// `too_many`, `bad_id`, `unknown_state`.
    pub fn new(node: &'c Node, operator: &'c Operator, asked: &AwaitDeliveryRequest) -> Done<Self> {
        if asked.ids.len() > IDS_MAX {
            return Err(Fault::usage("too_many", "a call waits for at most 1000 alerts"));
        }
        let ids = asked.ids.iter().map(|id| super::object_id(id));
        Ok(Self {
            node,
            operator,
            goal: goal(asked.state())?,
            pending: ids.collect::<Done<_>>()?,
            reached: Vec::new(),
            changes: node.signals.listen(Topic::Objects),
        })
    }

    /// Waits until all have come far enough or the patience is over, and answers how far
    /// each is, in the caller's order.
    ///
    /// # Errors
    /// `no_such_alert`, `role_not_allowed`, `stopping`.
    pub async fn end(
        mut self,
        patience: Option<Duration>,
        stop: &CancellationToken,
    ) -> Done<Vec<SharedAlert>> {
        let over = async {
            match patience {
                Some(patience) => tokio::time::sleep(patience).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(over);
        loop {
            self.changes.mark_unchanged();
            self.look().await?;
            if self.pending.is_empty() {
                return Ok(self.reached);
            }
            tokio::select! {
                _ = self.changes.changed() => {}
                () = &mut over => return self.remaining().await,
                () = stop.cancelled() => return Err(stopping()),
            }
        }
    }

    /// Takes over those that have come far enough, up to the first that has not.
    async fn look(&mut self) -> Done<()> {
        while let Some(id) = self.pending.front() {
            let head = alerts::head(self.node, self.operator, *id).await?;
            if head.delivery.state < self.goal {
                break;
            }
            self.reached.push(record::shared(&head));
            self.pending.pop_front();
        }
        Ok(())
    }

    async fn remaining(mut self) -> Done<Vec<SharedAlert>> {
        for id in self.pending {
            let head = alerts::head(self.node, self.operator, id).await?;
            self.reached.push(record::shared(&head));
        }
        Ok(self.reached)
    }
}

fn goal(state: DeliveryState) -> Done<State> {
    match state {
        DeliveryState::Unspecified => {
            Err(Fault::usage("unknown_state", "the call names no delivery state"))
        }
        DeliveryState::Queued => Ok(State::Queued),
        DeliveryState::Accepted => Ok(State::Accepted),
        DeliveryState::Delivered => Ok(State::Delivered),
        DeliveryState::Read => Ok(State::Read),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_what_deliveries_are_told_as() {
        let check = |state, good: bool| {
            let goal = goal(state);
            assert_eq!(goal.is_ok(), good);
            assert!(goal.is_err() || goal.map(record::delivery_state) == Ok(state));
        };
        check(DeliveryState::Unspecified, false);
        check(DeliveryState::Queued, true);
        check(DeliveryState::Accepted, true);
        check(DeliveryState::Delivered, true);
        check(DeliveryState::Read, true);
    }
}
