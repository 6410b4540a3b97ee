//! The courier's steps against a hub whose answers get lost, lie or refuse.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use raccordo_core::alarm::AlarmCode;
use raccordo_core::crypto::Suite;
use raccordo_core::entropy::draw;
use raccordo_core::id::{Epoch, GroupId, ItemId, LineageId, NodeId};
use raccordo_core::object::Kind;
use raccordo_core::quota::Quota;
use raccordo_core::wire::hub::{Mail, News};
use raccordo_core::wire::seed::{Seed, Seeded};
use raccordo_node::app::Node;
use raccordo_node::app::hub::accept::{self, Decision};
use raccordo_node::app::hub::append::{Appended, Outcome, append};
use raccordo_node::app::hub::key_package_pool::{self, Claimed, Deposit};
use raccordo_node::app::hub::mailbox::{self, read_mailbox};
use raccordo_node::app::hub::{confirm, found_group, offer, seed};
use raccordo_node::app::mail::Offer;
use raccordo_node::app::send::AppendCall;
use raccordo_node::app::update_keys::update_keys;
use raccordo_node::app::{doctor, found, key_packages, mail, pacts};
use raccordo_node::courier::inbox::Next;
use raccordo_node::courier::link::{Answered, Cursors, HubLink, LinkError};
use raccordo_node::courier::{Trouble, errands, inbox, outbox};
use raccordo_node::store::hub::MailboxRow;
use raccordo_node::store::keys::DutyRow;
use raccordo_node::store::node::MailRow;
use raccordo_node::store::outbox::EntryState;

use crate::bench::{ADMIN, Bench, EQUIPE, Relay, Rows, Toscana, Umbria, Who};

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug)]
enum Twist {
    /// It never arrives.
    LoseCall,
    /// It is done, and nobody hears of it.
    LoseAnswer,
    /// The hub refuses the entries for ever.
    RefuseEntries,
    /// The answer is for no entry.
    AnswerNothing,
    /// The answer is for other entries.
    AnswerOthers,
    /// The hub refuses the call.
    Refuse(&'static str),
}

/// The relay as one region reaches it.
struct Scripted<'b> {
    relay: &'b Node,
    me: NodeId,
    twists: Mutex<VecDeque<Twist>>,
    appended: Mutex<Vec<AppendCall>>,
}

impl<'b> Scripted<'b> {
    fn new(bench: &'b Bench, who: Who, twists: &[Twist]) -> Self {
        let twists = Mutex::new(twists.iter().copied().collect());
        Self { relay: bench.node(Relay), me: who.id(), twists, appended: Mutex::default() }
    }

    fn twist(&self) -> Option<Twist> {
        self.twists.lock().unwrap().pop_front()
    }

    /// For all calls but appends.
    fn gate(&self) -> Answered<()> {
        match self.twist() {
            None => Ok(()),
            Some(Twist::Refuse(reason)) => {
                Err(LinkError::Refused { reason: reason.into(), message: reason.into() })
            }
            Some(_) => Err(lost()),
        }
    }

    fn calls(&self) -> Vec<AppendCall> {
        self.appended.lock().unwrap().clone()
    }
}

fn lost() -> LinkError {
    LinkError::Later { reason: "broken".into(), message: "broken".into(), hint: String::new() }
}

