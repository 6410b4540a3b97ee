//! One équipe in memory: nodes and a hub over stored rows, and all that travelled.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::entropy::SeededEntropy;
use crate::hubgroup::HubGroup;
use crate::id::NodeId;
use crate::secret::Secret;

/// Stored rows by scope, kind and key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Disk(BTreeMap<(String, String, Vec<u8>), Vec<u8>>);

impl Disk {
    pub(crate) fn rows(&self, scope: LedgerScope) -> Vec<LedgerRow> {
        let scope = scope.to_string();
        let found = self.0.iter().filter(|((s, ..), _)| *s == scope);
        let row = |((_, kind, key), value): (&(String, String, Vec<u8>), &Vec<u8>)| LedgerRow {
            kind: kind.clone(),
            key: key.clone(),
            value: Secret::new(value.clone()),
        };
        found.map(row).collect()
    }

    pub(crate) fn write(&mut self, changes: Vec<LedgerChange>) -> usize {
        let count = changes.len();
        for change in changes {
            match change {
                LedgerChange::Put { scope, kind, key, value } => {
                    let address = (scope.to_string(), kind.to_owned(), key);
                    self.0.insert(address, value.reveal().clone());
                }
                LedgerChange::Delete { scope, kind, key } => {
                    let gone = self.0.remove(&(scope.to_string(), kind.to_owned(), key));
                    assert!(gone.is_some(), "a deleted row was there");
                }
            }
        }
        count
    }
}

/// A member, or one that will be.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) keys: LeafKeys,
    pub(crate) crypto: Arc<Crypto>,
    pub(crate) disk: Disk,
    pub(crate) id: GroupId,
}

impl Node {
    pub(crate) fn new(name: &str, run: &str, id: GroupId) -> Self {
        let entropy = Arc::new(SeededEntropy::labelled(&format!("{run}/{name}")));
        Self { keys: keys(name, 1), crypto: Crypto::new(entropy), disk: Disk::default(), id }
    }

    pub(crate) fn load(&self) -> Option<Session> {
        let rows = self.disk.rows(LedgerScope::Group(self.id));
        Session::load(&self.crypto, self.id, rows).unwrap()
    }

    /// One transaction: an error leaves the disk as it was.
    pub(crate) fn transact<T>(
        &mut self,
        work: impl FnOnce(&mut Session, &LeafKeys) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        let mut session = self.load().expect("a group");
        let out = work(&mut session, &self.keys)?;
        self.disk.write(session.take_changes()?);
        Ok(out)
    }

    pub(crate) fn key_package(&mut self, suite: Suite, last_resort: bool) -> Vec<u8> {
        let made = key_package(&self.crypto, &self.keys, suite, last_resort).unwrap();
        self.disk.write(made.changes);
        made.message
    }

    pub(crate) fn stage(&mut self, change: &Change) -> Staged {
        self.transact(|session, keys| session.stage(keys, change)).unwrap()
    }

    pub(crate) fn encrypt(&mut self, plaintext: &[u8]) -> Vec<u8> {
        self.transact(|session, keys| session.encrypt(keys, plaintext)).unwrap()
    }

    pub(crate) fn process(&mut self, entry: &[u8]) -> Result<Processed, SessionError> {
        self.transact(|session, _| session.process(entry, &|_, _| Ok(())))
    }

    pub(crate) fn facts(&self) -> Facts {
        self.load().expect("a group").facts().unwrap()
    }

    pub(crate) fn join(&mut self, welcome: &[u8], tree: &[u8]) -> Result<GroupView, SessionError> {
        let invitation = Invitation {
            group: self.id,
            welcome,
            tree,
            device_rows: self.disk.rows(LedgerScope::Device),
            group_rows: self.disk.rows(LedgerScope::Group(self.id)),
        };
        let mut joining =
            Session::join(&self.crypto, std::slice::from_ref(&self.keys), invitation)?;
        self.disk.write(joining.session.take_changes()?);
        Ok(joining.view)
    }
}

pub(crate) fn keys(name: &str, serial: u8) -> LeafKeys {
    let seed = crate::id::Digest::of(format!("{name}, key {serial}").as_bytes());
    let card = format!("card of {name}, serial {serial}").into_bytes();
    LeafKeys::new(name.parse().unwrap(), &Secret::new(seed.0), card)
}

/// The nodes that are or were in the group, and the hub's rows.
pub(crate) struct Lab {
    pub(crate) id: GroupId,
    pub(crate) nodes: BTreeMap<&'static str, Node>,
    pub(crate) hub: Disk,
    pub(crate) wire: Vec<Vec<u8>>,
    crypto: Arc<Crypto>,
    run: &'static str,
}

