//! What the nodes' tasks do: the courier's own steps, one at a time.

use std::task::Poll;

use raccordo_core::id::{GroupId, NodeId, Sequence};
use raccordo_core::sending::Standing;
use raccordo_core::wire::hub::{Batch, News};
use raccordo_node::app::fault::{Fault, Whose};
use raccordo_node::app::hub::mailbox::read_mailbox;
use raccordo_node::app::hub::read_log::{LogAfter, read_log};
use raccordo_node::app::signals::Topic;
use raccordo_node::app::status::Link;
use raccordo_node::app::{Node, heartbeat, honesty};
use raccordo_node::courier::inbox::{self, Next};
use raccordo_node::courier::link::LinkError;
use raccordo_node::courier::{Trouble, errands, outbox};
use raccordo_node::store::hub::LogRow;

use super::machine::{Ended, Feed, Task};
use super::task::{Pending, go_on, ready};
use super::world::{Who, World};
use super::{Checked, Violation};

/// Whether a trouble belongs to the game: the network's, a crash, or a hub that tells a node
/// that it is no member any more.
fn expected(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Here(fault) => down(fault),
        Trouble::There(LinkError::Later { .. } | LinkError::Full { .. }) => true,
        Trouble::There(LinkError::Refused { reason, .. }) => reason == "not_a_member",
    }
}

/// Whether a fault is a crash.
pub fn down(fault: &Fault) -> bool {
    fault.whose == Whose::Unavailable
}

impl World {
    /// Starts a task, which goes on until it ends or waits for the network.
    fn start(&mut self, place: usize, task: Task, work: Pending<Ended>) -> Checked<String> {
        let process = self.machine(Who::Member(place))?.process.as_mut();
        let process = process.ok_or_else(|| Violation::new("nothing runs here"))?;
        process.tasks.push((task, work));
        self.go_on(place, task)
    }

    /// Lets a task go on.
    ///
    /// # Errors
    /// It ended as it must not.
    pub fn go_on(&mut self, place: usize, task: Task) -> Checked<String> {
        let Some(process) = self.machine(Who::Member(place))?.process.as_mut() else {
            return Ok("down".into());
        };
        let Some(at) = process.tasks.iter().position(|(running, _)| *running == task) else {
            return Ok("not running".into());
        };
        let Some((_, work)) = process.tasks.get_mut(at) else { return Ok(String::new()) };
        match go_on(work) {
            Poll::Pending => Ok("waits".into()),
            Poll::Ready(ended) => {
                drop(process.tasks.remove(at));
                self.ended(place, ended)
            }
        }
    }

    fn ended(&mut self, place: usize, ended: Ended) -> Checked<String> {
        let (words, trouble) = match ended {
            Ended::Outbox(Ok(progress)) => {
                if let outbox::Progress::Settled(count) = progress {
                    self.counts.add("entries answered", count as u64);
                }
                (format!("{progress:?}"), None)
            }
            Ended::Errands(Ok(progress)) => (format!("{progress:?}"), None),
            Ended::Inbox(Ok(next)) => {
                self.taken(place, next)?;
                (format!("{next:?}"), None)
            }
            Ended::Confirm(Ok(())) => ("told".into(), None),
            Ended::Outbox(Err(trouble))
            | Ended::Errands(Err(trouble))
            | Ended::Confirm(Err(trouble)) => (trouble.reason().to_owned(), Some(trouble)),
            Ended::Inbox(Err(trouble)) => {
                // As the subscriber does: what was not taken comes again.
                self.disconnect(place)?;
                (trouble.reason().to_owned(), Some(trouble))
            }
        };
        match trouble {
            Some(trouble) if !expected(&trouble) => Err(trouble.into()),
            _ => Ok(words),
        }
    }

