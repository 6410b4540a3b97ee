//! The register's calls: decoded, handed to a use case, encoded.

use std::sync::Arc;

use raccordo_core::id::{CaseId, Digest, RecordId};
use raccordo_core::object::Subject;
use raccordo_core::register::{RecordKind, subject_of};
use raccordo_proto::casework::v1 as proto;
use raccordo_proto::casework::v1::register_service_server::RegisterService;
use tonic::{Request, Response, async_trait};

use super::caller::{Callers, bearer};
use super::identity;
use super::record::{timestamp, violation};
use crate::api::Answer;
use crate::api::number::bounded;
use crate::app::Node;
use crate::app::directory::Operator;
use crate::app::fault::{Done, Fault};
use crate::app::register::add::{self, NewCase};
use crate::app::register::change::{self, Change};
use crate::app::register::import::{self, Batch, Line, Progress, Refused};
use crate::app::register::list::{self, CaseSummary, Query, RecordSummary};
use crate::app::register::{erase, find, show};
use crate::app::share::Violation;

/// Entries of a page where the caller says nothing.
const SIZE_DEFAULT: u32 = 200;
/// Most entries of a page.
const SIZE_MAX: u32 = 1_000;

/// The service `raccordo.casework.v1.RegisterService`.
pub struct RegisterCalls {
    node: Arc<Node>,
    callers: Arc<Callers>,
}

impl RegisterCalls {
    /// Serves, and remembers callers by itself.
    pub fn new(node: Arc<Node>) -> Self {
        Self { node, callers: Arc::default() }
    }

    /// Who calls, and what is asked.
    async fn heard<T>(&self, request: Request<T>) -> Done<(Operator, T)> {
        let token = bearer(request.metadata())?;
        let operator = self.callers.operator(&self.node, &token).await?;
        Ok((operator, request.into_inner()))
    }
}

#[async_trait]
impl RegisterService for RegisterCalls {
    async fn add_case(
        &self,
        request: Request<proto::AddCaseRequest>,
    ) -> Answer<proto::AddCaseResponse> {
        let (operator, asked) = self.heard(request).await?;
        let case = new_case(asked.case);
        let done = match (asked.person, asked.record_id.as_str()) {
            (Some(person), "") => {
                add::add_case(&self.node, &operator, identity::person(person), case).await?
            }
            (None, id) if !id.is_empty() => {
                let id: RecordId = id.parse().map_err(Fault::from)?;
                add::add_case_of(&self.node, &operator, id, case).await?
            }
            _ => {
                let message = "give either a person, or the record of a known one";
                return Err(Fault::usage("malformed", message).into());
            }
        };
        Ok(Response::new(match done {
            Ok(added) => proto::AddCaseResponse {
                id: added.case.map(|case| case.to_string()).unwrap_or_default(),
                record_id: added.record.to_string(),
                known: added.known,
                violations: Vec::new(),
            },
            Err(errors) => {
                proto::AddCaseResponse { violations: violations(errors), ..Default::default() }
            }
        }))
    }

    async fn list_cases(
        &self,
        request: Request<proto::ListCasesRequest>,
    ) -> Answer<proto::ListCasesResponse> {
        let (operator, asked) = self.heard(request).await?;
        let known = |state: &str| self.node.lists.lookup("case_state", state).is_some();
        let query = query(asked.state, asked.page_size, &asked.page_token, known)?;
        let (cases, next) = list::cases(&self.node, &operator, &query).await?;
        let next_page_token = next.map(|position| position.to_string()).unwrap_or_default();
        let cases = cases.into_iter().map(case_summary).collect();
        Ok(Response::new(proto::ListCasesResponse { cases, next_page_token }))
    }

    async fn find_cases(
        &self,
        request: Request<proto::FindCasesRequest>,
    ) -> Answer<proto::FindCasesResponse> {
        let (operator, asked) = self.heard(request).await?;
        let sought = identity::person(asked.person.unwrap_or_default());
        let found = find::find(&self.node, &operator, sought, &asked.purpose).await?;
        Ok(Response::new(match found {
            Ok(found) => {
                let person = |found: find::Found| proto::FoundPerson {
                    record_id: found.summary.row.record.to_string(),
                    fields: found.fields.iter().map(|field| field.as_str().to_owned()).collect(),
                    cases: found.cases.into_iter().map(case_summary).collect(),
                };
                let people = found.into_iter().map(person).collect();
                proto::FindCasesResponse { people, violations: Vec::new() }
            }
            Err(errors) => {
                proto::FindCasesResponse { people: Vec::new(), violations: violations(errors) }
            }
        }))
    }

