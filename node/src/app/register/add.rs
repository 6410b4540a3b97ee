//! Adds a person with a case, a case of a known person, or a company.

use std::collections::BTreeSet;

use raccordo_core::alert::{Alert, Body, FieldError, Reason};
use raccordo_core::id::{CaseId, OperatorId, OrganisationId, RecordId};
use raccordo_core::operator::Action;
use raccordo_core::register::{
    CheckedIdentity, Field, Identity, RecordKind, check, check_codes, codes_context, digest,
    entry_context, record_of_reference, seal_codes, seal_entry, subject_name,
};
use raccordo_core::vault::RecordKey;

use super::keys::{self, Keys};
use super::{ERASED, manager, meets, no_such_record, sealing};
use crate::app::Node;
use crate::app::audit::record;
use crate::app::directory::Operator;
use crate::app::fault::{Done, Fault};
use crate::app::matching::wanted;
use crate::app::pack;
use crate::store::Tx;
use crate::store::register::{CaseRow, FieldRow, IndexRow, RecordRow};

/// The state of a case that names none.
const FIRST_STATE: &str = "taken_in_charge";

/// A case to add.
#[derive(Clone, Debug, Default)]
pub struct NewCase {
    /// From the list `case_state`; `taken_in_charge` if none.
    pub state: Option<String>,
    /// Name or id of the operator who answers for it; the caller if none.
    pub manager: Option<String>,
    /// What is said in codes: an alert's body, or none.
    pub codes: Alert,
}

/// What was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// The person or company.
    pub record: RecordId,
    /// The case; none for a company.
    pub case: Option<CaseId>,
    /// It was there before, under the same reference: nothing was added.
    pub known: bool,
}

/// What came of an addition: invalid fields are no fault of the call.
pub type Addition = Result<Added, Vec<FieldError>>;

/// Adds a person with a case.
///
/// # Errors
/// `role_not_allowed`, `no_such_operator`, `other_organisation`, `unfit_manager`, `erased`.
pub async fn add_case(
    node: &Node,
    operator: &Operator,
    person: Identity,
    case: NewCase,
) -> Done<Addition> {
    operator.must(Action::AddRecord(person.subject()))?;
    let checked = match fit(node, person, Some(&case), &case.codes) {
        Ok(checked) => checked,
        Err(errors) => return Ok(Err(errors)),
    };
    add(node, operator, New { checked, codes: Alert::default(), case: Some(case) }).await
}

/// Adds a company.
///
/// # Errors
/// `role_not_allowed`, `erased`.
pub async fn add_company(
    node: &Node,
    operator: &Operator,
    company: Identity,
    codes: Alert,
) -> Done<Addition> {
    operator.must(Action::AddRecord(company.subject()))?;
    let checked = match fit(node, company, None, &codes) {
        Ok(checked) => checked,
        Err(errors) => return Ok(Err(errors)),
    };
    add(node, operator, New { checked, codes, case: None }).await
}

/// Adds another case of a person who is in the register.
///
/// # Errors
/// `role_not_allowed`, `no_such_record`, `no_such_operator`, `other_organisation`,
/// `unfit_manager`, `erased`.
pub async fn add_case_of(
    node: &Node,
    operator: &Operator,
    id: RecordId,
    case: NewCase,
) -> Done<Addition> {
    let action =
        |row: &RecordRow| Action::AddRecord(raccordo_core::register::subject_of(&row.subject));
    if let Err(errors) = fit_case(node, &case) {
        return Ok(Err(errors));
    }
    let mut tx = node.store.write().await?;
    let keys = keys::held(node, &mut *tx).await?;
    let row = tx.register_record(id).await?.ok_or_else(no_such_record)?;
    operator.must(action(&row))?;
    if !meets(operator, &row, action) || row.kind != RecordKind::Person.as_str() {
        return Err(no_such_record());
    }
    let key = keys::of_record(node, &mut *tx, &row).await?.ok_or_else(erased)?;
    drop(keys);
    let (manager, _) = answering(node, &mut *tx, operator, &case).await?;
    let says_citizenship = names_citizenship(&case.codes);
    let case = case_row(node, &key, &row, manager, case)?;
    let added = Added { record: id, case: Some(case.case), known: false };
    audit(node, &mut *tx, operator, &added).await?;
    tx.insert_cases(vec![case]).await?;
    let woken = match says_citizenship {
        true => wanted::want(node, &mut *tx, &[id]).await?,
        false => BTreeSet::new(),
    };
    tx.commit().await?;
    woken.into_iter().for_each(|lineage| pack::wake(node, lineage));
    Ok(Ok(added))
}