impl Lab {
    /// The first name founds, and adds the others in one commit with a second statement.
    pub(crate) fn found(suite: Suite, run: &'static str, names: &[&'static str]) -> Self {
        let id = GroupId([7; 32]);
        let crypto = Crypto::new(Arc::new(SeededEntropy::labelled(&format!("{run}/hub"))));
        let (nodes, hub, wire) = (BTreeMap::new(), Disk::default(), Vec::new());
        let mut lab = Self { id, nodes, hub, wire, crypto, run };
        names.iter().for_each(|name| lab.enrol(name));
        let founder = lab.node(names[0]);
        let founded = Session::found(&founder.crypto, &founder.keys, id, suite, b"statement 1");
        let (mut session, info) = founded.unwrap();
        founder.disk.write(session.take_changes().unwrap());
        let (mut group, _) = HubGroup::found(&lab.crypto, &info).unwrap();
        lab.hub.write(group.take_changes().unwrap());
        lab.wire.push(info);
        let add = names[1..].iter().map(|name| lab.node(name).key_package(suite, false)).collect();
        lab.commit(names[0], &Change { add, ..statement(b"statement 2") }, &names[1..]);
        lab
    }

    pub(crate) fn enrol(&mut self, name: &'static str) {
        self.nodes.insert(name, Node::new(name, self.run, self.id));
    }

    pub(crate) fn node(&mut self, name: &str) -> &mut Node {
        self.nodes.get_mut(name).expect("a node")
    }

    pub(crate) fn hub_group(&self) -> HubGroup {
        let rows = self.hub.rows(LedgerScope::Hub(self.id));
        HubGroup::load(&self.crypto, self.id, rows).unwrap().expect("a group")
    }

    pub(crate) fn append(
        &mut self,
        by: &str,
        staged: &Staged,
    ) -> Result<CommitView, HubGroupError> {
        let (sender, mut group): (NodeId, _) = (by.parse().unwrap(), self.hub_group());
        let applied =
            group.apply_commit(&sender, &staged.commit, &staged.group_info, &|_, _| Ok(()));
        assert_eq!(
            applied.is_ok(),
            group.take_changes().is_ok_and(|changes| { self.hub.write(changes) > 0 })
        );
        if applied.is_ok() {
            self.wire.push(staged.commit.clone());
            self.wire.push(staged.group_info.clone());
            self.wire.extend(staged.welcome.clone());
        }
        applied
    }

    /// Gives an entry to every active member but those named.
    pub(crate) fn deliver(&mut self, entry: &[u8], but: &[&str]) {
        for (name, node) in &mut self.nodes {
            let active = node.load().is_some_and(|session| session.facts().unwrap().active);
            if active && !but.contains(name) {
                node.process(entry).unwrap();
            }
        }
    }

    /// Stage, append, deliver, join, and agree.
    pub(crate) fn commit(&mut self, by: &str, change: &Change, joiners: &[&str]) -> CommitView {
        let staged = self.node(by).stage(change);
        let view = self.append(by, &staged).unwrap();
        self.deliver(&staged.commit, joiners);
        let tree = self.hub_group().tree().unwrap();
        for name in joiners {
            let welcome = staged.welcome.as_deref().expect("a Welcome");
            self.node(name).join(welcome, &tree).unwrap();
        }
        self.agree();
        view
    }

    pub(crate) fn send(&mut self, by: &str, plaintext: &[u8]) {
        let entry = self.node(by).encrypt(plaintext);
        assert_eq!(self.hub_group().check_message(&entry).unwrap().epoch, self.epoch());
        for name in self.members() {
            let got = self.node(&name).process(&entry).unwrap();
            match got {
                Processed::OwnMessage => assert_eq!(name, by),
                Processed::Message { from, plaintext: read, .. } => {
                    assert_eq!((from.as_str(), read.as_slice()), (by, plaintext));
                }
                other => panic!("{other:?}"),
            }
        }
        self.wire.push(entry);
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.hub_group().epoch()
    }

    pub(crate) fn members(&self) -> Vec<String> {
        let leaves = self.hub_group().view().unwrap().leaves;
        leaves.into_iter().map(|(_, leaf)| leaf.node.unwrap().to_string()).collect()
    }

    pub(crate) fn index(&self, name: &str) -> u32 {
        let mut leaves = self.hub_group().view().unwrap().leaves.into_iter();
        let found = leaves.find(|(_, leaf)| leaf.node.as_ref().is_some_and(|n| n.as_str() == name));
        found.expect("a member").0
    }

    /// Invariant 3: members and hub have one state.
    pub(crate) fn agree(&self) {
        let view = self.hub_group().view().unwrap();
        let facts: Vec<_> = self.members().iter().map(|n| self.nodes[n.as_str()].facts()).collect();
        for fact in &facts {
            assert_eq!(fact.view, view);
            assert_eq!(fact.authenticator, facts[0].authenticator);
        }
    }
}
