//! All tables in memory, by the keys under which they are sought.

use crate::store::email_notice::EmailNoticeRow;
use raccordo_core::account::Session;
use raccordo_core::alarm::AlarmCode;
use raccordo_core::audit::AuditRecord;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{
    BootId, Digest, EntryId, EnvelopeId, Epoch, GroupId, LineageId, NodeId, ObjectId, OperatorId,
    OrganisationId, RecordId, Sequence, TokenRequestId,
};
use raccordo_core::pseudonym::key::{Class, Generation, KeyEpoch};
use raccordo_core::pseudonym::token::Tag;
use raccordo_core::time::Instant;

use super::table::Table;
use crate::store::account::{AccountRow, InvitationRow, PersonRow};
use crate::store::audit_head::{AuditHeadRow, HeadPart};
use crate::store::directory::{OperatorRow, OrganisationRow};
use crate::store::draft::DraftRow;
use crate::store::equipe::{AlarmRow, EquipeRow, MemberRow};
use crate::store::history::Keeper;
use crate::store::honesty::{ClaimRow, StretchRow};
use crate::store::hub::{CarriedRow, LogRow, MailboxRow, PoolRow};
use crate::store::inbox::{ChunkRow, SetAsideRow};
use crate::store::keys::{ActRow, BudgetRow, CeremonyRow, DutyRow, ShareRow, SharingRow};
use crate::store::matching::{MatchEventRow, MatchRow, RecordObjectRow, StopValueRow};
use crate::store::membership::{ProposalRow, ReplayRow};
use crate::store::node::{MailRow, NodeRow, OwnKeyPackageRow};
use crate::store::object::ObjectRow;
use crate::store::offer::{CopyRow, OfferRow};
use crate::store::outbox::{EntryRow, EnvelopeRow};
use crate::store::pact::PactRow;
use crate::store::peer::{FormerCardRow, PeerRow};
use crate::store::register::{CaseRow, ImportRow, RecordRow, WrappingKeyRow};
use crate::store::rejoin::RejoinRow;
use crate::store::served::{ConflictRow, ServedRow};
use crate::store::successor::SuccessorRow;
use crate::store::term::{HubMoveRow, KeptRow};
use crate::store::token::{OwnTagRow, PairRow, ReceivedTagRow, TokenRow};
use crate::store::token_request::{AnswerRow, RequestRow, WantedRow};
use crate::store::visit::VisitRow;
use crate::store::void::{StrayRow, UnfollowedRow};

/// A head of another node's audit chain by node, day and part.
pub(super) type HeadKey = (NodeId, i64, HeadPart);
/// An alarm by équipe, code, member and peer.
pub(super) type AlarmKey = (LineageId, AlarmCode, Option<NodeId>, Option<NodeId>);

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $Key:ty => $Row:ty,)*) => {
        /// All tables.
        #[derive(Clone, Debug, Default)]
        pub(super) struct Tables {
            $($(#[$doc])* pub(super) $name: Table<$Key, $Row>,)*
        }

        impl Tables {
            /// Takes back all changes since the last commit.
            pub(super) fn roll_back(&mut self) {
                $(self.$name.roll_back();)*
            }

            /// The table, if any, in which a change since the last commit has written what no
            /// database holds.
            pub(super) fn unfit(&self) -> Option<&'static str> {
                $(if self.$name.is_unfit() {
                    return Some(stringify!($name));
                })*
                None
            }

            /// Makes all changes final.
            pub(super) fn settle(&mut self) {
                $(self.$name.settle();)*
            }
        }
    };
}

