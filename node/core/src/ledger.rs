//! The in-memory ledger that OpenMLS runs on (DESIGN §5).
//!
//! Loaded from the rows of one group, or of the node's own key packages, or both; it
//! records puts and deletes, which the caller writes in the transaction that also holds
//! the application's rows, or drops. Values are secret and are sealed before they rest.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};
use serde::{Serialize, de::DeserializeOwned};

use crate::id::{GroupId, IdError};
use crate::secret::Secret;

const V: u16 = CURRENT_VERSION;

const JOIN_CONFIG: &str = "join_config";
const TREE: &str = "tree";
const TRANSCRIPT_HASH: &str = "transcript_hash";
const CONTEXT: &str = "context";
const CONFIRMATION_TAG: &str = "confirmation_tag";
const GROUP_STATE: &str = "group_state";
pub(crate) const MESSAGE_SECRETS: &str = "message_secrets";
const EPOCH_SECRETS: &str = "epoch_secrets";
const RESUMPTION_PSKS: &str = "resumption_psks";
const OWN_LEAF_INDEX: &str = "own_leaf_index";
const OWN_LEAF: &str = "own_leaf";
const PROPOSAL: &str = "proposal";
const EPOCH_KEY_PAIRS: &str = "epoch_key_pairs";
const SIGNATURE_KEY: &str = "signature_key";
const ENCRYPTION_KEY: &str = "encryption_key";
const KEY_PACKAGE: &str = "key_package";
const PSK: &str = "psk";

/// All kinds of rows, as they are stored.
const KINDS: [&str; 17] = [
    JOIN_CONFIG,
    TREE,
    TRANSCRIPT_HASH,
    CONTEXT,
    CONFIRMATION_TAG,
    GROUP_STATE,
    MESSAGE_SECRETS,
    EPOCH_SECRETS,
    RESUMPTION_PSKS,
    OWN_LEAF_INDEX,
    OWN_LEAF,
    PROPOSAL,
    EPOCH_KEY_PAIRS,
    SIGNATURE_KEY,
    ENCRYPTION_KEY,
    KEY_PACKAGE,
    PSK,
];

/// What a row belongs to; its text form is a column of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LedgerScope {
    /// The node's key packages: `device`.
    Device,
    /// A group in which this node is a member: `group/` and 64 hex digits.
    Group(GroupId),
    /// A group that this node keeps as hub: `hub/` and 64 hex digits.
    Hub(GroupId),
}

impl fmt::Display for LedgerScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device => f.write_str("device"),
            Self::Group(id) => write!(f, "group/{id}"),
            Self::Hub(id) => write!(f, "hub/{id}"),
        }
    }
}

impl FromStr for LedgerScope {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once('/') {
            None if text == "device" => Ok(Self::Device),
            Some(("group", id)) => id.parse().map(Self::Group),
            Some(("hub", id)) => id.parse().map(Self::Hub),
            _ => Err(IdError::Malformed("a ledger scope")),
        }
    }
}

/// One row as it was stored, unsealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// What kind of value it is.
    pub kind: String,
    /// Its key within scope and kind; empty where a scope has one value of the kind.
    pub key: Vec<u8>,
    /// The value, CBOR.
    pub value: Secret<Vec<u8>>,
}

/// One change to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerChange {
    /// A row is new or has another value.
    Put {
        /// What the row belongs to.
        scope: LedgerScope,
        /// What kind of value it is.
        kind: &'static str,
        /// Its key within scope and kind.
        key: Vec<u8>,
        /// The value, CBOR; to be sealed.
        value: Secret<Vec<u8>>,
    },
    /// A row is gone.
    Delete {
        /// What the row belonged to.
        scope: LedgerScope,
        /// What kind of value it was.
        kind: &'static str,
        /// Its key within scope and kind.
        key: Vec<u8>,
    },
}