    async fn show_case(
        &self,
        request: Request<proto::ShowCaseRequest>,
    ) -> Answer<proto::ShowCaseResponse> {
        let (operator, asked) = self.heard(request).await?;
        let id: CaseId = asked.id.parse().map_err(Fault::from)?;
        let view = show::case(&self.node, &operator, id, &asked.purpose).await?;
        Ok(Response::new(proto::ShowCaseResponse {
            case: Some(case_summary(view.summary)),
            person: Some(identity::person_message(&view.record.entries)),
            codes: identity::case_codes_message(view.codes),
        }))
    }

    async fn change_case(
        &self,
        request: Request<proto::ChangeCaseRequest>,
    ) -> Answer<proto::ChangeCaseResponse> {
        let (operator, asked) = self.heard(request).await?;
        let id: CaseId = asked.id.parse().map_err(Fault::from)?;
        let wanted = Change { state: given(asked.state), manager: given(asked.manager) };
        let done = change::change(&self.node, &operator, id, wanted).await?;
        Ok(Response::new(match done {
            Ok(case) => {
                proto::ChangeCaseResponse { case: Some(case_summary(case)), violations: Vec::new() }
            }
            Err(errors) => proto::ChangeCaseResponse { case: None, violations: violations(errors) },
        }))
    }

    async fn erase_case(
        &self,
        request: Request<proto::EraseCaseRequest>,
    ) -> Answer<proto::EraseCaseResponse> {
        let (operator, asked) = self.heard(request).await?;
        let id: CaseId = asked.id.parse().map_err(Fault::from)?;
        let record = erase::person_of(&self.node, &operator, id).await?;
        Ok(Response::new(proto::EraseCaseResponse { record_id: record.to_string() }))
    }

    async fn add_company(
        &self,
        request: Request<proto::AddCompanyRequest>,
    ) -> Answer<proto::AddCompanyResponse> {
        let (operator, asked) = self.heard(request).await?;
        let company = identity::company(asked.company.unwrap_or_default());
        let codes = identity::company_codes(asked.codes);
        let done = add::add_company(&self.node, &operator, company, codes).await?;
        Ok(Response::new(match done {
            Ok(added) => proto::AddCompanyResponse {
                id: added.record.to_string(),
                known: added.known,
                violations: Vec::new(),
            },
            Err(errors) => {
                proto::AddCompanyResponse { violations: violations(errors), ..Default::default() }
            }
        }))
    }

    async fn list_companies(
        &self,
        request: Request<proto::ListCompaniesRequest>,
    ) -> Answer<proto::ListCompaniesResponse> {
        let (operator, asked) = self.heard(request).await?;
        let known = |state: &str| state == "active";
        let query = query(asked.state, asked.page_size, &asked.page_token, known)?;
        let (companies, next) = list::companies(&self.node, &operator, &query).await?;
        let next_page_token = next.map(|position| position.to_string()).unwrap_or_default();
        let companies = companies.iter().map(company_summary).collect();
        Ok(Response::new(proto::ListCompaniesResponse { companies, next_page_token }))
    }

    async fn find_companies(
        &self,
        request: Request<proto::FindCompaniesRequest>,
    ) -> Answer<proto::FindCompaniesResponse> {
        let (operator, asked) = self.heard(request).await?;
        let sought = identity::company(asked.company.unwrap_or_default());
        let found = find::find(&self.node, &operator, sought, &asked.purpose).await?;
        Ok(Response::new(match found {
            Ok(found) => {
                let company = |found: &find::Found| proto::FoundCompany {
                    company: Some(company_summary(&found.summary)),
                    fields: found.fields.iter().map(|field| field.as_str().to_owned()).collect(),
                };
                let companies = found.iter().map(company).collect();
                proto::FindCompaniesResponse { companies, violations: Vec::new() }
            }
            Err(errors) => proto::FindCompaniesResponse {
                companies: Vec::new(),
                violations: violations(errors),
            },
        }))
    }

    async fn show_company(
        &self,
        request: Request<proto::ShowCompanyRequest>,
    ) -> Answer<proto::ShowCompanyResponse> {
        let (operator, asked) = self.heard(request).await?;
        let id: RecordId = asked.id.parse().map_err(Fault::from)?;
        let view = show::company(&self.node, &operator, id, &asked.purpose).await?;
        let summary = company_summary(&view.summary);
        Ok(Response::new(proto::ShowCompanyResponse {
            company: Some(identity::company_message(&view.entries, summary.sole_trader)),
            summary: Some(summary),
            codes: identity::company_codes_message(view.codes),
        }))
    }

    async fn erase_company(
        &self,
        request: Request<proto::EraseCompanyRequest>,
    ) -> Answer<proto::EraseCompanyResponse> {
        let (operator, asked) = self.heard(request).await?;
        let id: RecordId = asked.id.parse().map_err(Fault::from)?;
        erase::company(&self.node, &operator, id).await?;
        Ok(Response::new(proto::EraseCompanyResponse {}))
    }

