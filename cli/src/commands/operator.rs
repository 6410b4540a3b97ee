//! `raccordo operator`: who may act on cases at this node.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use raccordo_core::secret::Secret;
use raccordo_proto::admin::v1::directory_service_client::DirectoryServiceClient;
use raccordo_proto::admin::v1::{
    AddOperatorRequest, DisableOperatorRequest, InviteOperatorRequest, ListOperatorsRequest,
    Operator, SetOperatorPhoneRequest, SetOperatorRoleRequest, SignOutOperatorRequest,
};
use serde::Serialize;
use tonic::transport::Channel;

use super::present;
use crate::client::call;
use crate::context::Context;
use crate::failure::Failure;
use crate::files::{self, PrivateFile};

const ROLES: [&str; 6] =
    ["frontline", "case_manager", "secretariat", "coordinator", "auditor", "administrator"];

/// Commands on operators.
#[derive(Clone, Debug, Subcommand)]
#[command(
    after_help = "Example:\n  raccordo operator add anna --organisation 'PUA Firenze' --role case_manager --token-out anna.token"
)]
pub enum OperatorCommand {
    /// Add an operator, and write the token that only this file will hold
    #[command(
        after_help = "Example:\n  raccordo operator add anna --organisation 'PUA Firenze' --role case_manager --token-out anna.token"
    )]
    Add {
        /// The operator's name
        name: String,
        /// Name or id of the organisation
        #[arg(long)]
        organisation: String,
        /// What the operator may do
        #[arg(long, value_parser = ROLES)]
        role: String,
        /// New file for the token, readable by its owner alone
        #[arg(long, value_name = "FILE", value_parser = token_path)]
        token_out: PathBuf,
    },
    /// List the operators
    #[command(after_help = "Example:\n  raccordo operator list")]
    List,
    /// Give an operator another role
    #[command(after_help = "Example:\n  raccordo operator role anna --role coordinator")]
    Role {
        /// The operator's name or id
        #[arg(id = "name")]
        operator: String,
        /// What the operator may do from now on
        #[arg(long, value_parser = ROLES)]
        role: String,
    },
    /// Keep an operator's phone at work, for the manager on the other side of a linked match
    #[command(
        long_about = "Keep an operator's phone at work, for the manager on the other side of a linked match.\n\nReads the phone from standard input, or from a file: what identifies a person stands in no list of processes.",
        after_help = "Example:\n  raccordo operator phone anna --file phone.txt"
    )]
    Phone {
        /// The operator's name or id
        #[arg(id = "name")]
        operator: String,
        /// File that holds the phone; - for standard input
        #[arg(long, value_name = "FILE", default_value = "-")]
        file: PathBuf,
        /// Forget the phone
        #[arg(long, conflicts_with = "file")]
        forget: bool,
    },
    /// Make the link by which an operator activates an account at the desk
    #[command(
        after_help = "The link works once, for 72 hours. Made again, it also sets a new password.\n\nExample:\n  raccordo operator invite anna"
    )]
    Invite {
        /// The operator's name or id
        #[arg(id = "name")]
        operator: String,
    },
    /// End all sessions of an operator at the desk
    #[command(after_help = "Example:\n  raccordo operator sign-out anna")]
    SignOut {
        /// The operator's name or id
        #[arg(id = "name")]
        operator: String,
    },
    /// Refuse an operator's token from now on
    #[command(after_help = "Example:\n  raccordo operator disable anna")]
    Disable {
        /// The operator's name or id
        #[arg(id = "name")]
        operator: String,
    },
}

#[derive(Serialize)]
struct OperatorView {
    id: String,
    name: String,
    organisation: String,
    role: String,
    enabled: bool,
}

impl From<Operator> for OperatorView {
    fn from(Operator { id, name, organisation, role, enabled }: Operator) -> Self {
        Self { id, name, organisation, role, enabled }
    }
}