tables! {
    /// The newest number that each counter gave out.
    counter: &'static str => u64,
    node: () => NodeRow,
    secret: String => Vec<u8>,
    own_card: u64 => Vec<u8>,
    audit: u64 => AuditRecord,
    mailbox_cursor: NodeId => u64,
    /// By order of queueing.
    mail: u64 => MailRow,
    own_key_package: Vec<u8> => OwnKeyPackageRow,
    boot: BootId => Instant,
    peer: NodeId => PeerRow,
    former_card: (NodeId, u64) => FormerCardRow,
    organisation: OrganisationId => OrganisationRow,
    /// By order of adding.
    operator: u64 => OperatorRow,
    pact: LineageId => PactRow,
    /// By scope, kind and key.
    ledger: (String, String, Vec<u8>) => Vec<u8>,

    equipe: LineageId => EquipeRow,
    member: (LineageId, NodeId) => MemberRow,
    /// By payload: what it was, of which epoch.
    made_entry: (LineageId, Digest) => (EntryKind, Epoch),
    alarm: AlarmKey => AlarmRow,
    audit_head: HeadKey => AuditHeadRow,
    rejoin_request: (LineageId, NodeId) => RejoinRow,
    /// By order of queueing.
    envelope: (LineageId, u64) => EnvelopeRow,
    /// Places of envelopes.
    envelope_place: (LineageId, EnvelopeId) => u64,
    /// By order of sending.
    entry: (LineageId, u64) => EntryRow,
    /// Places of entries.
    entry_place: (LineageId, EntryId) => u64,
    seen: (LineageId, NodeId, EnvelopeId) => Instant,
    set_aside: (LineageId, Sequence, Option<EnvelopeId>) => SetAsideRow,
    chunk: (LineageId, NodeId, EnvelopeId, u32) => ChunkRow,
    /// By place of the last entry.
    stretch: (LineageId, Sequence) => StretchRow,
    claim: (LineageId, NodeId) => ClaimRow,
    proof: (LineageId, Sequence) => Vec<u8>,
    kept_entry: (LineageId, Sequence) => KeptRow,
    hub_move: LineageId => HubMoveRow,
    successor: (LineageId, GroupId) => SuccessorRow,
    unfollowed: GroupId => UnfollowedRow,
    stray: LineageId => StrayRow,
    refusal: (LineageId, EnvelopeId, NodeId) => String,
    object: ObjectId => ObjectRow,
    /// Objects by position.
    object_place: u64 => ObjectId,
    object_read: (LineageId, ObjectId, NodeId) => (),
    /// Whether the origin is being told.
    read_note: (LineageId, ObjectId) => bool,

    proposal: (LineageId, Digest) => ProposalRow,
    replay: (LineageId, NodeId) => ReplayRow,
    key_update: LineageId => Instant,
    log_leaver: (GroupId, NodeId) => Sequence,

    wrapping_key: u64 => WrappingKeyRow,
    register_record: RecordId => RecordRow,
    /// Records by position.
    record_place: u64 => RecordId,
    register_field: (RecordId, u32) => Vec<u8>,
    register_index: (Digest, RecordId) => (),
    /// By position.
    register_case: u64 => CaseRow,
    register_import: Digest => ImportRow,

    account: OperatorId => AccountRow,
    provider_person: OperatorId => PersonRow,
    draft: (OperatorId, String) => DraftRow,
    invitation: OperatorId => InvitationRow,
    desk_session: Digest => Session,
    email_notice: OperatorId => EmailNoticeRow,
    visit: OperatorId => VisitRow,
    token: (RecordId, LineageId, String, Digest) => TokenRow,
    pair_secret: (LineageId, NodeId) => PairRow,
    own_tag: (LineageId, NodeId, Tag, RecordId, String) => OwnTagRow,
    tag_received: (LineageId, NodeId, Tag, ObjectId) => ReceivedTagRow,
    record_object: ObjectId => RecordObjectRow,
    /// By position.
    found_match: u64 => MatchRow,
    match_event: EnvelopeId => MatchEventRow,
    stop_value: Digest => StopValueRow,
    operator_phone: OperatorId => Vec<u8>,
    key_duty: LineageId => DutyRow,
    key_sharing: (LineageId, Class) => SharingRow,
    key_share: (LineageId, Class, KeyEpoch, Generation) => ShareRow,
    key_ceremony: (LineageId, Class) => CeremonyRow,
    key_act: (LineageId, Class, u32) => ActRow,
    budget_use: (LineageId, NodeId, Class) => BudgetRow,
    token_wanted: (LineageId, Class, RecordId) => WantedRow,
    token_request: (LineageId, TokenRequestId) => RequestRow,
    token_answer: (LineageId, TokenRequestId, NodeId) => AnswerRow,

    carried: LineageId => CarriedRow,
    offer: (LineageId, Digest) => OfferRow,
    log_copy: (LineageId, Digest, NodeId) => CopyRow,
    served: (LineageId, NodeId) => ServedRow,
    /// By the id, and who claimed it.
    identity_conflict: (NodeId, NodeId) => ConflictRow,
    /// By version.
    past_statement: (Keeper, LineageId, u64) => Vec<u8>,
    log: (GroupId, Sequence) => LogRow,
    /// Places of the log's entries.
    log_place: (GroupId, NodeId, EntryId) => Sequence,
    log_cursor: (GroupId, NodeId) => Sequence,
    group_tree: (GroupId, Epoch) => (Vec<u8>, Instant),
    mailbox: (NodeId, u64) => MailboxRow,
    mailbox_counter: NodeId => u64,
    // With whether it was given out.
    pool: (NodeId, Vec<u8>) => (PoolRow, bool),
}

impl Tables {
    /// Takes the next number of a counter.
    pub(super) fn next_number(&mut self, counter: &'static str) -> u64 {
        let number = self.counter.row(&counter).copied().unwrap_or(0).saturating_add(1);
        self.counter.put(counter, number);
        number
    }
}