/// What is wrong with the stored rows, or with a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The store holds a row of a kind that this version does not know.
    #[error("the ledger holds a row of the unknown kind {0:?}")]
    UnknownKind(String),
    /// A stored value does not decode.
    #[error("the ledger's row {0} does not decode")]
    Undecodable(&'static str),
    /// Ourselves: a value does not encode.
    #[error("a value of the kind {0} does not encode")]
    Unencodable(&'static str),
    /// Ourselves: a call named a group other than the ledger's.
    #[error("the ledger is of another group")]
    OtherGroup,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Device,
    Group,
}

type Address = (Place, &'static str, Vec<u8>);
type Value = Secret<Vec<u8>>;
type Done = Result<(), LedgerError>;

#[derive(Default)]
struct State {
    rows: BTreeMap<Address, Value>,
    /// For each address touched since the last take: what stood there before.
    before: BTreeMap<Address, Option<Value>>,
    defer_secrets: bool,
    secrets_deferred: bool,
}

impl State {
    fn put(&mut self, address: Address, bytes: Vec<u8>) {
        let old = self.rows.insert(address.clone(), Secret::new(bytes));
        self.before.entry(address).or_insert(old);
    }

    fn delete(&mut self, address: Address) {
        if let Some(old) = self.rows.remove(&address) {
            self.before.entry(address).or_insert(Some(old));
        }
    }

    fn delete_where(&mut self, chosen: impl Fn(&Address) -> bool) {
        let addresses: Vec<_> = self.rows.keys().filter(|a| chosen(a)).cloned().collect();
        addresses.into_iter().for_each(|address| self.delete(address));
    }
}

/// An ordered map of rows that knows what has changed; OpenMLS's storage.
pub struct Ledger {
    /// The group's scope; `Device` where there is no group.
    scope: LedgerScope,
    /// The group id as OpenMLS encodes it, to tell calls for another group.
    group: Option<Vec<u8>>,
    state: Mutex<State>,
}

/// Shows the scope and nothing of the values.
impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ledger({})", self.scope)
    }
}

impl Ledger {
    /// A ledger over the rows of one scope.
    ///
    /// # Errors
    /// [`LedgerError::UnknownKind`].
    pub fn from_rows(
        scope: LedgerScope,
        rows: impl IntoIterator<Item = LedgerRow>,
    ) -> Result<Self, LedgerError> {
        let id = match scope {
            LedgerScope::Device => None,
            LedgerScope::Group(id) | LedgerScope::Hub(id) => Some(id),
        };
        let group = id.map(|id| openmls::group::GroupId::from_slice(id.as_bytes()));
        let group = group.map(|id| encode("group", &id)).transpose()?;
        let place = if group.is_some() { Place::Group } else { Place::Device };
        let ledger = Self { scope, group, state: Mutex::default() };
        ledger.load(place, rows)?;
        Ok(ledger)
    }

    /// The same, with the node's key packages beside the group.
    ///
    /// # Errors
    /// [`LedgerError::UnknownKind`].
    pub fn with_device(
        self,
        rows: impl IntoIterator<Item = LedgerRow>,
    ) -> Result<Self, LedgerError> {
        self.load(Place::Device, rows)?;
        Ok(self)
    }

    /// The changes since the last call, in the order of their addresses. A value that is
    /// again what it was is no change.
    pub fn take_changes(&self) -> Vec<LedgerChange> {
        let mut state = self.state();
        let before = std::mem::take(&mut state.before);
        let mut changes = Vec::new();
        for ((place, kind, key), old) in before {
            let scope = if place == Place::Device { LedgerScope::Device } else { self.scope };
            let address = (place, kind, key);
            match (old, state.rows.get(&address)) {
                (Some(old), Some(new)) if old == *new => {}
                (None, None) => {}
                (_, Some(new)) => {
                    let (value, (_, kind, key)) = (new.clone(), address);
                    changes.push(LedgerChange::Put { scope, kind, key, value });
                }
                (Some(_), None) => {
                    changes.push(LedgerChange::Delete { scope, kind, key: address.2 });
                }
            }
        }
        changes
    }

