//! All tables in memory, by the keys under which they are sought.

use raccordo_core::account::Session;
use raccordo_core::audit::AuditRecord;
use raccordo_core::id::{
    BootId, Digest, EntryId, EnvelopeId, Epoch, GroupId, LineageId, NodeId, ObjectId, OperatorId,
    OrganisationId, RecordId, Sequence,
};
use raccordo_core::pseudonym::key::Class;
use raccordo_core::pseudonym::token::Tag;
use raccordo_core::time::Instant;

use crate::store::account::{AccountRow, InvitationRow, PersonRow};
use crate::store::audit_head::{AuditHeadRow, HeadPart};
use crate::store::directory::{OperatorRow, OrganisationRow};
use crate::store::draft::DraftRow;
use crate::store::email_notice::EmailNoticeRow;
use crate::store::history::Keeper;
use crate::store::honesty::StretchRow;
use crate::store::hub::{LogRow, MailboxRow, PoolRow};
use crate::store::inbox::{ChunkRow, SetAsideRow};
use crate::store::live::{Table, View};
use crate::store::matching::{MatchEventRow, MatchRow, RecordObjectRow, StopValueRow};
use crate::store::node::NodeRow;
use crate::store::object::ObjectRow;
use crate::store::offer::{CopyRow, OfferRow};
use crate::store::register::{CaseRow, ImportRow, RecordRow, WrappingKeyRow};
use crate::store::served::{ConflictRow, ServedRow};
use crate::store::term::KeptRow;
use crate::store::token::{OwnTagRow, ReceivedTagRow, TokenRow};
use crate::store::token_request::WantedRow;
use crate::store::visit::VisitRow;

/// A head of another node's audit chain by node, day and part.
pub(super) type HeadKey = (NodeId, i64, HeadPart);

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $Key:ty => $Row:ty,)*) => {
        /// All tables.
        #[derive(Clone, Debug, Default)]
        pub(super) struct Tables {
            $($(#[$doc])* pub(super) $name: Table<$Key, $Row>,)*
            /// The live tables.
            pub(super) live: View,
        }

        impl Tables {
            /// The table, if any, in which a change since the last commit has written what no
            /// database holds.
            pub(super) fn unfit(&self) -> Option<&'static str> {
                $(if self.$name.is_unfit() {
                    return Some(stringify!($name));
                })*
                self.live.unfit()
            }

            /// Makes all changes final.
            pub(super) fn settle(&mut self) {
                $(self.$name.settle();)*
                self.live.settle();
            }
        }
    };
}

tables! {
    /// The newest number that each counter gave out.
    counter: &'static str => u64,
    node: () => NodeRow,
    audit: u64 => AuditRecord,
    boot: BootId => Instant,
    organisation: OrganisationId => OrganisationRow,
    /// By order of adding.
    operator: u64 => OperatorRow,
    /// By scope, kind and key.
    ledger: (String, String, Vec<u8>) => Vec<u8>,

    audit_head: HeadKey => AuditHeadRow,

    seen: (LineageId, NodeId, EnvelopeId) => Instant,
    set_aside: (LineageId, Sequence, Option<EnvelopeId>) => SetAsideRow,
    chunk: (LineageId, NodeId, EnvelopeId, u32) => ChunkRow,
    /// By place of the last entry.
    stretch: (LineageId, Sequence) => StretchRow,
    proof: (LineageId, Sequence) => Vec<u8>,
    kept_entry: (LineageId, Sequence) => KeptRow,
    refusal: (LineageId, EnvelopeId, NodeId) => String,
    object: ObjectId => ObjectRow,
    /// Objects by position.
    object_place: u64 => ObjectId,
    object_read: (LineageId, ObjectId, NodeId) => (),
    /// Whether the origin is being told.
    read_note: (LineageId, ObjectId) => bool,


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
    own_tag: (LineageId, NodeId, Tag, RecordId, String) => OwnTagRow,
    tag_received: (LineageId, NodeId, Tag, ObjectId) => ReceivedTagRow,
    record_object: ObjectId => RecordObjectRow,
    /// By position.
    found_match: u64 => MatchRow,
    match_event: EnvelopeId => MatchEventRow,
    stop_value: Digest => StopValueRow,
    operator_phone: OperatorId => Vec<u8>,
    token_wanted: (LineageId, Class, RecordId) => WantedRow,

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