#[async_trait]
impl HubLink for Scripted<'_> {
    async fn append(&self, call: &AppendCall) -> Answered<Appended> {
        self.appended.lock().unwrap().push(call.clone());
        let twist = self.twist();
        let ids: Vec<_> = call.entries.iter().map(|handed| handed.entry).collect();
        let refused = Outcome::Refused("not_admissible".into());
        match twist {
            Some(Twist::LoseCall) => return Err(lost()),
            Some(Twist::RefuseEntries) => {
                return Ok(Appended { outcomes: vec![(ids[0], refused)], checkpoint: None });
            }
            Some(Twist::AnswerNothing) => {
                return Ok(Appended { outcomes: Vec::new(), checkpoint: None });
            }
            Some(Twist::AnswerOthers) => {
                let mut other = ids[0];
                other.0[0] ^= 1;
                return Ok(Appended { outcomes: vec![(other, refused)], checkpoint: None });
            }
            _ => {}
        }
        let answer = append(self.relay, &self.me, call.group, call.entries.clone()).await?;
        if matches!(twist, Some(Twist::LoseAnswer)) { Err(lost()) } else { Ok(answer) }
    }

    async fn confirm(&self, processed: &Cursors) -> Answered<()> {
        self.gate()?;
        Ok(confirm::confirm(self.relay, &self.me, &processed.groups, processed.mailbox).await?)
    }

    async fn offer(&self, offer: &Offer) -> Answered<String> {
        self.gate()?;
        Ok(offer::offer(self.relay, &self.me, offer.clone()).await?)
    }

    async fn found_group(
        &self,
        lineage: LineageId,
        group: GroupId,
        group_info: &[u8],
    ) -> Answered<()> {
        self.gate()?;
        let info = group_info.to_vec();
        Ok(found_group::found_group(self.relay, &self.me, lineage, group, info).await?)
    }

    async fn deposit(&self, deposits: &[Deposit]) -> Answered<()> {
        self.gate()?;
        key_package_pool::deposit(self.relay, &self.me, deposits.to_vec()).await?;
        Ok(())
    }

    async fn claim(&self, lineage: LineageId, suite: u16, parties: &[NodeId]) -> Answered<Claimed> {
        self.gate()?;
        Ok(key_package_pool::claim(self.relay, &self.me, lineage, suite, parties).await?)
    }

    async fn fetch_tree(&self, group: GroupId, epoch: Option<Epoch>) -> Answered<Vec<u8>> {
        self.gate()?;
        Ok(key_package_pool::fetch_tree(self.relay, &self.me, group, epoch).await?)
    }

    async fn seed(&self, page: Seed) -> Answered<Seeded> {
        self.gate()?;
        Ok(seed::seed(self.relay, &self.me, page).await?)
    }

    async fn post(&self, mail: &MailRow) -> Answered<()> {
        self.gate()?;
        let (kind, payload) = (mail.kind.as_str(), mail.payload.clone());
        Ok(mailbox::post(self.relay, &self.me, &mail.recipient, mail.item, kind, payload).await?)
    }
}

/// An équipe in which Toscana may send at once, and has one alert to send.
async fn with_an_alert() -> Bench {
    let mut bench = Bench::ready().await;
    // Keys are another story: nothing of theirs falls due in this one.
    let lineage = bench.lineage().await;
    let node = bench.node(Toscana);
    let due_at = node.clock.now().plus(Duration::from_secs(86_400));
    let mut tx = node.store.write().await.unwrap();
    let duty = tx.key_duty(lineage).await.unwrap().unwrap();
    tx.put_key_duty(DutyRow { due_at, ..duty }).await.unwrap();
    tx.commit().await.unwrap();
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench
}

/// A hub that finds nothing asks again and again, and each time new ones are made: the pool
/// stays bounded, and nothing is refused.
#[tokio::test]
async fn a_full_pool_keeps_the_newest() {
    let bench = Bench::agreed(Rows::Memory, Suite::Classical).await;
    let (umbria, relay, hub) = (bench.node(Umbria), bench.node(Relay), Relay.id());
    for _ in 0..20 {
        bench.pass(Duration::from_secs(24 * 3600));
        let mut tx = umbria.store.write().await.unwrap();
        key_packages::wanted(umbria, &mut *tx, &hub).await.unwrap();
        tx.commit().await.unwrap();
        let (references, deposits): (Vec<_>, Vec<_>) =
            key_packages::to_deposit(umbria, &hub).await.unwrap().into_iter().unzip();
        key_package_pool::deposit(relay, &Umbria.id(), deposits).await.unwrap();
        key_packages::deposited(umbria, &references).await.unwrap();
    }
    let mut tx = relay.store.read().await.unwrap();
    let pool = tx.pool(&Umbria.id(), Suite::Classical.number(), relay.clock.now()).await.unwrap();
    assert_eq!(pool.len(), Quota::KeyPackagesOfOwner.count());
    assert!(pool.iter().any(|row| row.last_resort));
}

#[tokio::test]
async fn what_got_lost_is_sent_again_byte_for_byte() {
    let mut bench = with_an_alert().await;
    let lineage = bench.lineage().await;
    {
        let link = Scripted::new(&bench, Toscana, &[Twist::LoseCall, Twist::LoseAnswer]);
        let step = async || outbox::step(bench.node(Toscana), &link, lineage).await;
        for _ in 0..2 {
            assert_eq!(step().await, Err(Trouble::There(lost())));
        }
        assert_eq!(step().await, Ok(outbox::Progress::Settled(1)));
        assert_eq!(step().await, Ok(outbox::Progress::Idle));
        let calls = link.calls();
        assert_eq!(calls.len(), 3);
        assert!(calls.iter().all(|call| *call == calls[0]));
    }
    bench.run().await;
    bench.assert_agreement().await;
    assert_eq!(bench.listed(Umbria).await.len(), 2);
}