    /// The key packages among the rows of the scope `device`, with the change that deletes
    /// each.
    pub(crate) fn key_packages<T: DeserializeOwned>(
        rows: impl IntoIterator<Item = LedgerRow>,
    ) -> Result<Vec<(T, LedgerChange)>, LedgerError> {
        let of_kind = rows.into_iter().filter(|row| row.kind == KEY_PACKAGE);
        let read = |LedgerRow { key, value, .. }: LedgerRow| {
            let deletion =
                LedgerChange::Delete { scope: LedgerScope::Device, kind: KEY_PACKAGE, key };
            Ok((decode(KEY_PACKAGE, &value)?, deletion))
        };
        of_kind.map(read).collect()
    }

    /// Whether message secrets, rewritten by every message, are left out until they are
    /// written once for a batch. Between, the rows are behind the live group.
    pub(crate) fn defer_secrets(&self, defer: bool) {
        self.state().defer_secrets = defer;
    }

    /// Whether message secrets were left out and not written since.
    pub(crate) fn secrets_deferred(&self) -> bool {
        self.state().secrets_deferred
    }

    /// Deletes all rows of the group, before another state of it takes their place.
    pub(crate) fn clear_group(&self) {
        self.state().delete_where(|address| address.0 == Place::Group);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole after each call: nothing in between can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load(&self, place: Place, rows: impl IntoIterator<Item = LedgerRow>) -> Done {
        let mut state = self.state();
        for LedgerRow { kind, key, value } in rows {
            let known = KINDS.iter().find(|known| **known == kind);
            let kind = known.copied().ok_or(LedgerError::UnknownKind(kind))?;
            state.rows.insert((place, kind, key), value);
        }
        Ok(())
    }

    fn check_group(&self, group: &impl Serialize) -> Done {
        let same = self.group.as_ref() == Some(&encode("group", group)?);
        if same { Ok(()) } else { Err(LedgerError::OtherGroup) }
    }

    fn put(&self, address: Address, value: &impl Serialize) -> Done {
        let mut state = self.state();
        if address.1 == MESSAGE_SECRETS {
            state.secrets_deferred = state.defer_secrets;
            if state.defer_secrets {
                return Ok(());
            }
        }
        let bytes = encode(address.1, value)?;
        state.put(address, bytes);
        Ok(())
    }

    fn read<T: DeserializeOwned>(&self, address: &Address) -> Result<Option<T>, LedgerError> {
        let state = self.state();
        state.rows.get(address).map(|bytes| decode(address.1, bytes)).transpose()
    }

    fn list<T: DeserializeOwned>(&self, kind: &'static str) -> Result<Vec<T>, LedgerError> {
        let state = self.state();
        let found = state.rows.iter().filter(|(a, _)| a.0 == Place::Group && a.1 == kind);
        found.map(|(_, bytes)| decode(kind, bytes)).collect()
    }

    fn delete_kind(&self, group: &impl Serialize, kind: &'static str) -> Done {
        self.check_group(group)?;
        self.state().delete_where(|address| address.0 == Place::Group && address.1 == kind);
        Ok(())
    }

    fn of_group(
        &self,
        group: &impl Serialize,
        kind: &'static str,
        key: Vec<u8>,
    ) -> Result<Address, LedgerError> {
        self.check_group(group)?;
        Ok((Place::Group, kind, key))
    }
}

fn encode(kind: &'static str, value: &impl Serialize) -> Result<Vec<u8>, LedgerError> {
    let mut out = Vec::new();
    ciborium::into_writer(value, &mut out).map_err(|_| LedgerError::Unencodable(kind))?;
    Ok(out)
}

fn decode<T: DeserializeOwned>(kind: &'static str, bytes: &Value) -> Result<T, LedgerError> {
    ciborium::from_reader(bytes.reveal().as_slice()).map_err(|_| LedgerError::Undecodable(kind))
}

fn of_device(kind: &'static str, key: &impl Serialize) -> Result<Address, LedgerError> {
    Ok((Place::Device, kind, encode(kind, key)?))
}

/// One value per group: write, read, delete.
macro_rules! group_value {
    ($kind:ident, $Value:ident: $write:ident, $read:ident, $delete:ident) => {
        fn $write<G: traits::GroupId<V>, T: traits::$Value<V>>(&self, g: &G, v: &T) -> Done {
            self.put(self.of_group(g, $kind, Vec::new())?, v)
        }

        fn $read<G: traits::GroupId<V>, T: traits::$Value<V>>(
            &self,
            g: &G,
        ) -> Result<Option<T>, LedgerError> {
            self.read(&self.of_group(g, $kind, Vec::new())?)
        }

        fn $delete<G: traits::GroupId<V>>(&self, g: &G) -> Done {
            let address = self.of_group(g, $kind, Vec::new())?;
            self.state().delete(address);
            Ok(())
        }
    };
}

/// Rows of the node itself, outside any group: write, delete.
macro_rules! device_value {
    ($kind:ident, $Key:ident, $Value:ident: $write:ident, $delete:ident) => {
        fn $write<K: traits::$Key<V>, T: traits::$Value<V>>(&self, k: &K, v: &T) -> Done {
            self.put(of_device($kind, k)?, v)
        }

        fn $delete<K: traits::$Key<V>>(&self, k: &K) -> Done {
            let address = of_device($kind, k)?;
            self.state().delete(address);
            Ok(())
        }
    };
}

impl StorageProvider<V> for Ledger {
    type Error = LedgerError;

