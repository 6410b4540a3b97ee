//! A group of three with its hub, in memory, and what any member or stranger may send it:
//! entries of the log, commits with a GroupInfo, commits that an own member makes of whatever
//! statement and card, Welcomes.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use raccordo_core::crypto::{Crypto, Suite};
use raccordo_core::hubgroup::HubGroup;
use raccordo_core::id::GroupId;
use raccordo_core::ledger::{LedgerChange, LedgerRow, LedgerScope};
use raccordo_core::secret::Secret;
use raccordo_core::session::{
    Change, Invitation, LeafKeys, Processed, Session, SessionError, key_package,
};
use raccordo_core::trust::commit::{CommitRefused, CommitView, GroupView};
use raccordo_core::trust::validator::validate;

use super::{choice, fixture};

/// Stored rows by scope, kind and key.
#[derive(Clone, Default)]
struct Disk(BTreeMap<(String, String, Vec<u8>), Vec<u8>>);

impl Disk {
    fn rows(&self, scope: LedgerScope) -> Vec<LedgerRow> {
        let scope = scope.to_string();
        let found = self.0.iter().filter(|((of, ..), _)| *of == scope);
        let row = |((_, kind, key), value): (&(String, String, Vec<u8>), &Vec<u8>)| LedgerRow {
            kind: kind.clone(),
            key: key.clone(),
            value: Secret::new(value.clone()),
        };
        found.map(row).collect()
    }

    fn write(&mut self, changes: Vec<LedgerChange>) {
        for change in changes {
            match change {
                LedgerChange::Put { scope, kind, key, value } => {
                    self.0
                        .insert((scope.to_string(), kind.to_owned(), key), value.reveal().clone());
                }
                LedgerChange::Delete { scope, kind, key } => {
                    self.0.remove(&(scope.to_string(), kind.to_owned(), key));
                }
            }
        }
    }
}

/// The rules of membership, as members and hub ask them.
fn rules(before: &GroupView, commit: &CommitView) -> Result<(), CommitRefused> {
    validate(before, commit).map(drop)
}

/// A member and what it has stored.
#[derive(Clone)]
struct Member {
    crypto: Arc<Crypto>,
    keys: LeafKeys,
    disk: Disk,
    group: GroupId,
}

impl Member {
    fn new(number: usize, group: GroupId) -> Self {
        let entropy = fixture::entropy(fixture::NODES[number]);
        let crypto = Crypto::new(Arc::new(entropy));
        Self { crypto, keys: fixture::leaf_keys(number), disk: Disk::default(), group }
    }

    fn load(&self) -> Session {
        let rows = self.disk.rows(LedgerScope::Group(self.group));
        Session::load(&self.crypto, self.group, rows).unwrap().unwrap()
    }

    fn keep(&mut self, session: &mut Session) {
        self.disk.write(session.take_changes().unwrap());
    }

    fn process(&mut self, entry: &[u8]) -> Result<Processed, SessionError> {
        let mut session = self.load();
        let processed = session.process(entry, &rules)?;
        self.keep(&mut session);
        Ok(processed)
    }

    fn join(&mut self, welcome: &[u8], tree: &[u8]) -> Result<GroupView, SessionError> {
        let invitation = Invitation {
            group: self.group,
            welcome,
            tree,
            device_rows: self.disk.rows(LedgerScope::Device),
            group_rows: Vec::new(),
        };
        let mut joining =
            Session::join(&self.crypto, std::slice::from_ref(&self.keys), invitation)?;
        self.keep(&mut joining.session);
        Ok(joining.view)
    }
}

/// The group in epoch 1: Toscana, which founded it, Lazio and Umbria; and what travelled.
pub struct Lab {
    members: [Member; 3],
    /// Lazio as it was before it joined.
    newcomer: Member,
    crypto: Arc<Crypto>,
    hub: Disk,
    group: GroupId,
    /// GroupInfo with tree of epoch 0.
    pub founding: Vec<u8>,
    /// The Welcome to epoch 1.
    pub welcome: Vec<u8>,
    /// The tree of epoch 1.
    pub tree: Vec<u8>,
    /// GroupInfo of epoch 1, without tree.
    pub info: Vec<u8>,
    /// An application message of Umbria in epoch 1.
    pub message: Vec<u8>,
    /// An update of Umbria in epoch 1.
    pub commit: Vec<u8>,
    /// The GroupInfo after it.
    pub commit_info: Vec<u8>,
    /// A key package of one who is no party.
    pub package: Vec<u8>,
}

impl Lab {
    pub fn found(suite: Suite) -> Self {
        let statement = fixture::founding();
        let group = statement.statement().group_id();
        let crypto = Crypto::new(Arc::new(fixture::entropy("hub")));
        let mut members = [0, 1, 2].map(|number| Member::new(number, group));
        let packages = [0, 2].map(|number: usize| {
            let member = &mut members[number];
            let made = key_package(&member.crypto, &member.keys, suite, false).unwrap();
            member.disk.write(made.changes);
            made.message
        });
        let newcomer = members[0].clone();
        let founder = &mut members[1];
        let founded =
            Session::found(&founder.crypto, &founder.keys, group, suite, &statement.encode());
        let (mut session, founding) = founded.unwrap();
        founder.keep(&mut session);
        let (mut at_hub, _) = HubGroup::found(&crypto, &founding).unwrap();
        let mut hub = Disk::default();
        hub.write(at_hub.take_changes().unwrap());
        let change = Change { add: packages.to_vec(), ..Change::default() };
        let added = session.stage(&founder.keys, &change).unwrap();
        founder.keep(&mut session);
        at_hub.apply_commit(&founder.keys.node, &added.commit, &added.group_info, &rules).unwrap();
        hub.write(at_hub.take_changes().unwrap());
        founder.process(&added.commit).unwrap();
        let (welcome, tree) = (added.welcome.unwrap(), at_hub.tree().unwrap());
        for number in [0, 2] {
            members[number].join(&welcome, &tree).unwrap();
        }
        let umbria = &members[2];
        let mut session = umbria.load();
        let message = session.encrypt(&umbria.keys, &[0; 1_024]).unwrap();
        let info = session.public_state(&umbria.keys).unwrap().group_info;
        let staged = session.stage(&umbria.keys, &Change::default()).unwrap();
        let stranger = Member::new(3, group);
        let package = key_package(&stranger.crypto, &stranger.keys, suite, true).unwrap().message;
        Self {
            members,
            newcomer,
            crypto,
            hub,
            group,
            founding,
            welcome,
            tree,
            info,
            message,
            commit: staged.commit,
            commit_info: staged.group_info,
            package,
        }
    }

