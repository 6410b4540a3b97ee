//! The membership statement: who is in an équipe, and under which signatures.

use std::collections::{BTreeMap, BTreeSet};

use crate::canonical::{CanonicalError, Reader, Writer};
use crate::id::{Digest, GroupId, LineageId, NodeId, Sequence};
use crate::text::is_line;
use crate::trust::card::is_endpoint;
use crate::trust::key_check;
use crate::trust::keys::{IdentityKey, PublicKey, Signature};

/// The rules of membership that this program knows.
pub const RULES_VERSION: u64 = 1;
/// The most parties of one équipe.
pub const PARTIES_MAX: usize = 1_000;
/// The longest name of an équipe, in bytes.
pub const EQUIPE_NAME_BYTES_MAX: usize = 100;

/// Why a statement is refused: the fault of who made or signed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// The bytes are no statement.
    #[error("not a statement: {0}")]
    Malformed(#[from] CanonicalError),
    /// A field is out of its range.
    #[error("the statement's {0} is out of range")]
    Range(&'static str),
    /// The signer is no party, neither before nor after.
    #[error("{0} is no party of the statement")]
    NotAParty(NodeId),
    /// A signature is not by the identity key of its party.
    #[error("the signature of {0} does not verify")]
    Signature(NodeId),
}

/// One party of an équipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The node.
    pub node: NodeId,
    /// Its identity key.
    pub identity: PublicKey,
    /// The lowest card serial that is accepted of it, from 1.
    pub card_floor: u64,
    /// Who suspended it, when it is suspended.
    pub suspended_by: Option<NodeId>,
    /// Whether the others ratified the suspension; false for an unsuspended party.
    pub ratified: bool,
}

/// Where an équipe's log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubTerm {
    /// Node id of the hub, a party or none.
    pub hub: NodeId,
    /// The hub's identity key, which signs checkpoints.
    pub identity: PublicKey,
    /// `host:port`.
    pub endpoint: String,
    /// Number of the term, from 1.
    pub term: u64,
    /// The first sequence of the term; 0 in a planned term, which begins after the commit
    /// that carries the statement.
    pub first_sequence: Sequence,
    /// Head of the log before it; [`Digest::ZERO`] in the first term and in a planned one.
    pub head_before: Digest,
}

impl HubTerm {
    /// Whether the hub before it hands the log over: that hub's last entry is the commit
    /// that carries the statement.
    pub fn is_planned(&self) -> bool {
        self.first_sequence == Sequence(0)
    }

    /// Place and head of the last entry of the term before, where the statement names them.
    pub fn end_before(&self) -> Option<(Sequence, Digest)> {
        let last = self.first_sequence.0.checked_sub(1)?;
        Some((Sequence(last), self.head_before))
    }
}

/// What the parties sign about their membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The équipe.
    pub lineage: LineageId,
    /// From 1, one more with every statement.
    pub version: u64,
    /// SHA-256 of the previous statement's canonical bytes; zero for the first.
    pub previous: Digest,
    /// SHA-256 of the pact's canonical bytes.
    pub pact: Digest,
    /// By node id, ascending.
    pub parties: Vec<Party>,
    /// The party that founds groups and adds members.
    pub chair: NodeId,
    /// Where the log is kept.
    pub hub: HubTerm,
    /// After this many milliseconds the hub may trim entries that nobody confirmed.
    pub age_limit_ms: u64,
    /// Which rules the validator applies.
    pub rules_version: u64,
    /// The équipe's name, one line.
    pub equipe_name: String,
    /// The group after whose last entry the équipe goes on in a new one, which is founded
    /// with this statement; none for every other statement.
    pub succeeds: Option<GroupId>,
}

impl Statement {
    /// The party of this node.
    pub fn party(&self, node: &NodeId) -> Option<&Party> {
        let place = self.parties.binary_search_by(|party| party.node.cmp(node)).ok()?;
        self.parties.get(place)
    }

    /// The parties that may have a leaf.
    pub fn unsuspended(&self) -> impl Iterator<Item = &Party> {
        self.parties.iter().filter(|party| party.suspended_by.is_none())
    }

    /// Whether this node may have a leaf.
    pub fn may_have_leaf(&self, node: &NodeId) -> bool {
        self.party(node).is_some_and(|party| party.suspended_by.is_none())
    }