    group_value!(JOIN_CONFIG, MlsGroupJoinConfig: write_mls_join_config, mls_group_join_config, delete_group_config);
    group_value!(TREE, TreeSync: write_tree, tree, delete_tree);
    group_value!(TRANSCRIPT_HASH, InterimTranscriptHash: write_interim_transcript_hash, interim_transcript_hash, delete_interim_transcript_hash);
    group_value!(CONTEXT, GroupContext: write_context, group_context, delete_context);
    group_value!(CONFIRMATION_TAG, ConfirmationTag: write_confirmation_tag, confirmation_tag, delete_confirmation_tag);
    group_value!(MESSAGE_SECRETS, MessageSecrets: write_message_secrets, message_secrets, delete_message_secrets);
    group_value!(RESUMPTION_PSKS, ResumptionPskStore: write_resumption_psk_store, resumption_psk_store, delete_all_resumption_psk_secrets);
    group_value!(OWN_LEAF_INDEX, LeafNodeIndex: write_own_leaf_index, own_leaf_index, delete_own_leaf_index);
    group_value!(EPOCH_SECRETS, GroupEpochSecrets: write_group_epoch_secrets, group_epoch_secrets, delete_group_epoch_secrets);

    device_value!(SIGNATURE_KEY, SignaturePublicKey, SignatureKeyPair: write_signature_key_pair, delete_signature_key_pair);
    device_value!(ENCRYPTION_KEY, EncryptionKey, HpkeKeyPair: write_encryption_key_pair, delete_encryption_key_pair);
    device_value!(KEY_PACKAGE, HashReference, KeyPackage: write_key_package, delete_key_package);
    device_value!(PSK, PskId, PskBundle: write_psk, delete_psk);

    fn write_group_state<T: traits::GroupState<V>, G: traits::GroupId<V>>(
        &self,
        g: &G,
        v: &T,
    ) -> Done {
        self.put(self.of_group(g, GROUP_STATE, Vec::new())?, v)
    }

    fn group_state<T: traits::GroupState<V>, G: traits::GroupId<V>>(
        &self,
        g: &G,
    ) -> Result<Option<T>, LedgerError> {
        self.read(&self.of_group(g, GROUP_STATE, Vec::new())?)
    }

    fn delete_group_state<G: traits::GroupId<V>>(&self, g: &G) -> Done {
        let address = self.of_group(g, GROUP_STATE, Vec::new())?;
        self.state().delete(address);
        Ok(())
    }

