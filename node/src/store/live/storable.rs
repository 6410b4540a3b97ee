//! What a database's columns hold: whole numbers of 64 bits with a sign, and texts without a
//! zero byte, which PostgreSQL takes in no text. Whatever else a row says is refused here as
//! it is there, so that the simulation meets it.

use std::collections::BTreeSet;

use raccordo_core::account::{Marks, Session};
use raccordo_core::alarm::AlarmCode;
use raccordo_core::audit::{AuditEvent, AuditRecord, SignedAuditHead};
use raccordo_core::hublog::{EntryKind, LogEntry};
use raccordo_core::id::{
    BootId, CaseId, Digest, EntryId, EnvelopeId, Epoch, GroupId, ItemId, LineageId, NodeId,
    ObjectId, OperatorId, OrganisationId, RecordId, Sequence, TokenRequestId,
};
use raccordo_core::matching::life::MatchId;
use raccordo_core::pseudonym::key::{Class, Generation, KeyEpoch};
use raccordo_core::pseudonym::token::Tag;
use raccordo_core::time::Instant;
use raccordo_core::trust::keys::PublicKey;
use raccordo_core::trust::state::TrustState;
use raccordo_core::trust::void::Votes;

use super::{
    CounterRow, KeyUpdateRow, LogCursorRow, LogLeaverRow, MailboxCursorRow, OwnCardRow,
    QueuedMailRow, SecretRow,
};
use crate::store::account::{AccountRow, InvitationRow, PersonRow};
use crate::store::audit_head::{AuditHeadRow, HeadPart};
use crate::store::directory::{OperatorRow, OrganisationRow};
use crate::store::draft::DraftRow;
use crate::store::email_notice::EmailNoticeRow;
use crate::store::equipe::{AlarmRow, EquipeRow, MemberRow};
use crate::store::history::Keeper;
use crate::store::honesty::{ClaimRow, StretchRow};
use crate::store::hub::{CarriedRow, LogRow, MailboxRow, PoolRow};
use crate::store::inbox::{ChunkRow, SetAsideRow};
use crate::store::keys::{ActRow, BudgetRow, CeremonyRow, DutyRow, ShareRow, SharingRow};
use crate::store::matching::{MatchEventRow, MatchRow, RecordObjectRow, StopValueRow};
use crate::store::membership::{ProposalRow, ReplayRow};
use crate::store::node::{NodeRow, OwnKeyPackageRow};
use crate::store::object::ObjectRow;
use crate::store::offer::{CopyRow, OfferRow};
use crate::store::outbox::{EntryRow, EntryState, EnvelopeRow, MadeEntryRow};
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

/// What may stand in a column, or a row of such.
pub trait Storable {
    /// Whether the columns hold it.
    fn fits(&self) -> bool;
}

macro_rules! always {
    ($($Type:ty),* $(,)?) => {$(
        impl Storable for $Type {
            fn fits(&self) -> bool {
                true
            }
        }
    )*};
}

always!((), bool, u8, u16, u32, i64, Instant, Vec<u8>, Vec<Vec<u8>>);
always!(NodeId, Class, EntryKind, EntryState, TrustState, Tag, MatchId, PublicKey, Keeper);
always!(BTreeSet<NodeId>, AlarmCode, HeadPart);
always!(LineageId, GroupId, EntryId, EnvelopeId, ItemId, BootId, TokenRequestId, Digest);
always!(ObjectId, OperatorId, OrganisationId, RecordId, CaseId);

impl Storable for u64 {
    fn fits(&self) -> bool {
        i64::try_from(*self).is_ok()
    }
}

impl Storable for str {
    fn fits(&self) -> bool {
        !self.contains('\0')
    }
}

impl Storable for &str {
    fn fits(&self) -> bool {
        (**self).fits()
    }
}

impl Storable for String {
    fn fits(&self) -> bool {
        self.as_str().fits()
    }
}

impl<T: Storable> Storable for Option<T> {
    fn fits(&self) -> bool {
        self.as_ref().is_none_or(Storable::fits)
    }
}

macro_rules! counters {
    ($($Name:ident),*) => {$(
        impl Storable for $Name {
            fn fits(&self) -> bool {
                self.0.fits()
            }
        }
    )*};
}

counters!(Sequence, Epoch, KeyEpoch, Generation);

