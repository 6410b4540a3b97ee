//! The calls between a member and the hub: what courier and hub API do, without a network.

use std::sync::Mutex;

use raccordo_core::crypto::Suite;
use raccordo_core::hublog::{EntryKind, WelcomeItem};
use raccordo_core::id::{Digest, LineageId, NodeId};
use raccordo_core::invariant::ratchet::{self, Ratchets};
use raccordo_core::invariant::{Ciphertexts, Made};
use raccordo_core::ledger::LedgerScope;
use raccordo_node::app::fault::{Done, Fault, Whose};
use raccordo_node::app::found::{self, Step};
use raccordo_node::app::hub::append::{Appended, Handed, Outcome, append};
use raccordo_node::app::hub::read_log::{LogAfter, read_log};
use raccordo_node::app::hub::{found_group, key_package_pool, mailbox, offer};
use raccordo_node::app::receive::Batch;
use raccordo_node::app::receive_mail::{Taken, receive_mail, skip};
use raccordo_node::app::rejoin::request;
use raccordo_node::app::send::AppendCall;
use raccordo_node::app::work::open_ledger;
use raccordo_node::app::{Node, join, key_packages, mail, matching, pack, pacts, send};
use raccordo_node::store::equipe::EquipeRow;
use raccordo_node::store::hub::LogRow;

/// Calls after which one that still sends counts as stuck.
const CALLS_MAX: usize = 1000;

/// What the log has for a member after its cursor.
#[expect(clippy::large_enum_variant, reason = "made once for a batch, and never kept")]
pub enum Next {
    Batch(Batch),
    Nothing,
    /// The log is served to it no longer, and why.
    Ended(&'static str),
}

/// Everything that ever left a member: in which run of its process it was encrypted, and
/// with which key.
#[derive(Default)]
pub struct Sealed {
    ciphertexts: Ciphertexts,
    pub ratchets: Ratchets,
}

/// A member, the hub, and all that ever went from members to it.
pub struct Link<'a> {
    pub node: &'a Node,
    pub relay: &'a Node,
    pub sealed: &'a Mutex<Sealed>,
}