    fn append_own_leaf_node<G: traits::GroupId<V>, T: traits::LeafNode<V>>(
        &self,
        g: &G,
        v: &T,
    ) -> Done {
        let mine = |address: &&Address| address.1 == OWN_LEAF;
        let next = self.state().rows.keys().filter(mine).count() as u64;
        self.put(self.of_group(g, OWN_LEAF, next.to_be_bytes().to_vec())?, v)
    }

    fn own_leaf_nodes<G: traits::GroupId<V>, T: traits::LeafNode<V>>(
        &self,
        g: &G,
    ) -> Result<Vec<T>, LedgerError> {
        self.check_group(g)?;
        self.list(OWN_LEAF)
    }

    fn delete_own_leaf_nodes<G: traits::GroupId<V>>(&self, g: &G) -> Done {
        self.delete_kind(g, OWN_LEAF)
    }

    fn queue_proposal<
        G: traits::GroupId<V>,
        R: traits::ProposalRef<V>,
        P: traits::QueuedProposal<V>,
    >(
        &self,
        g: &G,
        r: &R,
        p: &P,
    ) -> Done {
        self.put(self.of_group(g, PROPOSAL, encode(PROPOSAL, r)?)?, &(r, p))
    }

    fn queued_proposals<
        G: traits::GroupId<V>,
        R: traits::ProposalRef<V>,
        P: traits::QueuedProposal<V>,
    >(
        &self,
        g: &G,
    ) -> Result<Vec<(R, P)>, LedgerError> {
        self.check_group(g)?;
        self.list(PROPOSAL)
    }

    fn queued_proposal_refs<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        g: &G,
    ) -> Result<Vec<R>, LedgerError> {
        self.check_group(g)?;
        let state = self.state();
        let found = state.rows.keys().filter(|a| a.0 == Place::Group && a.1 == PROPOSAL);
        let decoded = found.map(|a| ciborium::from_reader(a.2.as_slice()));
        decoded.map(|r| r.map_err(|_| LedgerError::Undecodable(PROPOSAL))).collect()
    }