    fn taken(&mut self, place: usize, next: Next) -> Checked {
        let Some(process) = self.machine(Who::Member(place))?.process.as_mut() else {
            return Ok(());
        };
        match next {
            Next::GoOn => {}
            Next::Confirm { group, .. } => {
                process.untold.get_or_insert_default().extend(group);
            }
            Next::Resubscribe => process.feed = None,
            // What a member may be told by an honest hub, the watch says.
            Next::Leave(group) => {
                if let Some(feed) = &mut process.feed {
                    feed.ended.insert(group);
                }
            }
        }
        Ok(())
    }

    /// A member sends.
    ///
    /// # Errors
    /// An invariant that does not hold.
    pub fn send(&mut self, place: usize) -> Checked<String> {
        let (Some(node), Some(lineage)) = (self.node(place), self.lineage) else {
            return Ok("nothing".into());
        };
        let link = self.link(place)?;
        let work = async move { Ended::Outbox(outbox::step(&node, &link, lineage).await) };
        self.start(place, Task::Outbox, Box::pin(work))
    }

    /// A member runs its errands.
    ///
    /// # Errors
    /// An invariant that does not hold.
    pub fn errands(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        let (link, hub) = (self.link(place)?, self.hub.name.clone());
        let work = async move { Ended::Errands(errands::step(&node, &link, &hub).await) };
        self.start(place, Task::Errands, Box::pin(work))
    }

    /// A member tells the hub what it has.
    ///
    /// # Errors
    /// An invariant that does not hold.
    pub fn confirm(&mut self, place: usize) -> Checked<String> {
        let (link, hub) = (self.link(place)?, self.hub.name.clone());
        let Some(process) = self.machine(Who::Member(place))?.process.as_mut() else {
            return Ok("down".into());
        };
        let Some(groups) = process.untold.take() else { return Ok("nothing".into()) };
        let node = process.node.clone();
        let work = async move { Ended::Confirm(inbox::confirm(&node, &link, &hub, &groups).await) };
        self.start(place, Task::Inbox, Box::pin(work))
    }

    /// A member subscribes, sometimes from a place that it has long passed.
    ///
    /// # Errors
    /// The store's.
    pub fn subscribe(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        let back = if self.dice.one_in(3) { self.dice.below(6) } else { 0 };
        let trimmed = self.trimmed()?;
        let hub = self.hub.name.clone();
        let mut tx = ready(node.store.read())??;
        let mailbox = ready(tx.mailbox_cursor(&hub))??;
        let membership = Some(node.signals.listen(Topic::Membership));
        let mailbox = mailbox.saturating_sub(back);
        let mut feed = Feed { mailbox, membership, ..Feed::default() };
        for row in ready(tx.equipes())?? {
            if Standing::parse(&row.state) == Some(Standing::Active) {
                let least = if self.is_victim(place) { row.sequence } else { trimmed };
                let after = row.sequence.0.saturating_sub(back).max(least.0.min(row.sequence.0));
                feed.logs.push((row.group, Sequence(after)));
            }
        }
        // As the subscriber does: a hub that was away keeps nothing back.
        node.claims.begin_anew(node.clock.now());
        let words = format!("{:?} {}", feed.logs.first().map(|(_, at)| at.0), feed.mailbox);
        if let Some(process) = self.machine(Who::Member(place))?.process.as_mut() {
            process.feed = Some(feed);
        }
        Ok(words)
    }

    /// A member's subscription breaks; what was on its way is lost.
    ///
    /// # Errors
    /// Never in practice.
    pub fn disconnect(&mut self, place: usize) -> Checked<String> {
        if let Some(process) = self.machine(Who::Member(place))?.process.as_mut() {
            process.feed = None;
        }
        Ok(String::new())
    }