    /// SHA-256 of the canonical bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.canonical())
    }

    /// Id of the group founded with this statement: SHA-256 of canonical `group`. Of a
    /// successor the statement names the group before it, and that one's last entry and head.
    pub fn group_id(&self) -> GroupId {
        let writer = Writer::new("group").bytes(self.lineage.as_bytes());
        GroupId(writer.bytes(self.digest().as_bytes()).digest().0)
    }

    /// The canonical bytes, type `statement`.
    pub fn canonical(&self) -> Vec<u8> {
        let writer = Writer::new("statement")
            .bytes(self.lineage.as_bytes())
            .integer(self.version)
            .bytes(self.previous.as_bytes())
            .bytes(self.pact.as_bytes())
            .list(self.parties.iter().map(Party::record))
            .text(self.chair.as_str())
            .bytes(&self.hub.record())
            .integer(self.age_limit_ms)
            .integer(self.rules_version)
            .text(&self.equipe_name);
        match &self.succeeds {
            Some(group) => writer.bytes(group.as_bytes()).finish(),
            None => writer.finish(),
        }
    }

    /// Reads canonical bytes, and checks all ranges.
    ///
    /// # Errors
    /// [`StatementError::Malformed`] or [`StatementError::Range`].
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        let mut reader = Reader::new("statement", bytes)?;
        let statement = Self {
            lineage: LineageId(reader.array("lineage")?),
            version: reader.integer("version")?,
            previous: Digest(reader.array("previous statement")?),
            pact: Digest(reader.array("pact")?),
            parties: reader
                .list("parties")?
                .into_iter()
                .map(Party::read)
                .collect::<Result<_, _>>()?,
            chair: node(&mut reader, "chair")?,
            hub: HubTerm::read(reader.bytes("hub term")?)?,
            age_limit_ms: reader.integer("age limit")?,
            rules_version: reader.integer("rules version")?,
            equipe_name: reader.text("équipe name")?.to_owned(),
            succeeds: match reader.is_at_end() {
                true => None,
                false => Some(GroupId(reader.array("group before")?)),
            },
        };
        reader.end()?;
        statement.check()?;
        Ok(statement)
    }

    /// Checks everything that one statement shows by itself.
    ///
    /// # Errors
    /// [`StatementError::Range`].
    pub fn check(&self) -> Result<(), StatementError> {
        let ranges = [
            (self.version >= 1, "version"),
            ((self.version == 1) == (self.previous == Digest::ZERO), "previous statement"),
            ((1..=PARTIES_MAX).contains(&self.parties.len()), "number of parties"),
            (self.parties.is_sorted_by(|a, b| a.node < b.node), "order of parties"),
            (self.identities_unique(), "identity keys"),
            (self.parties.iter().all(Party::is_consistent), "suspensions"),
            (self.one_open_suspension_each(), "suspensions"),
            (self.party(&self.chair).is_some(), "chair"),
            (self.hub.is_consistent(), "hub term"),
            (self.hub_key_is_its_own(), "hub's identity key"),
            (self.age_limit_ms >= 1, "age limit"),
            (self.rules_version >= 1, "rules version"),
            (is_line(&self.equipe_name, EQUIPE_NAME_BYTES_MAX), "équipe name"),
            (self.succeeds.is_none() || self.may_succeed(), "group before"),
        ];
        let broken = ranges.into_iter().find(|(holds, _)| !holds);
        broken.map_or(Ok(()), |(_, field)| Err(StatementError::Range(field)))
    }

    /// Checks what a founding statement has beyond every other: two parties, none
    /// suspended, keys that are none of those that anybody could use, and the first hub term
    /// from the log's beginning.
    ///
    /// # Errors
    /// [`StatementError::Range`].
    pub fn check_founding(&self) -> Result<(), StatementError> {
        let hub = (self.hub.term, self.hub.first_sequence, self.hub.head_before);
        let ranges = [
            (self.version == 1, "version"),
            (self.parties.len() >= 2, "number of parties"),
            (self.unsuspended().count() == self.parties.len(), "suspensions"),
            (hub == (1, Sequence(1), Digest::ZERO), "hub term"),
            (self.parties.iter().all(|party| is_good(&party.identity)), "identity keys"),
            (is_good(&self.hub.identity), "hub's identity key"),
        ];
        let broken = ranges.into_iter().find(|(holds, _)| !holds);
        broken.map_or(Ok(()), |(_, field)| Err(StatementError::Range(field)))
    }

    /// A successor begins a hub term at a place that the statement names, among at least two.
    fn may_succeed(&self) -> bool {
        self.hub.term > 1 && !self.hub.is_planned() && self.unsuspended().count() >= 2
    }

    fn identities_unique(&self) -> bool {
        let keys: BTreeSet<_> = self.parties.iter().map(|party| party.identity).collect();
        keys.len() == self.parties.len()
    }

    /// A hub that is a party has that party's key, and no other hub has the key of a party.
    fn hub_key_is_its_own(&self) -> bool {
        let same =
            |party: &Party| (party.node == self.hub.hub) == (party.identity == self.hub.identity);
        self.parties.iter().all(same)
    }

    fn one_open_suspension_each(&self) -> bool {
        let mut open = self.parties.iter().filter(|party| !party.ratified);
        let mut seen = BTreeSet::new();
        open.all(|party| party.suspended_by.as_ref().is_none_or(|by| seen.insert(by)))
    }
}