macro_rules! tuples {
    ($(($($name:ident: $Type:ident),*)),*) => {$(
        impl<$($Type: Storable),*> Storable for ($($Type,)*) {
            fn fits(&self) -> bool {
                let ($($name,)*) = self;
                $($name.fits())&&*
            }
        }
    )*};
}

tuples!((a: A), (a: A, b: B), (a: A, b: B, c: C), (a: A, b: B, c: C, d: D), (a: A, b: B, c: C, d: D, e: E));

// Every field is named, so that a new one does not compile until it is looked at here.
macro_rules! rows {
    ($($Row:ident { $($field:ident),* $(,)? })*) => {$(
        impl Storable for $Row {
            fn fits(&self) -> bool {
                let $Row { $($field),* } = self;
                $($field.fits())&&*
            }
        }
    )*};
}

rows! {
    NodeRow { node, vault_check, created_at }
    CounterRow { name, value }
    SecretRow { name, sealed }
    OwnCardRow { serial, signed_card }
    MailboxCursorRow { hub, sequence }
    QueuedMailRow { position, item, hub, recipient, kind, payload }
    KeyUpdateRow { lineage, at }
    LogCursorRow { group, node, sequence }
    LogLeaverRow { group, node, removed_at }
    OwnKeyPackageRow { reference, hub, suite, last_resort, card_serial, created_at, undelivered }
    PeerRow {
        node, signed_card, card_serial, state, reason, changed_at, opened_key, challenged_at,
        refused,
    }
    FormerCardRow { node, serial, signed_card, accepted_until }
    OrganisationRow { organisation, name, class, created_at }
    OperatorRow {
        operator, organisation, sealed_name, name_index, role, token_lookup, token_hash, enabled,
        created_at,
    }
    PactRow { lineage, equipe, sealed_proposal, hub_answer, changed_at }
    EquipeRow {
        lineage, name, group, suite, state, version, statement, sealed_pact, hub, sequence, head,
        accepted_at, epoch, authenticator, checkpoint, checkpoint_signature, next_number,
        receipt_due, receipt_sent,
    }
    MemberRow { lineage, node, delivered, last_seen, last_number }
    AlarmRow { lineage, code, member, peer, place, detail, raised_at }
    AuditHeadRow { day, part, signed }
    RejoinRow { lineage, node, entry, signed_notice, approved, noted_at }
    EnvelopeRow {
        lineage, position, envelope, entry, object, case_bearing, sealed, sequence, queued_at, record,
    }
    EntryRow {
        lineage, position, entry, kind, epoch, payload, payload_digest, group_info, welcome, boot,
        state, sequence, reason,
    }
    MadeEntryRow { lineage, payload_digest, kind, epoch }
    SetAsideRow { lineage, sequence, envelope, sender, reason, at }
    ChunkRow { lineage, origin, whole, index, count, sealed, expires_at }
    StretchRow { lineage, last, after, before, digests, checkpoint, checkpoint_signature }
    ClaimRow { lineage, teller, sequence, head, checkpoint, checkpoint_signature, noted_at }
    LogEntry { sequence, epoch, kind, sender, entry_id, accepted_at, payload }
    KeptRow { lineage, entry, bytes_through }
    HubMoveRow { lineage, statement, previous, answer, changed_at }
    SuccessorRow { lineage, old_group, signed, statement, answer, changed_at }
    UnfollowedRow { group, committer, epoch, statement, group_info, tree, votes }
    StrayRow { lineage, committer, epoch, log_epoch, asked, followed_by, votes }
    ObjectRow {
        object, position, lineage, kind, origin, version, state, envelope, sequence, shared_at,
        received_at, expires_at, wrapped_key, sealed_share, sealed_author, end_reason,
    }
    ProposalRow { lineage, statement, sealed_proposal, begun_here, changed_at }
    ReplayRow { lineage, recipient, rejoined, added_at, position, queued, envelope }
    WrappingKeyRow { number, wrapped, made_at }
    RecordRow {
        record, position, kind, subject, organisation, state, key_number, wrapped_key,
        sealed_codes, added_at, changed_at,
    }
    CaseRow {
        case, position, record, organisation, manager, state, sealed_codes, opened_at, changed_at,
    }
    ImportRow { source, kind, operator, line, added, known, refused, began_at, changed_at }
    AccountRow { operator, password_hash, sealed_seed, used_step, activated_at }
    PersonRow { operator, person, sealed, bound_at }
    DraftRow { operator, kind, sealed, changed_at }
    InvitationRow { operator, digest, expires_at }
    Session { key, operator, agent, begun_at, seen_at }
    Marks { objects, matches }
    EmailNoticeRow { operator, sealed_address, known, told_at }
    VisitRow { operator, known, left_at, met, seen_at }
    TokenRow { record, lineage, class, lookup, key_epoch, family, sealed }
    PairRow { lineage, peer, sealed_own, sealed_theirs, tagged_until, tagged }
    OwnTagRow { lineage, peer, tag, record, class, family }
    ReceivedTagRow { lineage, peer, tag, object, facts, register }
    RecordObjectRow { object, lineage, record, shared }
    MatchRow {
        id, position, lineage, counterpart, record, ours, theirs, state, grade, claimed, seen, families,
        reasons, strength, said_here, said_there, decided_by, sealed_contact, found_at, changed_at,
    }
    MatchEventRow { envelope, lineage, peer, operator, sealed }
    StopValueRow { digest, kind, sealed, added_by, added_at }
    DutyRow { lineage, due_at, founder, changed_at }
    SharingRow {
        lineage, class, key_epoch, generation, sharing, since, seen_from, renewal, asked, asked_by,
    }
    ShareRow { lineage, class, key_epoch, generation, sealed }
    CeremonyRow {
        lineage, class, run, state, plan, old, began_at, until, sealed_seed, posted, failures,
        failure,
    }
    ActRow { lineage, class, position, sender, at, act }
    BudgetRow { lineage, day, requester, class, used, refused }
    WantedRow { lineage, class, record, state, at }
    RequestRow {
        lineage, request, class, key_epoch, elements, sealed, attempts, asked_at, accepted_at,
    }
    AnswerRow { lineage, request, member, generation, evaluation }
    CarriedRow {
        lineage, name, state, version, statement, cards, group, epoch, sequence, head,
        accepted_at, term, begun, group_info, trimmed, stored_bytes, entries_per_minute_max,
        stored_bytes_max, succeeds,
    }
    LogRow {
        group, sequence, epoch, kind, sender, entry, accepted_at, payload, digest, head,
    }
    OfferRow {
        lineage, digest, name, state, offered_by, offered_at, statement, earlier, cards,
    }
    CopyRow {
        lineage, digest, party, group, after, sequence, head, epoch, accepted_at, stored_bytes,
    }
    ServedRow { lineage, node, identity, former }
    ConflictRow { node, claimed_by, lineage, at }
    MailboxRow { recipient, sequence, item, sender, kind, payload, expires_at }
    PoolRow { owner, reference, suite, last_resort, key_package, expires_at, deposited_at }
}

