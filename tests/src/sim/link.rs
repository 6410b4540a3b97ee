//! The network between the members and the hub, and what goes wrong on it: calls that are
//! lost, answers that are lost, calls that come twice, late, and out of order.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{Epoch, GroupId, LineageId, NodeId};
use raccordo_core::sending::Standing;
use raccordo_core::wire::seed::{Seed, Seeded};
use raccordo_node::app::Node;
use raccordo_node::app::fault::{Done, Whose};
use raccordo_node::app::hub::append::{self, Appended, Outcome};
use raccordo_node::app::hub::key_package_pool::{self, Claimed, Deposit};
use raccordo_node::app::hub::{confirm, found_group, mailbox, offer, seed};
use raccordo_node::app::mail::Offer;
use raccordo_node::app::send::AppendCall;
use raccordo_node::courier::link::{Answered, Cursors, HubLink, LinkError};
use raccordo_node::store::Store;
use raccordo_node::store::node::MailRow;
use raccordo_node::store::outbox::EntryState;

use super::chance::Dice;
use super::report::Counts;
use super::task::pause;
use super::{Checked, Violation};

/// A call on its way.
#[derive(Clone)]
pub enum Call {
    /// Append to a log.
    Append(AppendCall),
    /// Tell what is durable.
    Confirm(Cursors),
    /// Offer an équipe.
    Offer(Box<Offer>),
    /// Upload epoch 0.
    Found(LineageId, GroupId, Vec<u8>),
    /// Add key packages.
    Deposit(Vec<Deposit>),
    /// Take key packages.
    Claim(LineageId, u16, Vec<NodeId>),
    /// The tree for a Welcome.
    Tree(GroupId, Option<Epoch>),
    /// Hand over a page of a log.
    Seed(Box<Seed>),
    /// Leave an item in a mailbox.
    Post(MailRow),
}

/// What the hub answers.
enum Answer {
    Done,
    Appended(Appended),
    State(String),
    Claimed(Claimed),
    Tree(Vec<u8>),
    Seeded(Seeded),
}

/// A call that comes again, or late: nobody waits for its answer.
pub struct Ghost {
    caller: NodeId,
    call: Call,
}

struct State {
    hub: Option<Arc<Node>>,
    parted: BTreeSet<NodeId>,
    ghosts: VecDeque<Ghost>,
    counts: Counts,
    violation: Option<Violation>,
    faulty: bool,
}

/// The network.
pub struct Network {
    dice: Dice,
    state: Mutex<State>,
}

