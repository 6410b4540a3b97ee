//! `raccordo case add` and `raccordo company add`.

use std::path::Path;

use raccordo_proto::casework::v1::register_service_client::RegisterServiceClient;
use serde::Serialize;

use super::input;
use crate::context::Context;
use crate::failure::Failure;

#[derive(Serialize)]
struct AddedView {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<String>,
    known: bool,
}

/// Adds a case.
pub(super) async fn case(file: Option<&Path>, context: &Context) -> Result<(), Failure> {
    let asked = input::read_or_ask(file, input::ask_person)?;
    let (channel, operator) = context.casework().await?;
    let mut client = RegisterServiceClient::new(channel);
    let answer = client.add_case(operator.call(asked)).await?.into_inner();
    input::refused(answer.violations)?;
    let view = AddedView { id: answer.id, record: Some(answer.record_id), known: answer.known };
    show(&view, "case", context)
}

/// Adds a company.
pub(super) async fn company(file: Option<&Path>, context: &Context) -> Result<(), Failure> {
    let asked = input::read_or_ask(file, input::ask_company)?;
    let (channel, operator) = context.casework().await?;
    let mut client = RegisterServiceClient::new(channel);
    let answer = client.add_company(operator.call(asked)).await?.into_inner();
    input::refused(answer.violations)?;
    show(&AddedView { id: answer.id, record: None, known: answer.known }, "company", context)
}

fn show(view: &AddedView, what: &str, context: &Context) -> Result<(), Failure> {
    context.out.record(view, |view| match view.known {
        true => format!("{}  was there before, under this reference", view.id),
        false => format!("{}  {what} added", view.id),
    })
}