#[tokio::test]
async fn what_is_stale_is_encrypted_again_under_its_entry_id() {
    let mut bench = with_an_alert().await;
    let lineage = bench.lineage().await;
    bench.restart(Umbria).await;
    bench.share_samples(Umbria, Kind::Company, 1).await;
    bench.send(Umbria).await.unwrap();
    {
        let link = Scripted::new(&bench, Toscana, &[]);
        let step = async || outbox::step(bench.node(Toscana), &link, lineage).await;
        assert_eq!(step().await, Ok(outbox::Progress::Settled(1)));
        // Until the log has shown the other's commit there is nothing to do.
        assert_eq!(step().await, Ok(outbox::Progress::Idle));
        bench.fetch(Toscana).await.unwrap();
        assert!(matches!(step().await, Ok(outbox::Progress::Settled(_))));
        let calls = link.calls();
        assert_eq!(calls.len(), 2);
        let (first, again) = (&calls[0].entries[0], &calls[1].entries[0]);
        assert_eq!(first.entry, again.entry);
        assert_eq!(first.epoch.next(), again.epoch);
        assert_ne!(first.payload, again.payload);
    }
    bench.run().await;
    bench.assert_agreement().await;
}

#[tokio::test]
async fn what_is_refused_for_ever_raises_an_alarm() {
    let bench = with_an_alert().await;
    let lineage = bench.lineage().await;
    let link = Scripted::new(&bench, Toscana, &[Twist::RefuseEntries]);
    let step = async || outbox::step(bench.node(Toscana), &link, lineage).await;
    assert_eq!(step().await, Ok(outbox::Progress::Settled(1)));
    assert_eq!(bench.alarms(Toscana).await, ["entry_refused"]);
    assert_eq!(bench.entries(Toscana, EntryState::Refused).await[0].reason, "not_admissible");
    assert_eq!(step().await, Ok(outbox::Progress::Idle));
    assert_eq!(link.calls().len(), 1);
}