impl Network {
    /// A network whose faults follow from the seed.
    pub fn new(seed: u64) -> Self {
        let (hub, ghosts, counts) = (None, VecDeque::new(), Counts::default());
        let parted = BTreeSet::new();
        let state = State { hub, parted, ghosts, counts, violation: None, faulty: true };
        Self { dice: Dice::new(&format!("seed {seed}, network")), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which process answers for the hub; none while it is down.
    pub fn serve(&self, hub: Option<Arc<Node>>) {
        self.state().hub = hub;
    }

    /// From now on nothing goes wrong; what was on its way still arrives.
    pub fn heal(&self) {
        let mut state = self.state();
        state.faulty = false;
        state.parted.clear();
    }

    /// Whether nothing goes wrong now.
    pub fn is_calm(&self) -> bool {
        !self.state().faulty
    }

    /// Cuts a node off, or lets it through again.
    pub fn part(&self, node: &NodeId, parted: bool) {
        let mut state = self.state();
        if parted {
            state.counts.count("partitions");
            state.parted.insert(node.clone());
        } else {
            state.parted.remove(node);
        }
    }

    /// Whether a node is cut off.
    pub fn is_parted(&self, node: &NodeId) -> bool {
        self.state().parted.contains(node)
    }

    /// Whether any node is cut off.
    pub fn anybody_parted(&self) -> bool {
        !self.state().parted.is_empty()
    }

    /// From now on things go wrong again.
    pub fn disturb(&self) {
        self.state().faulty = true;
    }

    /// How many calls may still arrive.
    pub fn ghosts(&self) -> usize {
        self.state().ghosts.len()
    }

    /// What was seen of it.
    pub fn counts(&self) -> Counts {
        self.state().counts.clone()
    }

    /// What a member handed over that it should not have.
    ///
    /// # Errors
    /// The first of it.
    pub fn check(&self) -> Checked {
        self.state().violation.take().map_or(Ok(()), Err)
    }

    /// Lets one late call arrive, any of them.
    pub async fn arrive(&self) {
        let (hub, ghost) = {
            let mut state = self.state();
            let place = self.dice.below(state.ghosts.len() as u64);
            let place = usize::try_from(place).unwrap_or(0);
            let Some(ghost) = state.ghosts.remove(place) else { return };
            (state.hub.clone(), ghost)
        };
        if let Some(hub) = hub {
            // The caller has gone: whatever the hub answers is lost.
            drop(self.ask(&hub, &ghost.caller, ghost.call).await);
        }
    }

    /// Asks the hub, which may refuse and may be down, but has no faults of its own.
    async fn ask(&self, hub: &Node, caller: &NodeId, call: Call) -> Answered<Answer> {
        let answer = execute(hub, caller, call).await;
        if let Err(fault) = &answer
            && fault.whose == Whose::Ours
        {
            let what = format!("the hub has a fault, {}: {fault}", fault.reason);
            self.state().violation.get_or_insert(Violation(what));
        }
        Ok(answer?)
    }

    /// Whether something that goes wrong once in so many times goes wrong now.
    fn goes_wrong(&self, what: &'static str, times: u64) -> bool {
        let faulty = self.state().faulty;
        let wrong = faulty && self.dice.one_in(times);
        if wrong {
            self.state().counts.count(what);
        }
        wrong
    }

    fn haunt(&self, caller: &NodeId, call: &Call) {
        self.state().ghosts.push_back(Ghost { caller: caller.clone(), call: call.clone() });
    }

    fn note(&self, appended: &Appended) {
        let stale =
            |(_, outcome): &&(_, Outcome)| -> bool { matches!(outcome, Outcome::Stale { .. }) };
        let stale = appended.outcomes.iter().filter(stale).count() as u64;
        self.state().counts.add("stale answers", stale);
    }
}

/// One member's way to the hub.
pub struct SimLink {
    /// The member.
    pub caller: NodeId,
    /// Its disk.
    pub store: Arc<dyn Store>,
    /// The network.
    pub network: Arc<Network>,
}

fn later(reason: &str) -> LinkError {
    let (reason, message) = (reason.to_owned(), "the simulated network".to_owned());
    LinkError::Later { reason, message, hint: String::new() }
}

impl SimLink {
    async fn carry(&self, call: Call) -> Answered<Answer> {
        let network = &self.network;
        if network.is_parted(&self.caller) {
            return Err(later("unreachable"));
        }
        if network.goes_wrong("slow calls", 3) {
            pause().await;
        }
        if network.goes_wrong("duplicated calls", 10) {
            network.haunt(&self.caller, &call);
        }
        if network.goes_wrong("lost calls", 12) {
            return Err(later("timed_out"));
        }
        if network.goes_wrong("late calls", 20) {
            network.haunt(&self.caller, &call);
            return Err(later("timed_out"));
        }
        let hub = network.state().hub.clone();
        let Some(hub) = hub else { return Err(later("unreachable")) };
        let answer = network.ask(&hub, &self.caller, call).await;
        drop(hub);
        if network.goes_wrong("slow answers", 3) {
            pause().await;
        }
        if network.goes_wrong("lost answers", 12) {
            return Err(later("timed_out"));
        }
        if let Ok(Answer::Appended(appended)) = &answer {
            network.note(appended);
        }
        answer
    }

    /// What is handed over must be stored exactly so, and bear no case while an alarm holds
    /// cases or one of the members is not trusted.
    async fn inspect(&self, call: &AppendCall) -> Checked {
        let mut tx = self.store.read().await?;
        let Some(equipe) = tx.equipe_of_group(call.group).await? else {
            return Err(Violation::new(format!("{} sends to a foreign group", self.caller)));
        };
        let lineage = equipe.lineage;
        let standing = Standing::parse(&equipe.state);
        let member = matches!(standing, Some(Standing::Active | Standing::Founding));
        let alarms = tx.alarms(lineage).await?;
        let mut untrusted = alarms.iter().any(|alarm| alarm.holds());
        for member in tx.members(lineage).await? {
            let peer = tx.peer(&member.node).await?;
            let trusted = peer.is_some_and(|peer| peer.state.counts_as_verified());
            untrusted |= member.node != self.caller && !trusted;
        }
        for handed in &call.entries {
            if !member && handed.kind != EntryKind::Notice {
                let (caller, state) = (&self.caller, &equipe.state);
                return Err(Violation(format!("{caller} is {state}, and sends")));
            }
            let row = tx.entry(lineage, handed.entry).await?;
            let stored = row.is_some_and(|row| {
                row.state == EntryState::Pending
                    && row.payload == handed.payload
                    && row.epoch == handed.epoch
            });
            if !stored {
                let (caller, entry) = (&self.caller, handed.entry);
                let what = format!("{caller} sends entry {entry} otherwise than it is stored");
                return Err(Violation::new(what));
            }
            let envelopes = tx.envelopes_of(lineage, handed.entry).await?;
            if untrusted && envelopes.iter().any(|row| row.case_bearing) {
                let what = format!("{} sends a case that is held", self.caller);
                return Err(Violation::new(what));
            }
        }
        Ok(())
    }
}

async fn execute(hub: &Node, caller: &NodeId, call: Call) -> Done<Answer> {
    Ok(match call {
        Call::Append(AppendCall { group, entries, .. }) => {
            Answer::Appended(append::append(hub, caller, group, entries).await?)
        }
        Call::Confirm(Cursors { groups, mailbox, .. }) => {
            confirm::confirm(hub, caller, &groups, mailbox).await?;
            Answer::Done
        }
        Call::Offer(offered) => Answer::State(offer::offer(hub, caller, *offered).await?),
        Call::Found(lineage, group, info) => {
            found_group::found_group(hub, caller, lineage, group, info).await?;
            Answer::Done
        }
        Call::Deposit(deposits) => {
            key_package_pool::deposit(hub, caller, deposits).await?;
            Answer::Done
        }
        Call::Claim(lineage, suite, parties) => {
            let claimed = key_package_pool::claim(hub, caller, lineage, suite, &parties).await?;
            Answer::Claimed(claimed)
        }
        Call::Tree(group, epoch) => {
            Answer::Tree(key_package_pool::fetch_tree(hub, caller, group, epoch).await?)
        }
        Call::Seed(page) => Answer::Seeded(seed::seed(hub, caller, *page).await?),
        Call::Post(mail) => {
            let MailRow { item, recipient, kind, payload, .. } = mail;
            mailbox::post(hub, caller, &recipient, item, &kind, payload).await?;
            Answer::Done
        }
    })
}

fn unfit<T>() -> Answered<T> {
    Err(LinkError::bad_answer("an answer to another call"))
}

#[async_trait]
impl HubLink for SimLink {
    async fn append(&self, call: &AppendCall) -> Answered<Appended> {
        if let Err(violation) = self.inspect(call).await {
            self.network.state().violation.get_or_insert(violation);
        }
        match self.carry(Call::Append(call.clone())).await? {
            Answer::Appended(appended) => Ok(appended),
            _ => unfit(),
        }
    }

    async fn confirm(&self, processed: &Cursors) -> Answered<()> {
        self.carry(Call::Confirm(processed.clone())).await.map(drop)
    }

    async fn offer(&self, offer: &Offer) -> Answered<String> {
        match self.carry(Call::Offer(Box::new(offer.clone()))).await? {
            Answer::State(state) => Ok(state),
            _ => unfit(),
        }
    }

    async fn found_group(
        &self,
        lineage: LineageId,
        group: GroupId,
        group_info: &[u8],
    ) -> Answered<()> {
        self.carry(Call::Found(lineage, group, group_info.to_vec())).await.map(drop)
    }

    async fn deposit(&self, deposits: &[Deposit]) -> Answered<()> {
        self.carry(Call::Deposit(deposits.to_vec())).await.map(drop)
    }

    async fn claim(&self, lineage: LineageId, suite: u16, parties: &[NodeId]) -> Answered<Claimed> {
        match self.carry(Call::Claim(lineage, suite, parties.to_vec())).await? {
            Answer::Claimed(claimed) => Ok(claimed),
            _ => unfit(),
        }
    }

    async fn fetch_tree(&self, group: GroupId, epoch: Option<Epoch>) -> Answered<Vec<u8>> {
        match self.carry(Call::Tree(group, epoch)).await? {
            Answer::Tree(tree) => Ok(tree),
            _ => unfit(),
        }
    }

    async fn seed(&self, page: Seed) -> Answered<Seeded> {
        match self.carry(Call::Seed(Box::new(page))).await? {
            Answer::Seeded(seeded) => Ok(seeded),
            _ => unfit(),
        }
    }

    async fn post(&self, mail: &MailRow) -> Answered<()> {
        self.carry(Call::Post(mail.clone())).await.map(drop)
    }
}