    /// What is new at the hub reaches a member.
    ///
    /// # Errors
    /// The hub serves a member no longer.
    pub fn fetch(&mut self, place: usize) -> Checked<String> {
        let Some(hub) = self.hub.node() else { return self.disconnect(place) };
        let (caller, aged) = {
            let machine = self.machine(Who::Member(place))?;
            (machine.name.clone(), machine.aged)
        };
        if self.network.is_parted(&caller) {
            return self.disconnect(place);
        }
        let Some(joined) = self.joined(place)? else { return Ok("down".into()) };
        let Some(mut feed) = self.take_feed(place)? else { return Ok("not subscribed".into()) };
        if feed.must_follow_others(&joined) {
            return Ok("subscribes to others".into());
        }
        let before = feed.items.len();
        for at in 0..feed.logs.len() {
            let Some((group, after)) = feed.logs.get(at).copied() else { break };
            if feed.ended.contains(&group) {
                continue;
            }
            let news = match self.lied_to(place, after) {
                Some(batch) => batch.map(News::Entries),
                None => ready(read(&hub, &caller, group, after))??,
            };
            match news {
                None => {}
                // A subscription from long ago, which no node makes, ends so.
                Some(News::Ended { ref reason, .. })
                    if reason == "trimmed" && self.has_passed(place, after)? =>
                {
                    return Ok("ended".into());
                }
                Some(News::Ended { ref reason, .. })
                    if reason == "trimmed" && !aged && !self.rolls.came_after(&caller, after) =>
                {
                    return Err(self.trimmed_away(&caller, after)?);
                }
                Some(News::Ended { group, reason }) => {
                    feed.ended.insert(group);
                    feed.items.push_back(News::Ended { group, reason });
                }
                Some(news) => {
                    if let (News::Entries(batch), Some(log)) = (&news, feed.logs.get_mut(at)) {
                        log.1 = batch.entries.last().map_or(after, |last| last.sequence);
                    }
                    feed.items.push_back(news);
                }
            }
        }
        for row in ready(read_mailbox(&hub, &caller, feed.mailbox))?? {
            feed.mailbox = row.sequence;
            feed.items.push_back(News::Mail(row.mail()));
        }
        let words = format!("{} items", feed.items.len() - before);
        if let Some(process) = self.machine(Who::Member(place))?.process.as_mut() {
            process.feed = Some(feed);
        }
        Ok(words)
    }

    /// The groups that a node follows; none while it is down.
    fn joined(&mut self, place: usize) -> Checked<Option<Vec<GroupId>>> {
        let Some(node) = self.node(place) else { return Ok(None) };
        let mut tx = ready(node.store.read())??;
        let active = ready(tx.equipes())??.into_iter().filter(|row| row.state == "active");
        Ok(Some(active.map(|row| row.group).collect()))
    }

    fn take_feed(&mut self, place: usize) -> Checked<Option<Feed>> {
        let process = self.machine(Who::Member(place))?.process.as_mut();
        Ok(process.and_then(|process| process.feed.take()))
    }

    /// Whether a member has read more of the log than up to this place.
    fn has_passed(&mut self, place: usize, after: Sequence) -> Checked<bool> {
        let machine = self.machine(Who::Member(place))?;
        let mut tx = ready(machine.disk.store().read())??;
        let processed = ready(tx.equipes())??.iter().map(|row| row.sequence).min();
        Ok(processed.is_some_and(|processed| processed > after))
    }

    fn trimmed_away(&self, name: &NodeId, after: Sequence) -> Checked<Violation> {
        let (trimmed, cursors) = (self.trimmed()?, self.hub_cursors()?);
        Ok(Violation(format!(
            "the hub has trimmed up to {trimmed} what {name} has not read after {after}; \
             cursors {cursors:?}"
        )))
    }

    /// A member takes the next item; sometimes it will come again.
    ///
    /// # Errors
    /// An invariant that does not hold.
    pub fn take(&mut self, place: usize) -> Checked<String> {
        let (link, hub) = (self.link(place)?, self.hub.name.clone());
        let again = self.dice.one_in(10);
        let Some(process) = self.machine(Who::Member(place))?.process.as_mut() else {
            return Ok("down".into());
        };
        let Some(feed) = process.feed.as_mut() else { return Ok("not subscribed".into()) };
        let Some(item) = feed.items.pop_front() else { return Ok("nothing".into()) };
        if again {
            feed.items.push_back(item.clone());
        }
        let node = process.node.clone();
        if again {
            self.counts.count("items repeated");
        }
        let work = async move { Ended::Inbox(inbox::take(&node, &link, &hub, &item).await) };
        self.start(place, Task::Inbox, Box::pin(work))
    }