#[tokio::test]
async fn an_answer_to_another_question_settles_nothing() {
    let bench = with_an_alert().await;
    let lineage = bench.lineage().await;
    let link = Scripted::new(&bench, Toscana, &[Twist::AnswerNothing, Twist::AnswerOthers]);
    for _ in 0..2 {
        let trouble = outbox::step(bench.node(Toscana), &link, lineage).await.unwrap_err();
        assert_eq!(trouble.reason(), "bad_answer");
        assert_eq!(bench.entries(Toscana, EntryState::Pending).await.len(), 1);
    }
    assert_eq!(bench.alarms(Toscana).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_post_waits_for_its_recipient_and_a_hopeless_one_does_not() {
    let check = async |reason, waits| {
        let bench = Bench::acquainted(Rows::Memory).await;
        forget_challenges(&bench, Toscana).await;
        bench.sign_and_propose(Suite::Classical).await;
        // The post comes first, and everything after it passes.
        let link = Scripted::new(&bench, Toscana, &[Twist::Refuse(reason)]);
        let node = bench.node(Toscana);
        let progress = errands::step(node, &link, &Relay.id()).await.unwrap();
        assert_eq!(progress.waiting, waits, "{reason}");
        let left = mail::waiting(node, &Relay.id()).await.unwrap().len();
        assert_eq!(left, usize::from(waits), "{reason}");
    };
    check("no_such_peer", true).await;
    check("item_too_large", false).await;
}

#[tokio::test]
async fn errands_stop_where_the_hub_is_away_and_go_on_there() {
    let bench = Bench::acquainted(Rows::Memory).await;
    forget_challenges(&bench, Toscana).await;
    bench.sign_and_propose(Suite::Classical).await;
    let link = Scripted::new(&bench, Toscana, &[Twist::LoseCall]);
    let (node, hub) = (bench.node(Toscana), Relay.id());
    assert_eq!(errands::step(node, &link, &hub).await, Err(Trouble::There(lost())));
    assert_eq!(mail::waiting(node, &hub).await.unwrap().len(), 1);
    assert!(errands::step(node, &link, &hub).await.unwrap().moved);
    assert!(mail::waiting(node, &hub).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_steps_found_an_equipe() {
    let bench = Bench::agreed(Rows::Memory, Suite::Classical).await;
    found::create(bench.node(Toscana), ADMIN, EQUIPE).await.unwrap();
    let lineage = bench.lineage().await;
    let hub = Relay.id();
    let link = Scripted::new(&bench, Toscana, &[]);
    let node = bench.node(Toscana);
    // Epoch 0, then the key packages, then the commit that adds.
    assert!(errands::step(node, &link, &hub).await.unwrap().moved);
    assert!(errands::step(node, &link, &hub).await.unwrap().waiting);
    assert_eq!(outbox::step(node, &link, lineage).await, Ok(outbox::Progress::Settled(1)));
    let batch = bench.batch(Toscana, lineage).await.unwrap().unwrap();
    let group = batch.group;
    let next = inbox::take(node, &link, &hub, &News::Entries(batch)).await;
    assert_eq!(next, Ok(Next::Confirm { group: Some(group), count: 1 }));
    inbox::confirm(node, &link, &hub, &BTreeSet::from([group])).await.unwrap();

    let link = Scripted::new(&bench, Umbria, &[]);
    for mail in mailbox_of(&bench, Umbria).await {
        let next = inbox::take(bench.node(Umbria), &link, &hub, &News::Mail(mail)).await;
        assert_eq!(next, Ok(Next::Confirm { group: None, count: 1 }));
    }
    assert_eq!(bench.row(Umbria).await.head, bench.row(Toscana).await.head);
}

/// What is posted to those who have just been verified.
async fn forget_challenges(bench: &Bench, who: Who) {
    for post in mail::waiting(bench.node(who), &Relay.id()).await.unwrap() {
        mail::settled(bench.node(who), post.item).await.unwrap();
    }
}

async fn mailbox_of(bench: &Bench, who: Who) -> Vec<Mail> {
    let store = &bench.node(who).store;
    let cursor = store.read().await.unwrap().mailbox_cursor(&Relay.id()).await.unwrap();
    let rows = read_mailbox(bench.node(Relay), &who.id(), cursor).await.unwrap();
    rows.into_iter().map(MailboxRow::mail).collect()
}

#[tokio::test]
async fn a_welcome_waits_for_its_tree_and_is_passed_over_when_there_is_none() {
    let check = async |twist, joined: bool| {
        let bench = Bench::agreed(Rows::Memory, Suite::Classical).await;
        found::create(bench.node(Toscana), ADMIN, EQUIPE).await.unwrap();
        for _ in 0..3 {
            bench.turn(Toscana).await.unwrap();
        }
        let link = Scripted::new(&bench, Umbria, &[twist]);
        let hub = Relay.id();
        let welcome = mailbox_of(&bench, Umbria).await.pop().unwrap();
        assert_eq!(welcome.kind, "welcome");
        let first = inbox::take(bench.node(Umbria), &link, &hub, &News::Mail(welcome)).await;
        assert_eq!(first.is_err(), joined, "{twist:?}");
        for mail in mailbox_of(&bench, Umbria).await {
            let item = News::Mail(mail);
            inbox::take(bench.node(Umbria), &link, &hub, &item).await.unwrap();
        }
        let equipes = bench.node(Umbria).store.read().await.unwrap().equipes().await.unwrap();
        assert_eq!(equipes.len(), usize::from(joined), "{twist:?}");
        assert!(mailbox_of(&bench, Umbria).await.is_empty());
        // Nothing brings it again: people must know.
        let told = doctor::doctor(bench.node(Umbria)).await.unwrap();
        let told = told.into_iter().find(|finding| finding.code == "welcome_refused");
        assert_eq!(told.is_none(), joined, "{twist:?}");
        let words = told.map(|finding| finding.message).unwrap_or_default();
        assert!(joined || words.contains("no tree for the Welcome (no_such_tree)"), "{words}");
    };
    check(Twist::LoseCall, true).await;
    check(Twist::Refuse("no_such_tree"), false).await;
}

#[tokio::test]
async fn a_welcome_that_cannot_be_read_is_told_where_one_is_awaited() {
    let bench = Bench::agreed(Rows::Memory, Suite::Classical).await;
    let (link, hub) = (Scripted::new(&bench, Umbria, &[]), Relay.id());
    let lineage = pacts::list(bench.node(Umbria)).await.unwrap()[0].row.lineage;
    let mail = Mail {
        sequence: 1_000,
        sender: hub.clone(),
        kind: "welcome".into(),
        payload: b"no Welcome".to_vec(),
    };
    let taken = inbox::take(bench.node(Umbria), &link, &hub, &News::Mail(mail)).await;
    assert_eq!(taken, Ok(Next::Confirm { group: None, count: 1 }));
    let alarms = bench.node(Umbria).store.read().await.unwrap().alarms(lineage).await.unwrap();
    let codes: Vec<_> = alarms.iter().map(|alarm| alarm.code).collect();
    assert_eq!(codes, [AlarmCode::WelcomeRefused]);
}

#[tokio::test]
async fn that_the_hub_serves_no_more_is_an_alarm_once() {
    let bench = Bench::ready().await;
    let group = bench.row(Umbria).await.group;
    let link = Scripted::new(&bench, Umbria, &[]);
    for _ in 0..2 {
        let item = News::Ended { group, reason: "trimmed".into() };
        let next = inbox::take(bench.node(Umbria), &link, &Relay.id(), &item).await;
        assert_eq!(next, Ok(Next::Leave(group)));
    }
    assert_eq!(bench.alarms(Umbria).await, ["hub_trimmed"]);
}

#[tokio::test]
async fn a_gap_asks_for_a_new_subscription() {
    let mut bench = Bench::ready().await;
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.send(Toscana).await.unwrap();
    bench.fetch(Toscana).await.unwrap();
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.send(Toscana).await.unwrap();
    let lineage = bench.lineage().await;
    let mut batch = bench.batch(Umbria, lineage).await.unwrap().unwrap();
    batch.entries.remove(0);
    {
        let link = Scripted::new(&bench, Umbria, &[]);
        let item = News::Entries(batch);
        let next = inbox::take(bench.node(Umbria), &link, &Relay.id(), &item).await;
        assert_eq!(next, Ok(Next::Resubscribe));
    }
    bench.run().await;
    bench.assert_agreement().await;
}

/// Nobody fills a log so that it cannot be put out: what waits behind messages for which there
/// is no room goes before them.
#[tokio::test]
async fn a_full_log_takes_changes() {
    let mut bench = Bench::ready().await;
    let limit = Decision::Limit { entries_per_minute_max: 0, stored_bytes_max: 1 };
    accept::decide(bench.node(Relay), ADMIN, EQUIPE, limit).await.unwrap();
    let shared = bench.share_samples(Toscana, Kind::Case, 1).await;
    let (lineage, before) = (bench.lineage().await, bench.row(Toscana).await.epoch);
    {
        let (node, link) = (bench.node(Toscana), Scripted::new(&bench, Toscana, &[]));
        let refused = outbox::step(node, &link, lineage).await.unwrap_err();
        assert_eq!(refused.reason(), "member_log_full");
        update_keys(node, ADMIN, EQUIPE).await.unwrap();
        let settled = outbox::step(node, &link, lineage).await.unwrap();
        assert_eq!(settled, outbox::Progress::Settled(1));
    }
    bench.fetch(Toscana).await.unwrap();
    assert_eq!(bench.row(Toscana).await.epoch, before.next());
    // Nothing is lost: with room it arrives.
    let limit = Decision::Limit { entries_per_minute_max: 0, stored_bytes_max: 1 << 30 };
    accept::decide(bench.node(Relay), ADMIN, EQUIPE, limit).await.unwrap();
    bench.run().await;
    bench.assert_arrived(Toscana, &shared).await;
    bench.assert_agreement().await;
}

/// A full mailbox of somebody else stops no other errand.
#[tokio::test]
async fn a_full_mailbox_stops_nothing_else() {
    let bench = Bench::acquainted(Rows::Memory).await;
    let relay = bench.node(Relay);
    for _ in 0..Quota::PostsToMailbox.count() {
        let item = ItemId(draw(&*relay.entropy));
        mailbox::post(relay, &Toscana.id(), &Umbria.id(), item, "pact", vec![1]).await.unwrap();
    }
    bench.sign_and_propose(Suite::Classical).await;
    let (node, link) = (bench.node(Toscana), Scripted::new(&bench, Toscana, &[]));
    let progress = errands::step(node, &link, &Relay.id()).await.unwrap();
    assert!(progress.waiting);
    // The post waits; the key packages that come after it have gone.
    assert_eq!(mail::waiting(node, &Relay.id()).await.unwrap().len(), 1);
    let mut tx = relay.store.read().await.unwrap();
    let pool = tx.pool(&Toscana.id(), Suite::Classical.number(), relay.clock.now()).await.unwrap();
    assert!(!pool.is_empty());
}
