//! `raccordo organisation`: the bodies inside this node.

use clap::Subcommand;
use raccordo_proto::admin::v1::directory_service_client::DirectoryServiceClient;
use raccordo_proto::admin::v1::{AddOrganisationRequest, ListOrganisationsRequest, Organisation};
use serde::Serialize;

use super::present;
use crate::client::call;
use crate::context::Context;
use crate::failure::Failure;

/// The list `organisation_class`.
const CLASSES: [&str; 16] = [
    "access_point",
    "ambito",
    "secretariat",
    "anti_trafficking",
    "union",
    "third_sector",
    "legal",
    "health",
    "shelter",
    "municipality",
    "region",
    "labour_inspectorate",
    "police",
    "prosecutor",
    "employers_association",
    "research",
];

/// Commands on organisations.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = "Example:\n  raccordo organisation add 'PUA Firenze' --class access_point")]
pub enum OrganisationCommand {
    /// Add an organisation
    #[command(
        after_help = "Example:\n  raccordo organisation add 'PUA Firenze' --class access_point"
    )]
    Add {
        /// Its name
        name: String,
        /// Its class, which limits what it may see
        #[arg(long, value_parser = CLASSES)]
        class: String,
    },
    /// List the organisations
    #[command(after_help = "Example:\n  raccordo organisation list")]
    List,
}

#[derive(Serialize)]
struct OrganisationView {
    id: String,
    name: String,
    class: String,
    operators: u32,
}

impl From<Organisation> for OrganisationView {
    fn from(Organisation { id, name, class, operators }: Organisation) -> Self {
        Self { id, name, class, operators }
    }
}

/// Runs a command on organisations.
///
/// # Errors
/// The node refuses, or does not answer.
pub async fn run(command: OrganisationCommand, context: &Context) -> Result<(), Failure> {
    let mut client = DirectoryServiceClient::new(context.admin().await?);
    match command {
        OrganisationCommand::Add { name, class } => {
            let request = AddOrganisationRequest { name, class };
            let answer = client.add_organisation(call(request)).await?.into_inner();
            let view = OrganisationView::from(present(answer.organisation)?);
            context.out.record(&view, |view| format!("{}  {}  {}", view.id, view.class, view.name))
        }
        OrganisationCommand::List => {
            let answer = client.list_organisations(call(ListOrganisationsRequest {})).await?;
            let views: Vec<OrganisationView> =
                answer.into_inner().organisations.into_iter().map(Into::into).collect();
            let row = |view: &OrganisationView| {
                let operators = view.operators.to_string();
                [view.name.clone(), view.class.clone(), operators, view.id.clone()]
            };
            let header = ["NAME", "CLASS", "OPERATORS", "ID"];
            let none =
                "no organisations yet; add one: raccordo organisation add NAME --class CLASS";
            context.out.records(&views, header, row, none)
        }
    }
}
