//! Lists, finds, shows, changes and erases cases and companies.

use std::path::PathBuf;

use clap::Args;
use raccordo_proto::casework::v1::register_service_client::RegisterServiceClient;
use raccordo_proto::casework::v1::{
    AddCaseRequest, AddCompanyRequest, ChangeCaseRequest, EraseCaseRequest, EraseCompanyRequest,
    FindCasesRequest, FindCompaniesRequest, ListCasesRequest, ListCompaniesRequest,
    ShowCaseRequest, ShowCompanyRequest,
};

use super::view::{
    CaseDetail, CaseView, CompanyDetail, CompanyView, FoundCompanyView, FoundPersonView,
};
use super::{EraseArgs, PURPOSE, ShowArgs, input};
use crate::client::ANSWER_BYTES_MAX;
use crate::commands::{ask, present};
use crate::context::Context;
use crate::failure::Failure;

/// Options of `list`.
#[derive(Args, Clone, Debug)]
pub struct ListArgs {
    /// Only in this state: of a case from the list `case_state`, of a company `active`; or
    /// `erased`
    #[arg(long, conflicts_with = "find")]
    state: Option<String>,
    /// Only those that have a value of this JSON file, in the form of `add`; - for standard
    /// input
    #[arg(long, value_name = "FILE")]
    find: Option<PathBuf>,
    /// Why is looked for them, from the list `purpose`
    #[arg(long, value_name = "CODE", default_value = PURPOSE, requires = "find")]
    purpose: String,
}

/// Options of `case set`.
#[derive(Args, Clone, Debug)]
pub struct SetArgs {
    /// The case's id
    id: String,
    /// From the list `case_state`
    #[arg(long, required_unless_present = "manager")]
    state: Option<String>,
    /// Name or id of the operator who answers for it
    #[arg(long, value_name = "NAME")]
    manager: Option<String>,
}

const CASE_HEADER: [&str; 5] = ["ID", "STATE", "ORGANISATION", "MANAGER", "OPENED"];

fn case_row(view: &CaseView) -> [String; 5] {
    let CaseView { id, state, organisation, manager, opened_at, .. } = view;
    let opened = opened_at.clone().unwrap_or_default();
    [id.clone(), state.clone(), organisation.clone(), manager.clone(), opened]
}

/// Lists or finds cases.
pub(super) async fn cases(args: ListArgs, context: &Context) -> Result<(), Failure> {
    let sought: Option<AddCaseRequest> = args.find.as_deref().map(input::read).transpose()?;
    let (channel, operator) = context.casework().await?;
    let mut client =
        RegisterServiceClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
    if let Some(sought) = sought {
        let asked = FindCasesRequest { person: sought.person, purpose: args.purpose };
        let answer = client.find_cases(operator.call(asked)).await?.into_inner();
        input::refused(answer.violations)?;
        let views: Vec<_> = answer.people.into_iter().map(FoundPersonView::from).collect();
        let row = |view: &FoundPersonView| {
            let cases: Vec<&str> = view.cases.iter().map(|case| case.id.as_str()).collect();
            [cases.join(" "), view.fields.join(" ")]
        };
        return context.out.records(&views, ["CASES", "AGREE IN"], row, "nobody has these values");
    }
    let state = args.state.unwrap_or_default();
    let mut asked = ListCasesRequest { state, ..ListCasesRequest::default() };
    let mut views = Vec::new();
    loop {
        let page = client.list_cases(operator.call(asked.clone())).await?.into_inner();
        let cases = page.cases.into_iter().map(CaseView::from);
        match context.out.is_json() {
            true => cases.into_iter().try_for_each(|view| context.out.object(&view))?,
            false => views.extend(cases),
        }
        if page.next_page_token.is_empty() {
            return context.out.records(&views, CASE_HEADER, case_row, "no cases");
        }
        asked.page_token = page.next_page_token;
    }
}