/// Whether the codes of a case say of which country somebody is a citizen, which is evidence.
fn names_citizenship(codes: &Alert) -> bool {
    matches!(&codes.body, Some(Body::CaseAlert(case)) if !case.citizenship.is_empty())
}

/// Something new that passed its checks.
pub(super) struct New {
    /// Who or what.
    pub(super) checked: CheckedIdentity,
    /// Of a company.
    pub(super) codes: Alert,
    /// Of a person.
    pub(super) case: Option<NewCase>,
}

/// Rows of a new record.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) records: Vec<RecordRow>,
    pub(super) fields: Vec<FieldRow>,
    pub(super) index: Vec<IndexRow>,
    pub(super) cases: Vec<CaseRow>,
}

impl Rows {
    /// Writes them.
    pub(super) async fn insert(self, tx: &mut dyn Tx) -> Done<()> {
        tx.insert_records(self.records).await?;
        tx.insert_fields(&self.fields).await?;
        tx.insert_index(&self.index).await?;
        tx.insert_cases(self.cases).await?;
        Ok(())
    }
}

/// Checks identity, codes and state.
pub(super) fn fit(
    node: &Node,
    identity: Identity,
    case: Option<&NewCase>,
    codes: &Alert,
) -> Result<CheckedIdentity, Vec<FieldError>> {
    let kind = identity.kind;
    let checked = check(&node.lists, identity);
    let coded = check_codes(&node.lists, kind, codes, node.clock.now());
    let state = case.map_or(Ok(()), |case| fit_state(node, case));
    match (checked, coded, state) {
        (Ok(checked), Ok(()), Ok(())) => Ok(checked),
        (checked, coded, state) => {
            let parts = [checked.err(), coded.err(), state.err()];
            Err(parts.into_iter().flatten().flatten().collect())
        }
    }
}

fn fit_case(node: &Node, case: &NewCase) -> Result<(), Vec<FieldError>> {
    check_codes(&node.lists, RecordKind::Person, &case.codes, node.clock.now())?;
    fit_state(node, case)
}

fn fit_state(node: &Node, case: &NewCase) -> Result<(), Vec<FieldError>> {
    let known = |state: &String| node.lists.lookup("case_state", state).is_some();
    if case.state.as_ref().is_none_or(known) {
        return Ok(());
    }
    let message = "not in the list `case_state`".to_owned();
    Err(vec![FieldError { field: "state".into(), reason: Reason::UnknownCode, message }])
}

async fn add(node: &Node, operator: &Operator, new: New) -> Done<Addition> {
    let mut tx = node.store.write().await?;
    let keys = keys::held(node, &mut *tx).await?;
    let home = home(node, &mut *tx, operator, new.case.as_ref()).await?;
    let named = reference(&keys, home.organisation, &new.checked);
    if let Some(id) = named
        && let Some(row) = tx.register_record(id).await?
    {
        return known(&mut *tx, &row).await.map(Ok);
    }
    let id = named.unwrap_or_else(|| RecordId::random(&*node.entropy));
    let mut rows = Rows::default();
    let added = prepare(node, &keys, &home, id, new, &mut rows)?;
    audit(node, &mut *tx, operator, &added).await?;
    rows.insert(&mut *tx).await?;
    let woken = wanted::want(node, &mut *tx, &[id]).await?;
    tx.commit().await?;
    woken.into_iter().for_each(|lineage| pack::wake(node, lineage));
    Ok(Ok(added))
}

async fn known(tx: &mut dyn Tx, row: &RecordRow) -> Done<Added> {
    if row.state == ERASED {
        return Err(erased());
    }
    let case = tx.cases_of(row.record).await?.first().map(|case| case.case);
    Ok(Added { record: row.record, case, known: true })
}

async fn audit(node: &Node, tx: &mut dyn Tx, operator: &Operator, added: &Added) -> Done<()> {
    let case = added.case.map(|case| case.to_string()).unwrap_or_default();
    let detail = [("case", case.as_str())];
    let detail = if case.is_empty() { &[][..] } else { &detail };
    record(node, tx, operator.actor(), "record.add", &added.record.to_string(), detail).await
}