fn is_good(key: &PublicKey) -> bool {
    key_check::ed25519(&key.0).is_ok()
}

impl Party {
    fn record(&self) -> Vec<u8> {
        Writer::record()
            .text(self.node.as_str())
            .bytes(self.identity.as_bytes())
            .integer(self.card_floor)
            .text(self.suspended_by.as_ref().map_or("", NodeId::as_str))
            .boolean(self.ratified)
            .finish()
    }

    fn read(bytes: &[u8]) -> Result<Self, StatementError> {
        let mut reader = Reader::record(bytes);
        let party = Self {
            node: node(&mut reader, "party")?,
            identity: PublicKey(reader.array("identity key")?),
            card_floor: reader.integer("card floor")?,
            suspended_by: match reader.text("suspended by")? {
                "" => None,
                text => Some(text.parse().map_err(|_| StatementError::Range("suspended by"))?),
            },
            ratified: reader.boolean("ratified")?,
        };
        reader.end()?;
        Ok(party)
    }

    fn is_consistent(&self) -> bool {
        let suspension = match &self.suspended_by {
            Some(by) => *by != self.node,
            None => !self.ratified,
        };
        suspension && self.card_floor >= 1
    }
}

impl HubTerm {
    fn record(&self) -> Vec<u8> {
        Writer::record()
            .text(self.hub.as_str())
            .bytes(self.identity.as_bytes())
            .text(&self.endpoint)
            .integer(self.term)
            .integer(self.first_sequence.0)
            .bytes(self.head_before.as_bytes())
            .finish()
    }

    fn read(bytes: &[u8]) -> Result<Self, StatementError> {
        let mut reader = Reader::record(bytes);
        let term = Self {
            hub: node(&mut reader, "hub")?,
            identity: PublicKey(reader.array("hub identity key")?),
            endpoint: reader.text("hub endpoint")?.to_owned(),
            term: reader.integer("term")?,
            first_sequence: Sequence(reader.integer("first sequence")?),
            head_before: Digest(reader.array("head before")?),
        };
        reader.end()?;
        Ok(term)
    }

    fn is_consistent(&self) -> bool {
        let begins = match self.is_planned() {
            true => self.term > 1 && self.head_before == Digest::ZERO,
            false => true,
        };
        is_endpoint(&self.endpoint) && self.term >= 1 && begins
    }
}

fn node(reader: &mut Reader<'_>, field: &'static str) -> Result<NodeId, StatementError> {
    reader.text(field)?.parse().map_err(|_| StatementError::Range(field))
}

/// A statement as the exact bytes that are signed, and the signatures that it has so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedStatement {
    bytes: Vec<u8>,
    signatures: BTreeMap<NodeId, Signature>,
    statement: Statement,
}

impl SignedStatement {
    /// A statement without signatures.
    ///
    /// # Errors
    /// [`StatementError::Range`] when it could not be read back.
    pub fn new(statement: Statement) -> Result<Self, StatementError> {
        statement.check()?;
        Ok(Self { bytes: statement.canonical(), signatures: BTreeMap::new(), statement })
    }

    /// Reads a statement and takes the signatures unverified: [`SignedStatement::verify`]
    /// and the validator verify what counts.
    ///
    /// # Errors
    /// [`StatementError::Malformed`] or [`StatementError::Range`].
    pub fn parse(
        bytes: &[u8],
        signatures: BTreeMap<NodeId, Signature>,
    ) -> Result<Self, StatementError> {
        let statement = Statement::parse(bytes)?;
        Ok(Self { bytes: bytes.to_vec(), signatures, statement })
    }