/// Runs a command on operators.
///
/// # Errors
/// The node refuses or does not answer, or the token's file cannot be made.
pub async fn run(command: OperatorCommand, context: &Context) -> Result<(), Failure> {
    let mut client = DirectoryServiceClient::new(context.admin().await?);
    let operator = match command {
        OperatorCommand::Add { name, organisation, role, token_out } => {
            let request = AddOperatorRequest { name, organisation, role };
            let operator = add(&mut client, request, &token_out).await?;
            show(operator, context)?;
            context.out.note(&format!("the token is in {} and nowhere else", token_out.display()));
            return Ok(());
        }
        OperatorCommand::List => return list(&mut client, context).await,
        OperatorCommand::Role { operator, role } => {
            let request = SetOperatorRoleRequest { operator, role };
            client.set_operator_role(call(request)).await?.into_inner().operator
        }
        OperatorCommand::Phone { operator, file, forget } => {
            let phone = if forget { String::new() } else { phone(&file)? };
            let request = SetOperatorPhoneRequest { operator, phone };
            client.set_operator_phone(call(request)).await?.into_inner().operator
        }
        OperatorCommand::Invite { operator } => {
            return invite(&mut client, operator, context).await;
        }
        OperatorCommand::SignOut { operator } => {
            let request = SignOutOperatorRequest { operator };
            client.sign_out_operator(call(request)).await?.into_inner().operator
        }
        OperatorCommand::Disable { operator } => {
            let request = DisableOperatorRequest { operator };
            client.disable_operator(call(request)).await?.into_inner().operator
        }
    };
    show(present(operator)?, context)
}

/// Makes the token's file first, so that no token is made that cannot be kept.
async fn add(
    client: &mut DirectoryServiceClient<Channel>,
    request: AddOperatorRequest,
    token_out: &Path,
) -> Result<Operator, Failure> {
    let file = PrivateFile::create(token_out, false)?;
    let answer = match client.add_operator(call(request)).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => {
            file.discard();
            return Err(status.into());
        }
    };
    let token = Secret::new(format!("{}\n", Secret::new(answer.token).reveal()));
    let operator = present(answer.operator)?;
    file.write(token.reveal().as_bytes()).map_err(|failure| {
        failure.hint(format!(
            "the operator exists without a token: raccordo operator disable {}",
            operator.id
        ))
    })?;
    Ok(operator)
}

#[derive(Serialize)]
struct InvitationView {
    operator: OperatorView,
    link: String,
}

async fn invite(
    client: &mut DirectoryServiceClient<Channel>,
    operator: String,
    context: &Context,
) -> Result<(), Failure> {
    let desk = context.desk_url()?;
    let request = InviteOperatorRequest { operator };
    let answer = client.invite_operator(call(request)).await?.into_inner();
    let operator: OperatorView = present(answer.operator)?.into();
    let link = format!("{desk}{}", answer.path);
    let view = InvitationView { operator, link };
    context.out.record(&view, |view| {
        format!("{}\nfor {} alone; it works once, for 72 hours", view.link, view.operator.name)
    })
}

async fn list(
    client: &mut DirectoryServiceClient<Channel>,
    context: &Context,
) -> Result<(), Failure> {
    let operators = client.list_operators(call(ListOperatorsRequest {})).await?.into_inner();
    let views: Vec<OperatorView> = operators.operators.into_iter().map(Into::into).collect();
    let row = |view: &OperatorView| {
        let enabled = if view.enabled { "yes" } else { "no" }.to_owned();
        let OperatorView { id, name, organisation, role, .. } = view;
        [name.clone(), role.clone(), organisation.clone(), enabled, id.clone()]
    };
    let header = ["NAME", "ROLE", "ORGANISATION", "ENABLED", "ID"];
    context.out.records(&views, header, row, "no operators yet; add one: raccordo operator add")
}

fn show(operator: Operator, context: &Context) -> Result<(), Failure> {
    context.out.record(&OperatorView::from(operator), |view| {
        let enabled = if view.enabled { "enabled" } else { "disabled" };
        format!("{}  {}  {}, {}, {enabled}", view.id, view.name, view.role, view.organisation)
    })
}

/// The phone in a file.
fn phone(file: &Path) -> Result<String, Failure> {
    let text = Secret::new(files::read_text(file)?);
    match text.reveal().trim() {
        "" => Err(Failure::usage("no_phone", "there is no phone in what was read")
            .hint("type it and end with Ctrl-D, or give --file; --forget forgets one")),
        phone => Ok(phone.to_owned()),
    }
}

/// A token is written to a file, never to the terminal.
fn token_path(text: &str) -> Result<PathBuf, String> {
    match text {
        "-" => Err("a token is written to a file, not to standard output".to_owned()),
        _ => Ok(PathBuf::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_never_printed() {
        assert!(token_path("-").is_err());
        assert_eq!(token_path("anna.token"), Ok(PathBuf::from("anna.token")));
    }
}