/// Whose a new record is.
pub(super) struct Home {
    /// The organisation that keeps it.
    pub(super) organisation: OrganisationId,
    /// Who answers for its case.
    pub(super) manager: OperatorId,
}

/// Whose a new record is: the manager's, or the caller's.
pub(super) async fn home(
    node: &Node,
    tx: &mut dyn Tx,
    operator: &Operator,
    case: Option<&NewCase>,
) -> Done<Home> {
    let own = (operator.id, operator.organisation);
    let (manager, organisation) = match case {
        Some(case) => answering(node, tx, operator, case).await?,
        None => own,
    };
    Ok(Home { organisation, manager })
}

async fn answering(
    node: &Node,
    tx: &mut dyn Tx,
    operator: &Operator,
    case: &NewCase,
) -> Done<(OperatorId, OrganisationId)> {
    match &case.manager {
        Some(named) => {
            let row = manager(node, tx, operator, named).await?;
            Ok((row.operator, row.organisation))
        }
        None => Ok((operator.id, operator.organisation)),
    }
}

/// The id that the organisation's own number gives; none without a number.
pub(super) fn reference(
    keys: &Keys,
    organisation: OrganisationId,
    checked: &CheckedIdentity,
) -> Option<RecordId> {
    let identity = checked.identity();
    let reference = identity.of(Field::Reference).next()?;
    record_of_reference(&keys.index, organisation, identity.kind, reference)
}

/// Seals a new record into rows.
///
/// # Errors
/// Never, for what passed its checks.
pub(super) fn prepare(
    node: &Node,
    keys: &Keys,
    home: &Home,
    id: RecordId,
    new: New,
    rows: &mut Rows,
) -> Done<Added> {
    let now = node.clock.now();
    let New { checked, codes, case } = new;
    let identity = checked.identity();
    let key = node.vault.new_record_key(&*node.entropy);
    for (place, entry) in (0_u32..).zip(&identity.entries) {
        let context = entry_context(id, place);
        let sealed = seal_entry(&key, &*node.entropy, &context, entry).map_err(sealing)?;
        rows.fields.push(FieldRow { record: id, place, sealed });
        let digest = digest(&keys.index, entry);
        rows.index.extend(digest.map(|digest| IndexRow { digest, record: id }));
    }
    let row = RecordRow {
        record: id,
        position: 0,
        kind: identity.kind.as_str().to_owned(),
        subject: subject_name(identity.subject()).to_owned(),
        organisation: home.organisation,
        state: "active".to_owned(),
        key_number: keys.number,
        wrapped_key: keys::wrap(node, keys, id, &key)?,
        sealed_codes: sealed_codes(node, &key, &id.to_string(), &codes)?,
        added_at: now,
        changed_at: now,
    };
    let case = case.map(|case| case_row(node, &key, &row, home.manager, case)).transpose()?;
    let added = Added { record: id, case: case.as_ref().map(|case| case.case), known: false };
    rows.records.push(row);
    rows.cases.extend(case);
    Ok(added)
}

fn case_row(
    node: &Node,
    key: &RecordKey,
    record: &RecordRow,
    manager: OperatorId,
    new: NewCase,
) -> Done<CaseRow> {
    let now = node.clock.now();
    let case = CaseId::random(&*node.entropy);
    Ok(CaseRow {
        case,
        position: 0,
        record: record.record,
        organisation: record.organisation,
        manager,
        state: new.state.unwrap_or_else(|| FIRST_STATE.to_owned()),
        sealed_codes: sealed_codes(node, key, &case.to_string(), &new.codes)?,
        opened_at: now,
        changed_at: now,
    })
}

/// Codes as they rest; nothing where there are none.
fn sealed_codes(node: &Node, key: &RecordKey, id: &str, codes: &Alert) -> Done<Vec<u8>> {
    if codes.body.is_none() {
        return Ok(Vec::new());
    }
    seal_codes(key, &*node.entropy, &codes_context(id), codes).map_err(sealing)
}

fn erased() -> Fault {
    Fault::conflict("erased", "this record was erased")
        .hint("a person who comes back is a new record: leave the reference out, or give another")
}
