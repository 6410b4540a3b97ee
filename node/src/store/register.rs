//! The node's own register: people, companies and cases, and the keys that wrap theirs.

use async_trait::async_trait;
use raccordo_core::id::{CaseId, Digest, OperatorId, OrganisationId, RecordId};
use raccordo_core::time::Instant;

use super::Stored;

/// A key that wraps the keys of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappingKeyRow {
    /// From 1.
    pub number: u64,
    /// Wrapped by the vault.
    pub wrapped: Vec<u8>,
    /// When it was made.
    pub made_at: Instant,
}

/// A person or company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRow {
    /// The record.
    pub record: RecordId,
    /// Order of adding; assigned by `insert_records`.
    pub position: u64,
    /// `person` or `company`.
    pub kind: String,
    /// Whose data it is, `person` or `company`.
    pub subject: String,
    /// Whose record it is.
    pub organisation: OrganisationId,
    /// `active` or `erased`.
    pub state: String,
    /// Which wrapping key wraps the record's key.
    pub key_number: u64,
    /// Empty once erased.
    pub wrapped_key: Vec<u8>,
    /// What is said of a company in codes; empty of a person.
    pub sealed_codes: Vec<u8>,
    /// When it was added.
    pub added_at: Instant,
    /// When it was changed last, or erased.
    pub changed_at: Instant,
}

/// One identifying value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRow {
    /// The record.
    pub record: RecordId,
    /// From 0.
    pub place: u32,
    /// Sealed under the record's key.
    pub sealed: Vec<u8>,
}

/// What finds a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRow {
    /// Keyed digest of a value.
    pub digest: Digest,
    /// The record that has it.
    pub record: RecordId,
}

/// A case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRow {
    /// The case.
    pub case: CaseId,
    /// Order of adding; assigned by `insert_cases`.
    pub position: u64,
    /// Whose case it is.
    pub record: RecordId,
    /// Which organisation keeps it.
    pub organisation: OrganisationId,
    /// Who answers for it.
    pub manager: OperatorId,
    /// From the list `case_state`, or `erased`.
    pub state: String,
    /// Sealed under the record's key; empty once erased.
    pub sealed_codes: Vec<u8>,
    /// When it was opened here.
    pub opened_at: Instant,
    /// When it was changed last.
    pub changed_at: Instant,
}

/// How far a file has been imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    /// Keyed digest of file and mapping.
    pub source: Digest,
    /// `person` or `company`.
    pub kind: String,
    /// Who imports.
    pub operator: OperatorId,
    /// Up to this line all is stored or refused.
    pub line: u64,
    /// Records that it added.
    pub added: u64,
    /// Lines whose record was there before.
    pub known: u64,
    /// Lines that were refused.
    pub refused: u64,
    /// When it began.
    pub began_at: Instant,
    /// When it came so far.
    pub changed_at: Instant,
}

/// Which records or cases to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegisterFilter {
    /// Only of this organisation.
    pub organisation: Option<OrganisationId>,
    /// Only in this state.
    pub state: Option<String>,
    /// Records: only of this kind.
    pub kind: Option<String>,
    /// Only after this position.
    pub after_position: u64,
    /// At most so many.
    pub limit: u32,
}

/// Rows of the register.
#[async_trait]
pub trait RegisterRows {
    /// Makes other writers of the register wait until this transaction ends, so that none of
    /// them wraps under a key that is being replaced.
    async fn hold_register(&mut self) -> Stored<()>;
    /// Adds one; `Exists` for a number that is taken.
    async fn insert_wrapping_key(&mut self, row: WrappingKeyRow) -> Stored<()>;
    /// All, oldest first.
    async fn wrapping_keys(&mut self) -> Stored<Vec<WrappingKeyRow>>;
    /// Deletes those with a smaller number, which records that were erased under them then
    /// name no more; returns how many.
    async fn delete_wrapping_keys_before(&mut self, number: u64) -> Stored<u64>;

    /// Adds records and gives them positions; `Exists` for an id that is taken.
    async fn insert_records(&mut self, rows: Vec<RecordRow>) -> Stored<()>;
    /// Adds values of new records.
    async fn insert_fields(&mut self, rows: &[FieldRow]) -> Stored<()>;
    /// Adds what finds new records; twice the same is once.
    async fn insert_index(&mut self, rows: &[IndexRow]) -> Stored<()>;
    /// One record.
    async fn register_record(&mut self, record: RecordId) -> Stored<Option<RecordRow>>;
    /// Those of these that there are, by position.
    async fn records_among(&mut self, records: &[RecordId]) -> Stored<Vec<RecordRow>>;
    /// The values of a record, by place.
    async fn record_fields(&mut self, record: RecordId) -> Stored<Vec<FieldRow>>;
    /// Whether there has ever been a record here.
    async fn has_records(&mut self) -> Stored<bool>;
    /// By position.
    async fn list_records(&mut self, filter: &RegisterFilter) -> Stored<Vec<RecordRow>>;
    /// Records that have a value with this digest, by id.
    async fn records_with(&mut self, digest: &Digest, limit: u32) -> Stored<Vec<RecordId>>;
    /// Deletes a record's key, values, index and codes, with those of its cases; a row without
    /// content stays.
    async fn erase_record(&mut self, record: RecordId, at: Instant) -> Stored<()>;
    /// Records whose keys an older wrapping key than this wraps, by position.
    async fn records_wrapped_before(&mut self, number: u64, limit: u32) -> Stored<Vec<RecordRow>>;
    /// Replaces a record's wrapped key.
    async fn rewrap_record(
        &mut self,
        record: RecordId,
        key_number: u64,
        wrapped_key: Vec<u8>,
    ) -> Stored<()>;
    /// Whether a record was erased whose key this wrapping key, or an older one, wrapped.
    async fn erased_under(&mut self, number: u64) -> Stored<bool>;

    /// Adds cases and gives them positions; `Exists` for an id that is taken.
    async fn insert_cases(&mut self, rows: Vec<CaseRow>) -> Stored<()>;
    /// One case.
    async fn register_case(&mut self, case: CaseId) -> Stored<Option<CaseRow>>;
    /// By position.
    async fn list_cases(&mut self, filter: &RegisterFilter) -> Stored<Vec<CaseRow>>;
    /// The cases of a record, by position.
    async fn cases_of(&mut self, record: RecordId) -> Stored<Vec<CaseRow>>;
    /// Replaces manager, state, codes and time of change.
    async fn update_case(&mut self, row: &CaseRow) -> Stored<()>;

    /// How far an import has come.
    async fn register_import(&mut self, source: &Digest) -> Stored<Option<ImportRow>>;
    /// Adds or replaces.
    async fn put_register_import(&mut self, row: ImportRow) -> Stored<()>;
}