    fn remove_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        g: &G,
        r: &R,
    ) -> Done {
        let address = self.of_group(g, PROPOSAL, encode(PROPOSAL, r)?)?;
        self.state().delete(address);
        Ok(())
    }

    fn clear_proposal_queue<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        g: &G,
    ) -> Done {
        self.delete_kind(g, PROPOSAL)
    }

    fn write_encryption_epoch_key_pairs<
        G: traits::GroupId<V>,
        E: traits::EpochKey<V>,
        T: traits::HpkeKeyPair<V>,
    >(
        &self,
        g: &G,
        epoch: &E,
        leaf: u32,
        pairs: &[T],
    ) -> Done {
        let key = encode(EPOCH_KEY_PAIRS, &(epoch, leaf))?;
        self.put(self.of_group(g, EPOCH_KEY_PAIRS, key)?, &pairs)
    }

    fn encryption_epoch_key_pairs<
        G: traits::GroupId<V>,
        E: traits::EpochKey<V>,
        T: traits::HpkeKeyPair<V>,
    >(
        &self,
        g: &G,
        epoch: &E,
        leaf: u32,
    ) -> Result<Vec<T>, LedgerError> {
        let key = encode(EPOCH_KEY_PAIRS, &(epoch, leaf))?;
        let found = self.read(&self.of_group(g, EPOCH_KEY_PAIRS, key)?)?;
        Ok(found.unwrap_or_default())
    }

    fn delete_encryption_epoch_key_pairs<G: traits::GroupId<V>, E: traits::EpochKey<V>>(
        &self,
        g: &G,
        epoch: &E,
        leaf: u32,
    ) -> Done {
        let key = encode(EPOCH_KEY_PAIRS, &(epoch, leaf))?;
        let address = self.of_group(g, EPOCH_KEY_PAIRS, key)?;
        self.state().delete(address);
        Ok(())
    }

    fn signature_key_pair<K: traits::SignaturePublicKey<V>, T: traits::SignatureKeyPair<V>>(
        &self,
        k: &K,
    ) -> Result<Option<T>, LedgerError> {
        self.read(&of_device(SIGNATURE_KEY, k)?)
    }

    fn encryption_key_pair<T: traits::HpkeKeyPair<V>, K: traits::EncryptionKey<V>>(
        &self,
        k: &K,
    ) -> Result<Option<T>, LedgerError> {
        self.read(&of_device(ENCRYPTION_KEY, k)?)
    }

    fn key_package<K: traits::HashReference<V>, T: traits::KeyPackage<V>>(
        &self,
        k: &K,
    ) -> Result<Option<T>, LedgerError> {
        self.read(&of_device(KEY_PACKAGE, k)?)
    }

    fn psk<T: traits::PskBundle<V>, K: traits::PskId<V>>(
        &self,
        k: &K,
    ) -> Result<Option<T>, LedgerError> {
        self.read(&of_device(PSK, k)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: LedgerScope = LedgerScope::Group(GroupId([7; 32]));

    fn row(kind: &str, value: u8) -> LedgerRow {
        LedgerRow { kind: kind.into(), key: Vec::new(), value: Secret::new(vec![value]) }
    }

    fn ledger() -> Ledger {
        Ledger::from_rows(GROUP, [row("tree", 1)]).unwrap()
    }

    fn tree() -> Address {
        (Place::Group, TREE, Vec::new())
    }

    #[test]
    fn scopes_read_what_they_write() {
        for scope in [LedgerScope::Device, GROUP, LedgerScope::Hub(GroupId([9; 32]))] {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
        for text in ["", "group", "group/07", "devices", "other/07", "device/"] {
            assert!(text.parse::<LedgerScope>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_put_is_one_change_and_is_taken_once() {
        let ledger = ledger();
        ledger.put(tree(), &2_u8).unwrap();
        ledger.put(tree(), &3_u8).unwrap();
        let value = Secret::new(vec![3]);
        let change = LedgerChange::Put { scope: GROUP, kind: TREE, key: Vec::new(), value };
        assert_eq!(ledger.take_changes(), [change]);
        assert_eq!(ledger.take_changes(), []);
    }

    #[test]
    fn what_is_again_as_before_is_no_change() {
        let ledger = ledger();
        ledger.put(tree(), &2_u8).unwrap();
        ledger.put(tree(), &1_u8).unwrap();
        let passing = (Place::Group, CONTEXT, Vec::new());
        ledger.put(passing.clone(), &1_u8).unwrap();
        ledger.state().delete(passing);
        assert_eq!(ledger.take_changes(), []);
    }

    #[test]
    fn a_delete_is_a_change_only_where_something_was() {
        let ledger = ledger();
        ledger.state().delete(tree());
        ledger.state().delete((Place::Group, CONTEXT, Vec::new()));
        let gone = LedgerChange::Delete { scope: GROUP, kind: TREE, key: Vec::new() };
        assert_eq!(ledger.take_changes(), [gone]);
    }

    #[test]
    fn another_group_is_refused() {
        let other = openmls::group::GroupId::from_slice(&[8; 32]);
        assert_eq!(ledger().check_group(&other), Err(LedgerError::OtherGroup));
        let own = openmls::group::GroupId::from_slice(&[7; 32]);
        assert_eq!(ledger().check_group(&own), Ok(()));
    }

    #[test]
    fn an_unknown_kind_is_told() {
        let loaded = Ledger::from_rows(GROUP, [row("tree", 1), row("trie", 1)]);
        assert_eq!(loaded.err(), Some(LedgerError::UnknownKind("trie".into())));
    }

    #[test]
    fn debug_shows_no_value() {
        let row = LedgerRow { value: Secret::new(b"private".to_vec()), ..row("tree", 1) };
        assert!(!format!("{row:?}").contains("112"));
        assert!(format!("{row:?}").contains("[secret]"));
    }
}