/// Node ids, which stand in columns of their own, and a place.
impl Storable for Votes {
    fn fits(&self) -> bool {
        let Self { sequence, entry: _, needed: _, said: _ } = self;
        sequence.fits()
    }
}

/// The place stands in a column of its own; all else always fits.
impl Storable for SignedAuditHead {
    fn fits(&self) -> bool {
        let Self { node: _, head, at: _, signature: _ } = self;
        head.sequence.fits()
    }
}

/// Its detail stands in one column as JSON, in which a zero byte is escaped.
impl Storable for AuditRecord {
    fn fits(&self) -> bool {
        let Self { sequence, event, previous: _, hash: _ } = self;
        let AuditEvent { at: _, actor, action, subject, detail: _ } = event;
        sequence.fits() && actor.fits() && action.fits() && subject.fits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_64_bits_with_a_sign_and_texts_without_zero_bytes() {
        let largest = i64::MAX as u64;
        assert!(largest.fits() && !(largest + 1).fits());
        assert!(Sequence(largest).fits() && !Sequence(u64::MAX).fits());
        assert!("è".fits() && !"a\0b".fits() && !String::from("\0").fits());
        assert!((1_u64, "a").fits() && !(1_u64, "\0").fits() && !(u64::MAX, "a").fits());
        assert!(Some(1_u64).fits() && !Some(u64::MAX).fits() && None::<u64>.fits());
    }
}