    /// Reads what [`SignedStatement::encode`] wrote; signatures are unverified.
    ///
    /// # Errors
    /// As [`SignedStatement::parse`]; signatures must stand in ascending order.
    pub fn decode(container: &[u8]) -> Result<Self, StatementError> {
        let mut reader = Reader::new("signed-statement", container)?;
        let bytes = reader.bytes("statement")?;
        let mut signatures = BTreeMap::new();
        for record in reader.list("signatures")? {
            let mut record = Reader::record(record);
            let signer = node(&mut record, "signer")?;
            let signature = record.array("signature")?;
            record.end()?;
            if signatures.last_key_value().is_some_and(|(last, _)| *last >= signer) {
                return Err(StatementError::Range("order of signatures"));
            }
            signatures.insert(signer, signature);
        }
        reader.end()?;
        Self::parse(bytes, signatures)
    }

    /// Canonical container `signed-statement`: the content of context extension 0xff01.
    pub fn encode(&self) -> Vec<u8> {
        let record = |(signer, signature): (&NodeId, &Signature)| {
            Writer::record().text(signer.as_str()).bytes(signature).finish()
        };
        Writer::new("signed-statement")
            .bytes(&self.bytes)
            .list(self.signatures.iter().map(record))
            .finish()
    }

    /// What is stated.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The canonical bytes that are signed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signatures so far, by signer.
    pub fn signatures(&self) -> &BTreeMap<NodeId, Signature> {
        &self.signatures
    }

    /// SHA-256 of the canonical bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// Signs for one party; a party that leaves is one of `previous` only.
    ///
    /// # Errors
    /// [`StatementError::NotAParty`], or [`StatementError::Signature`] when the key is not
    /// the party's.
    pub fn sign(
        &mut self,
        previous: Option<&Statement>,
        signer: &NodeId,
        key: &IdentityKey,
    ) -> Result<(), StatementError> {
        self.add_signature(previous, signer, key.sign(&self.bytes))
    }

    /// Adds one party's signature once it verifies; a party that leaves is one of
    /// `previous` only.
    ///
    /// # Errors
    /// [`StatementError::NotAParty`] or [`StatementError::Signature`].
    pub fn add_signature(
        &mut self,
        previous: Option<&Statement>,
        signer: &NodeId,
        signature: Signature,
    ) -> Result<(), StatementError> {
        self.verify_one(previous, signer, &signature)?;
        self.signatures.insert(signer.clone(), signature);
        Ok(())
    }

    /// Verifies every signature, each by a party of this statement or of `previous`.
    ///
    /// # Errors
    /// [`StatementError::NotAParty`] or [`StatementError::Signature`], of the first.
    pub fn verify(&self, previous: Option<&Statement>) -> Result<(), StatementError> {
        let mut all = self.signatures.iter();
        all.try_for_each(|(signer, signature)| self.verify_one(previous, signer, signature))
    }

    /// The unsuspended parties that have not signed.
    pub fn missing_signers(&self) -> Vec<NodeId> {
        let missing = |party: &&Party| !self.signatures.contains_key(&party.node);
        self.statement.unsuspended().filter(missing).map(|party| party.node.clone()).collect()
    }

