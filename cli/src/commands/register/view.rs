//! Cases and companies as JSON and as text.

use raccordo_proto::casework::v1::{
    CaseSummary, CompanySummary, FoundCompany, FoundPerson, ShowCaseResponse, ShowCompanyResponse,
};
use serde::Serialize;
use serde_json::Value;

use crate::commands::present;
use crate::failure::Failure;

/// A case in a list.
#[derive(Serialize)]
pub(super) struct CaseView {
    pub(super) id: String,
    pub(super) record: String,
    pub(super) state: String,
    pub(super) organisation: String,
    pub(super) manager: String,
    pub(super) opened_at: Option<String>,
    pub(super) changed_at: Option<String>,
}

/// A company in a list.
#[derive(Serialize)]
pub(super) struct CompanyView {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) organisation: String,
    pub(super) sole_trader: bool,
    pub(super) added_at: Option<String>,
}

/// A person who was found.
#[derive(Serialize)]
pub(super) struct FoundPersonView {
    pub(super) record: String,
    pub(super) fields: Vec<String>,
    pub(super) cases: Vec<CaseView>,
}

/// A company that was found.
#[derive(Serialize)]
pub(super) struct FoundCompanyView {
    #[serde(flatten)]
    pub(super) company: CompanyView,
    pub(super) fields: Vec<String>,
}

/// A case with its person.
#[derive(Serialize)]
pub(super) struct CaseDetail {
    #[serde(flatten)]
    case: CaseView,
    person: Value,
    codes: Value,
}

/// A company with what identifies it.
#[derive(Serialize)]
pub(super) struct CompanyDetail {
    #[serde(flatten)]
    company: CompanyView,
    identity: Value,
    codes: Value,
}

impl From<CaseSummary> for CaseView {
    fn from(case: CaseSummary) -> Self {
        Self {
            id: case.id,
            record: case.record_id,
            state: case.state,
            organisation: case.organisation,
            manager: case.manager,
            opened_at: case.opened_at.and_then(|at| rfc3339(at.seconds, at.nanos)),
            changed_at: case.changed_at.and_then(|at| rfc3339(at.seconds, at.nanos)),
        }
    }
}

impl From<CompanySummary> for CompanyView {
    fn from(company: CompanySummary) -> Self {
        Self {
            id: company.id,
            state: company.state,
            organisation: company.organisation,
            sole_trader: company.sole_trader,
            added_at: company.added_at.and_then(|at| rfc3339(at.seconds, at.nanos)),
        }
    }
}

impl From<FoundPerson> for FoundPersonView {
    fn from(found: FoundPerson) -> Self {
        let cases = found.cases.into_iter().map(CaseView::from).collect();
        Self { record: found.record_id, fields: found.fields, cases }
    }
}

impl FoundCompanyView {
    /// Takes an answer of the node.
    pub(super) fn of(found: FoundCompany) -> Result<Self, Failure> {
        Ok(Self { company: present(found.company)?.into(), fields: found.fields })
    }
}

impl CaseDetail {
    /// Takes an answer of the node.
    pub(super) fn of(answer: ShowCaseResponse) -> Result<Self, Failure> {
        let case = present(answer.case)?.into();
        Ok(Self { case, person: json(&answer.person)?, codes: json(&answer.codes)? })
    }

    /// For people.
    pub(super) fn describe(&self) -> String {
        let CaseView { id, state, organisation, manager, opened_at, .. } = &self.case;
        let opened = opened_at.as_deref().unwrap_or("-");
        let head = format!("{id}  {state}\n{organisation}, {manager}, opened {opened}\n");
        head + &lines(&self.person) + &lines(&self.codes)
    }
}

impl CompanyDetail {
    /// Takes an answer of the node.
    pub(super) fn of(answer: ShowCompanyResponse) -> Result<Self, Failure> {
        let company = present(answer.summary)?.into();
        Ok(Self { company, identity: json(&answer.company)?, codes: json(&answer.codes)? })
    }

    /// For people.
    pub(super) fn describe(&self) -> String {
        let CompanyView { id, state, organisation, .. } = &self.company;
        format!("{id}  {state}\n{organisation}\n") + &lines(&self.identity) + &lines(&self.codes)
    }
}

/// One line for each field; what has parts stands with its parts in their order.
fn lines(value: &Value) -> String {
    let mut text = String::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for item in items {
            text.push_str(&format!("  {name:<14} {}\n", words(item)));
        }
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(parts) => parts.values().map(words).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn json(message: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(message)
        .map_err(|error| Failure::internal(format!("cannot show the record: {error}")))
}

fn rfc3339(seconds: i64, nanos: i32) -> Option<String> {
    jiff::Timestamp::new(seconds, nanos).ok().map(|time| time.to_string())
}

#[cfg(test)]
mod tests {
    use raccordo_proto::casework::v1::{Person, PersonName};

    use super::*;

    #[test]
    fn details_read_well() {
        let name = |given: &str| PersonName { family: "Rossi".into(), given: given.into() };
        let answer = ShowCaseResponse {
            case: Some(CaseSummary {
                id: "7".into(),
                state: "closed".into(),
                organisation: "PUA".into(),
                manager: "anna".into(),
                ..CaseSummary::default()
            }),
            person: Some(Person {
                names: vec![name("Mario"), name("Maria")],
                phones: vec!["055 1".into()],
                ..Person::default()
            }),
            codes: None,
        };
        let detail = CaseDetail::of(answer).unwrap();
        let text = detail.describe();
        for line in ["7  closed", "PUA, anna", "Rossi Mario", "Rossi Maria", "055 1"] {
            assert!(text.contains(line), "{text}");
        }
        let json = serde_json::to_value(&detail).unwrap();
        assert_eq!(json["person"]["names"][1]["given"], "Maria");
        assert_eq!((&json["id"], &json["codes"]), (&"7".into(), &Value::Null));
    }
}