    /// A node is cut off from the hub, or reaches it again.
    ///
    /// # Errors
    /// Never in practice.
    pub fn part(&mut self, place: usize, parted: bool) -> Checked<String> {
        let name = self.machine(Who::Member(place))?.name.clone();
        self.network.part(&name, parted);
        Ok(String::new())
    }

    /// A node says where it stands, if that is due, and looks whether anything is kept back
    /// from it.
    ///
    /// # Errors
    /// What the use cases must not answer.
    pub fn look(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        // A scheduler that starves a node is no hub that keeps something back.
        let connected = self.network.is_calm() && self.feed(place).is_some();
        node.links.note(&self.hub.name, Link { connected, ..Link::default() });
        let looked = ready(async {
            let said = heartbeat::beat(&node).await?;
            honesty::watch(&node).await?;
            Ok(said)
        })?;
        match looked {
            Ok(said) => {
                self.counts.add("heartbeats", said as u64);
                Ok(format!("{said}"))
            }
            Err(fault) if down(&fault) => Ok(fault.reason.into()),
            Err(fault) => Err(Violation::from(fault)),
        }
    }

    /// A late call arrives at the hub.
    ///
    /// # Errors
    /// The hub waited.
    pub fn arrive(&mut self) -> Checked<String> {
        let network = self.network.clone();
        ready(network.arrive())?;
        Ok(String::new())
    }

    /// Lets all tasks of a member end.
    ///
    /// # Errors
    /// An invariant that does not hold.
    pub fn finish_tasks(&mut self, place: usize) -> Checked {
        for task in [Task::Outbox, Task::Errands, Task::Inbox] {
            while self.members.get(place).is_some_and(|member| member.runs(task)) {
                let words = self.go_on(place, task)?;
                self.note(place, task, &words)?;
            }
        }
        Ok(())
    }

    /// Everything that a member's courier can do now, once.
    ///
    /// # Errors
    /// An invariant that does not hold.
    pub fn run_all(&mut self, place: usize) -> Checked {
        let words = self.errands(place)?;
        self.note(place, Task::Errands, &words)?;
        let words = self.send(place)?;
        self.note(place, Task::Outbox, &words)?;
        if self.feed(place).is_none() {
            self.subscribe(place)?;
        }
        self.fetch(place)?;
        while self.feed(place).is_some_and(|feed| !feed.items.is_empty()) {
            let words = self.take(place)?;
            self.note(place, Task::Inbox, &words)?;
        }
        self.confirm(place)?;
        Ok(())
    }

    fn feed(&self, place: usize) -> Option<&Feed> {
        self.members.get(place)?.process.as_ref()?.feed.as_ref()
    }

    fn note(&mut self, place: usize, task: Task, words: &str) -> Checked {
        self.trace.note(&format!("  member {place}, {task:?}: {words}"));
        self.after()
    }
}

/// Reads what stands after the cursor of a subscription; none while that is nothing.
async fn read(
    hub: &Node,
    caller: &NodeId,
    group: GroupId,
    after: Sequence,
) -> Checked<Option<News>> {
    Ok(match read_log(hub, caller, group, after).await? {
        LogAfter::Nothing => None,
        LogAfter::Batch(rows, checkpoint) => {
            let entries = rows.into_iter().map(LogRow::entry).collect();
            Some(News::Entries(Batch { group, entries, checkpoint }))
        }
        LogAfter::Ended(reason) => Some(News::Ended { group, reason: reason.to_owned() }),
    })
}