impl Link<'_> {
    fn me(&self) -> &NodeId {
        &self.node.identity.node
    }

    fn hub(&self) -> &NodeId {
        &self.relay.identity.node
    }

    /// Everything at the hub but mailbox and log; whether anything was to be done.
    pub async fn errands(&self) -> Done<bool> {
        let mut moved = self.post().await?;
        moved |= self.offer().await?;
        moved |= self.deposit().await?;
        for (lineage, group) in request::wanted(self.node, self.hub()).await? {
            let tree = key_package_pool::fetch_tree(self.relay, self.me(), group, None).await?;
            moved |= request::request(self.node, lineage, &tree).await?;
        }
        for (lineage, step) in found::steps(self.node, self.hub()).await? {
            moved |= self.found(lineage, step).await?;
        }
        Ok(moved)
    }

    /// Posts what waits for the hub.
    pub async fn post(&self) -> Done<bool> {
        let waiting = mail::waiting(self.node, self.hub()).await?;
        for post in &waiting {
            let payload = post.payload.clone();
            let (recipient, kind) = (&post.recipient, &post.kind);
            mailbox::post(self.relay, self.me(), recipient, post.item, kind, payload).await?;
            mail::settled(self.node, post.item).await?;
        }
        Ok(!waiting.is_empty())
    }

    async fn offer(&self) -> Done<bool> {
        let mut moved = false;
        for offered in mail::offers(self.node, self.hub()).await? {
            let lineage = offered.lineage();
            let before = pacts::named(self.node, &lineage.to_string()).await?.row.hub_answer;
            let answer = offer::offer(self.relay, self.me(), offered).await?;
            mail::answered(self.node, self.hub(), lineage, &answer).await?;
            moved |= before != answer;
        }
        Ok(moved)
    }

    async fn deposit(&self) -> Done<bool> {
        let (references, deposits): (Vec<_>, Vec<_>) =
            key_packages::to_deposit(self.node, self.hub()).await?.into_iter().unzip();
        if deposits.is_empty() {
            return Ok(false);
        }
        key_package_pool::deposit(self.relay, self.me(), deposits).await?;
        key_packages::deposited(self.node, &references).await?;
        Ok(true)
    }

    async fn found(&self, lineage: LineageId, step: Step) -> Done<bool> {
        let (node, relay, me) = (self.node, self.relay, self.me());
        match step {
            Step::Upload { group, group_info } => {
                found_group::found_group(relay, me, lineage, group, group_info).await?;
                found::uploaded(node, lineage).await?;
                Ok(true)
            }
            Step::Seed => panic!("there is one hub"),
            Step::Claim { parties, suite } => {
                let claimed = key_package_pool::claim(relay, me, lineage, suite, &parties).await?;
                let some = !claimed.key_packages.is_empty();
                if some {
                    found::invite(node, lineage, claimed.key_packages).await?;
                }
                Ok(some)
            }
        }
    }

    /// Takes what is in the member's mailbox.
    pub async fn read_mail(&self) -> Done<bool> {
        let (node, hub) = (self.node, self.hub());
        let cursor = node.store.read().await?.mailbox_cursor(hub).await?;
        let rows = mailbox::read_mailbox(self.relay, self.me(), cursor).await?;
        let mut moved = !rows.is_empty();
        for row in rows {
            let item = row.mail();
            if let Taken::Welcome(welcome) = receive_mail(node, hub, &item).await? {
                self.enter(item.sequence, &welcome).await?;
            }
        }
        if let Some((cursor, welcome)) = join::kept(node, hub).await? {
            self.enter(cursor, &welcome).await?;
            join::forget_kept(node, welcome.lineage).await?;
            moved = true;
        }
        Ok(moved)
    }

    async fn enter(&self, sequence: u64, welcome: &WelcomeItem) -> Done<()> {
        let (node, hub) = (self.node, self.hub());
        let (group, epoch) = (welcome.group, Some(welcome.epoch));
        let tree = key_package_pool::fetch_tree(self.relay, self.me(), group, epoch).await?;
        match join::join(node, hub, sequence, welcome, &tree).await {
            Err(fault) if fault.whose == Whose::Refused => {
                join::note_refused(node, hub, welcome, &fault).await?;
                skip(node, hub, sequence).await
            }
            entered => entered,
        }
    }

    /// Packs, appends and settles until there is nothing to send.
    pub async fn send(&self, lineage: LineageId) -> Done<bool> {
        while matching::tend(self.node, lineage).await? {}
        let mut moved = pack::pack(self.node, lineage).await? != pack::Packed::Nothing;
        for _ in 0..CALLS_MAX {
            if !self.append_once(lineage).await? {
                break;
            }
            moved = true;
        }
        Ok(moved)
    }

    /// One call to the hub, with its answer; whether there was anything to send.
    pub async fn append_once(&self, lineage: LineageId) -> Done<bool> {
        let Some(call) = send::next_call(self.node, lineage).await? else { return Ok(false) };
        let answer = self.append(lineage, call.clone()).await?;
        send::answered(self.node, lineage, &call, &answer).await?;
        Ok(true)
    }

    /// A call to the hub, of which is noted what is encrypted in it.
    pub async fn append(&self, lineage: LineageId, call: AppendCall) -> Done<Appended> {
        let made: Vec<Made> = call.entries.iter().map(made).collect();
        for made in &made {
            // A run also sends what an earlier one has encrypted.
            let row = self.node.store.read().await?.entry(lineage, made.entry).await?.unwrap();
            let mut sealed = self.sealed.lock().unwrap();
            sealed.ciphertexts.note_made(self.me(), row.boot, made).unwrap();
        }
        self.note_keys(lineage, &call.entries).await?;
        let answer = append(self.relay, self.me(), call.group, call.entries).await?;
        for (entry, outcome) in &answer.outcomes {
            let made = made.iter().find(|made| made.entry == *entry).unwrap();
            if matches!(outcome, Outcome::Placed { .. }) {
                let mut sealed = self.sealed.lock().unwrap();
                sealed.ciphertexts.note_placed(self.me(), made).unwrap();
            }
        }
        Ok(answer)
    }

    /// Reads with the sender's secrets which keys have sealed its messages of this epoch.
    async fn note_keys(&self, lineage: LineageId, entries: &[Handed]) -> Done<()> {
        let mut tx = self.node.store.read().await?;
        let row = tx.equipe(lineage).await?.unwrap();
        let ledger = open_ledger(self.node, &mut *tx, &LedgerScope::Group(row.group)).await?;
        let suite = Suite::from_number(row.suite).unwrap();
        let messages = entries.iter().filter(|entry| entry.kind == EntryKind::Application);
        for entry in messages.filter(|entry| entry.epoch == row.epoch) {
            let used = ratchet::used(&self.node.crypto, suite, &ledger, &entry.payload).unwrap();
            assert_eq!(used.epoch, entry.epoch);
            let mut sealed = self.sealed.lock().unwrap();
            sealed.ratchets.note(self.me(), used, &entry.payload).unwrap();
        }
        Ok(())
    }

    /// What stands in the log after the member's cursor.
    pub async fn next(&self, lineage: LineageId) -> Done<Next> {
        let row = self.node.store.read().await?.equipe(lineage).await?;
        let row: EquipeRow = row.ok_or_else(|| Fault::not_found("no_such_equipe", "the bench"))?;
        Ok(match read_log(self.relay, self.me(), row.group, row.sequence).await? {
            LogAfter::Batch(rows, checkpoint) => {
                let entries = rows.into_iter().map(LogRow::entry).collect();
                Next::Batch(Batch { group: row.group, entries, checkpoint })
            }
            LogAfter::Nothing => Next::Nothing,
            LogAfter::Ended(reason) => Next::Ended(reason),
        })
    }
}

/// An entry as the invariant about ciphertexts knows it.
fn made(handed: &Handed) -> Made {
    let Handed { entry, kind, epoch, payload, .. } = handed;
    Made { entry: *entry, kind: *kind, epoch: *epoch, payload: Digest::of(payload) }
}