    async fn show_import(
        &self,
        request: Request<proto::ShowImportRequest>,
    ) -> Answer<proto::ShowImportResponse> {
        let (operator, asked) = self.heard(request).await?;
        let (kind, source) = (kind(&asked.kind)?, source(&asked.source)?);
        let come = import::progress(&self.node, &operator, kind, &source).await?;
        Ok(Response::new(proto::ShowImportResponse { progress: Some(progress(come)) }))
    }

    async fn import_records(
        &self,
        request: Request<proto::ImportRecordsRequest>,
    ) -> Answer<proto::ImportRecordsResponse> {
        let (operator, asked) = self.heard(request).await?;
        let batch = Batch {
            kind: kind(&asked.kind)?,
            source: source(&asked.source)?,
            lines: asked.lines.into_iter().map(line).collect::<Done<_>>()?,
            until: bounded(asked.until, "until")?,
            refused: bounded(asked.refused, "refused")?,
            dry_run: asked.dry_run,
        };
        let (come, refused) = import::import(&self.node, &operator, batch).await?;
        Ok(Response::new(proto::ImportRecordsResponse {
            progress: Some(progress(come)),
            refused: refused.into_iter().map(refused_line).collect(),
        }))
    }
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn new_case(asked: Option<proto::Case>) -> NewCase {
    let proto::Case { state, manager, codes } = asked.unwrap_or_default();
    let codes = identity::case_codes(codes);
    NewCase { state: given(state), manager: given(manager), codes }
}

/// What is asked of a list; `known` tells its states besides `erased`.
fn query(state: String, size: u32, token: &str, known: impl Fn(&str) -> bool) -> Done<Query> {
    let state = given(state);
    if state.as_deref().is_some_and(|state| state != "erased" && !known(state)) {
        return Err(Fault::usage("unknown_state", "there is no such state")
            .hint("see `raccordo codes list case_state`; also `erased`"));
    }
    let limit = if size == 0 { SIZE_DEFAULT } else { size.min(SIZE_MAX) };
    Ok(Query { state, after: super::page::position(token)?, limit })
}

fn kind(text: &str) -> Done<RecordKind> {
    RecordKind::parse(text)
        .ok_or_else(|| Fault::usage("malformed", "a record's kind is `person` or `company`"))
}

fn source(bytes: &[u8]) -> Done<Digest> {
    Ok(Digest::try_from(bytes)?)
}

fn line(message: proto::ImportLine) -> Done<Line> {
    use proto::import_line::Record;
    let line = bounded(message.line, "line")?;
    match message.record {
        Some(Record::Case(asked)) if asked.record_id.is_empty() => Ok(Line {
            line,
            identity: identity::person(asked.person.unwrap_or_default()),
            codes: Default::default(),
            case: Some(new_case(asked.case)),
        }),
        Some(Record::Company(asked)) => Ok(Line {
            line,
            identity: identity::company(asked.company.unwrap_or_default()),
            codes: identity::company_codes(asked.codes),
            case: None,
        }),
        _ => Err(Fault::usage("malformed", "a line holds a person or a company")),
    }
}

fn violations(errors: Vec<raccordo_core::alert::FieldError>) -> Vec<proto::FieldViolation> {
    errors.into_iter().map(|error| violation(Violation { index: 0, error })).collect()
}

fn refused_line(refused: Refused) -> proto::RefusedLine {
    let Refused { line, error } = refused;
    let reason = error.reason.as_str().to_owned();
    proto::RefusedLine { line, field: error.field, reason, message: error.message }
}

fn progress(come: Progress) -> proto::ImportProgress {
    let Progress { line, added, known, refused } = come;
    proto::ImportProgress { line, added, known, refused }
}

fn case_summary(summary: CaseSummary) -> proto::CaseSummary {
    let CaseSummary { row, organisation, manager } = summary;
    proto::CaseSummary {
        id: row.case.to_string(),
        record_id: row.record.to_string(),
        state: row.state,
        organisation,
        manager: manager.reveal().clone(),
        opened_at: Some(timestamp(row.opened_at)),
        changed_at: Some(timestamp(row.changed_at)),
    }
}

fn company_summary(summary: &RecordSummary) -> proto::CompanySummary {
    let RecordSummary { row, organisation } = summary;
    proto::CompanySummary {
        id: row.record.to_string(),
        state: row.state.clone(),
        organisation: organisation.clone(),
        sole_trader: subject_of(&row.subject) == Subject::Person,
        added_at: Some(timestamp(row.added_at)),
    }
}