    fn hub_group(&self) -> HubGroup {
        let rows = self.hub.rows(LedgerScope::Hub(self.group));
        HubGroup::load(&self.crypto, self.group, rows).unwrap().unwrap()
    }

    /// An entry of the log at Toscana.
    fn processed(&self, entry: &[u8]) -> bool {
        let mut toscana = self.members[1].clone();
        match toscana.process(entry) {
            Ok(_) => {
                let again = toscana.process(entry);
                assert!(again.is_err(), "no entry is taken twice");
                true
            }
            Err(error) => {
                assert!(!error.reason().is_empty());
                false
            }
        }
    }

    /// What Umbria appends at the hub.
    fn appended(&self, entry: &[u8], info: &[u8]) -> bool {
        let mut hub = self.hub_group();
        let before = hub.epoch();
        let checked = hub.check_message(entry).is_ok();
        let applied = hub.apply_commit(&fixture::node(2), entry, info, &rules).is_ok();
        assert!(!(checked && applied), "a message is no commit");
        assert_eq!(applied, hub.take_changes().is_ok(), "nothing is kept of what is refused");
        if applied {
            assert_eq!(hub.epoch(), before.next());
        }
        checked || applied
    }

    /// A commit that Umbria makes: members and hub decide alike.
    fn made(&self, change: &Change) -> bool {
        let umbria = &self.members[2];
        let Ok(staged) = umbria.load().stage(&umbria.keys, change) else { return false };
        let mut hub = self.hub_group();
        let at_hub =
            hub.apply_commit(&umbria.keys.node, &staged.commit, &staged.group_info, &rules);
        let at_member = self.members[1].clone().process(&staged.commit);
        assert_eq!(at_hub.is_ok(), at_member.is_ok(), "{at_hub:?} {at_member:?}");
        at_hub.is_ok()
    }

    fn joined(&self, welcome: &[u8], tree: &[u8]) -> bool {
        self.newcomer.clone().join(welcome, tree).is_ok()
    }
}

static LAB: LazyLock<Lab> = LazyLock::new(|| Lab::found(Suite::Classical));

/// A part whose length stands before it in two bytes, and the rest.
fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Flags; then, as they say, a leaf to remove, a statement and a card; the rest is data that
/// is authenticated with the commit.
fn change(bytes: &[u8]) -> Option<Change> {
    let (flags, mut rest) = bytes.split_first()?;
    let mut change = Change::default();
    if flags & 1 != 0 {
        let (index, more) = rest.split_first()?;
        change.remove = vec![u32::from(*index)];
        rest = more;
    }
    if flags & 2 != 0 {
        let (statement, more) = part(rest)?;
        change.statement = Some(statement.to_vec());
        rest = more;
    }
    if flags & 4 != 0 {
        let (card, more) = part(rest)?;
        let mut keys = fixture::leaf_keys(2);
        keys.card = card.to_vec();
        change.leaf = Some(keys);
        rest = more;
    }
    if flags & 8 != 0 {
        change.add = vec![LAB.package.clone()];
    }
    change.authenticated_data = rest.to_vec();
    Some(change)
}

/// A byte for what it is, then its bytes.
pub fn run(data: &[u8]) -> bool {
    let Some((kind, bytes)) = choice(data) else { return false };
    let both = || part(bytes).unwrap_or((bytes, &[]));
    match kind % 4 {
        0 => LAB.processed(bytes),
        1 => LAB.appended(both().0, both().1),
        2 => change(bytes).is_some_and(|change| LAB.made(&change)),
        _ => LAB.joined(both().0, both().1),
    }
}

pub fn examples() -> Vec<Vec<u8>> {
    let long = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes(), bytes].concat();
    let with = |kind: u8, parts: &[&[u8]]| [&[kind], parts.concat().as_slice()].concat();
    let before = fixture::statement();
    let next = fixture::signed(&fixture::next(before), 0..3).encode();
    let mut gone = fixture::next(before);
    gone.parties.remove(0);
    let gone = fixture::signed(&gone, 1..3).encode();
    let card = fixture::card(2).encode();
    vec![
        with(0, &[&LAB.message]),
        with(0, &[&LAB.commit]),
        with(1, &[&long(&LAB.message)]),
        with(1, &[&long(&LAB.commit), &LAB.commit_info]),
        with(2, &[&[0]]),
        with(2, &[&[2], &long(&next)]),
        with(2, &[&[4], &long(&card)]),
        with(2, &[&[3, 1], &long(&gone)]),
        with(3, &[&long(&LAB.welcome), &LAB.tree]),
    ]
}