/// Lists or finds companies.
pub(super) async fn companies(args: ListArgs, context: &Context) -> Result<(), Failure> {
    let sought: Option<AddCompanyRequest> = args.find.as_deref().map(input::read).transpose()?;
    let (channel, operator) = context.casework().await?;
    let mut client =
        RegisterServiceClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
    if let Some(sought) = sought {
        let asked = FindCompaniesRequest { company: sought.company, purpose: args.purpose };
        let answer = client.find_companies(operator.call(asked)).await?.into_inner();
        input::refused(answer.violations)?;
        let views = answer.companies.into_iter().map(FoundCompanyView::of);
        let views = views.collect::<Result<Vec<_>, _>>()?;
        let row = |view: &FoundCompanyView| [view.company.id.clone(), view.fields.join(" ")];
        return context.out.records(&views, ["ID", "AGREES IN"], row, "none has these values");
    }
    let state = args.state.unwrap_or_default();
    let mut asked = ListCompaniesRequest { state, ..ListCompaniesRequest::default() };
    let mut views = Vec::new();
    loop {
        let page = client.list_companies(operator.call(asked.clone())).await?.into_inner();
        let companies = page.companies.into_iter().map(CompanyView::from);
        match context.out.is_json() {
            true => companies.into_iter().try_for_each(|view| context.out.object(&view))?,
            false => views.extend(companies),
        }
        if page.next_page_token.is_empty() {
            break;
        }
        asked.page_token = page.next_page_token;
    }
    let row = |view: &CompanyView| {
        let CompanyView { id, state, organisation, added_at, .. } = view;
        [id.clone(), state.clone(), organisation.clone(), added_at.clone().unwrap_or_default()]
    };
    context.out.records(&views, ["ID", "STATE", "ORGANISATION", "ADDED"], row, "no companies")
}

/// Shows a case.
pub(super) async fn case(args: ShowArgs, context: &Context) -> Result<(), Failure> {
    let (channel, operator) = context.casework().await?;
    let asked = ShowCaseRequest { id: args.id, purpose: args.purpose };
    let answer = RegisterServiceClient::new(channel).show_case(operator.call(asked)).await?;
    context.out.record(&CaseDetail::of(answer.into_inner())?, CaseDetail::describe)
}

/// Shows a company.
pub(super) async fn company(args: ShowArgs, context: &Context) -> Result<(), Failure> {
    let (channel, operator) = context.casework().await?;
    let asked = ShowCompanyRequest { id: args.id, purpose: args.purpose };
    let answer = RegisterServiceClient::new(channel).show_company(operator.call(asked)).await?;
    context.out.record(&CompanyDetail::of(answer.into_inner())?, CompanyDetail::describe)
}

/// Changes a case.
pub(super) async fn set(args: SetArgs, context: &Context) -> Result<(), Failure> {
    let (channel, operator) = context.casework().await?;
    let SetArgs { id, state, manager } = args;
    let (state, manager) = (state.unwrap_or_default(), manager.unwrap_or_default());
    let asked = ChangeCaseRequest { id, state, manager };
    let answer = RegisterServiceClient::new(channel).change_case(operator.call(asked)).await?;
    let answer = answer.into_inner();
    input::refused(answer.violations)?;
    let view = CaseView::from(present(answer.case)?);
    context.out.record(&view, |view| format!("{}  {}, {}", view.id, view.state, view.manager))
}

/// Erases the person of a case.
pub(super) async fn erase_case(args: EraseArgs, context: &Context) -> Result<(), Failure> {
    let question = "destroy this person's record and all its cases for ever?";
    ask(args.yes, context.out.is_json(), question)?;
    let (channel, operator) = context.casework().await?;
    let asked = EraseCaseRequest { id: args.id.clone() };
    let answer = RegisterServiceClient::new(channel).erase_case(operator.call(asked)).await?;
    let record = answer.into_inner().record_id;
    let view = serde_json::json!({"id": args.id, "record": record, "state": "erased"});
    context.out.record(&view, |_| format!("{}  erased", args.id))
}

/// Erases a company.
pub(super) async fn erase_company(args: EraseArgs, context: &Context) -> Result<(), Failure> {
    ask(args.yes, context.out.is_json(), "destroy this company's record for ever?")?;
    let (channel, operator) = context.casework().await?;
    let asked = EraseCompanyRequest { id: args.id.clone() };
    RegisterServiceClient::new(channel).erase_company(operator.call(asked)).await?;
    let view = serde_json::json!({"id": args.id, "state": "erased"});
    context.out.record(&view, |_| format!("{}  erased", args.id))
}