    fn verify_one(
        &self,
        previous: Option<&Statement>,
        signer: &NodeId,
        signature: &Signature,
    ) -> Result<(), StatementError> {
        let party = self.statement.party(signer).or_else(|| previous?.party(signer));
        let party = party.ok_or_else(|| StatementError::NotAParty(signer.clone()))?;
        let verified = party.identity.verify(&self.bytes, signature);
        verified.map_err(|_| StatementError::Signature(signer.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::sample;

    fn check(change: impl FnOnce(&mut Statement), broken: Option<&'static str>) {
        let mut statement = sample::statement(3);
        change(&mut statement);
        let expected = broken.map_or(Ok(()), |field| Err(StatementError::Range(field)));
        assert_eq!(statement.check(), expected);
        assert_eq!(Statement::parse(&statement.canonical()).is_ok(), broken.is_none());
    }

    fn suspend(party: &mut Party, by: usize, ratified: bool) {
        party.suspended_by = Some(sample::node(by));
        party.ratified = ratified;
    }

    #[test]
    fn ranges() {
        check(|_| {}, None);
        check(|it| it.version = 0, Some("version"));
        check(|it| it.version = 2, Some("previous statement"));
        check(|it| it.previous = Digest([1; 32]), Some("previous statement"));
        check(|it| it.parties.clear(), Some("number of parties"));
        check(|it| it.parties.swap(0, 1), Some("order of parties"));
        check(|it| it.parties[1] = it.parties[0].clone(), Some("order of parties"));
        check(|it| it.parties[1].identity = it.parties[0].identity, Some("identity keys"));
        check(|it| it.parties[1].card_floor = 0, Some("suspensions"));
        check(|it| it.parties[1].ratified = true, Some("suspensions"));
        check(|it| suspend(&mut it.parties[1], 1, false), Some("suspensions"));
        check(|it| suspend(&mut it.parties[1], 0, false), None);
        check(|it| it.chair = sample::node(7), Some("chair"));
        check(|it| it.hub.endpoint = "hub".to_owned(), Some("hub term"));
        check(|it| it.hub.term = 0, Some("hub term"));
        check(|it| it.hub.first_sequence = Sequence(0), Some("hub term"));
        check(|it| it.age_limit_ms = 0, Some("age limit"));
        check(|it| it.equipe_name = " x".to_owned(), Some("équipe name"));
    }

    fn successor(it: &mut Statement) {
        it.succeeds = Some(GroupId([9; 32]));
        it.hub.term = 2;
        it.hub.first_sequence = Sequence(8);
    }

    fn bent(bend: impl FnOnce(&mut Statement)) -> impl FnOnce(&mut Statement) {
        |it| {
            successor(it);
            bend(it);
        }
    }

    #[test]
    fn a_successor_names_where_it_begins_and_has_two_parties() {
        check(successor, None);
        check(bent(|it| it.hub.term = 1), Some("group before"));
        check(bent(|it| it.hub.first_sequence = Sequence(0)), Some("group before"));
        check(bent(|it| it.parties.truncate(1)), Some("group before"));
        check(
            bent(|it| {
                suspend(&mut it.parties[1], 0, false);
                suspend(&mut it.parties[2], 1, false);
            }),
            Some("group before"),
        );
    }

    #[test]
    fn the_group_before_makes_another_group() {
        let mut one = sample::statement(3);
        successor(&mut one);
        let other = Statement { succeeds: Some(GroupId([8; 32])), ..one.clone() };
        assert_ne!(one.group_id(), other.group_id());
        let mut elsewhere = one.clone();
        elsewhere.hub.head_before = Digest([1; 32]);
        assert_ne!(one.group_id(), elsewhere.group_id());
        assert_eq!(Statement::parse(&one.canonical()), Ok(one));
    }

    #[test]
    fn one_unratified_suspension_for_each_signer() {
        let two = |ratified| {
            move |it: &mut Statement| {
                suspend(&mut it.parties[1], 0, false);
                suspend(&mut it.parties[2], 0, ratified);
            }
        };
        check(two(false), Some("suspensions"));
        check(two(true), None);
    }

    #[test]
    fn founding_needs_two_unsuspended_parties_and_the_first_term() {
        let founding = |change: &dyn Fn(&mut Statement)| {
            let mut statement = sample::statement(3);
            change(&mut statement);
            statement.check_founding().is_ok()
        };
        assert!(founding(&|_| {}));
        assert!(!founding(&|it| it.parties.truncate(1)));
        assert!(!founding(&|it| suspend(&mut it.parties[1], 0, false)));
        assert!(!founding(&|it| it.hub.term = 2));
        assert!(!founding(&|it| it.hub.first_sequence = Sequence(2)));
        assert!(!founding(&|it| it.hub.head_before = Digest([1; 32])));
        assert!(!founding(&|it| it.version = 2));
    }

    #[test]
    fn containers_are_read_back_and_cuts_are_refused() {
        let signed = sample::signed(sample::statement(3), &[0, 2]);
        let bytes = signed.encode();
        assert_eq!(SignedStatement::decode(&bytes), Ok(signed.clone()));
        assert_eq!(signed.digest(), signed.statement().digest());
        for cut in 0..bytes.len() {
            assert!(SignedStatement::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn signatures_count_once_verified() {
        let mut signed = sample::signed(sample::statement(3), &[0]);
        assert_eq!(signed.missing_signers(), [sample::node(1), sample::node(2)]);
        let (one, stranger) = (sample::node(1), sample::node(8));
        let wrong = signed.sign(None, &one, &sample::key(2));
        assert_eq!(wrong, Err(StatementError::Signature(one.clone())));
        let foreign = signed.sign(None, &stranger, &sample::key(8));
        assert_eq!(foreign, Err(StatementError::NotAParty(stranger)));
        signed.sign(None, &one, &sample::key(1)).unwrap();
        assert_eq!(signed.missing_signers(), [sample::node(2)]);
        assert_eq!(signed.verify(None), Ok(()));
    }

    #[test]
    fn group_ids_differ_by_lineage_and_statement() {
        let first = sample::statement(3);
        let other = Statement { lineage: LineageId([9; 16]), ..first.clone() };
        assert_ne!(first.group_id(), other.group_id());
        assert_ne!(first.group_id(), sample::statement(2).group_id());
        assert_eq!(first.group_id(), sample::statement(3).group_id());
    }
}
