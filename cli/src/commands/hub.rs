//! `raccordo hub`: what this node carries for others.

use clap::Subcommand;
use raccordo_proto::admin::v1::hub_admin_service_client::HubAdminServiceClient;
use raccordo_proto::admin::v1::{
    AcceptEquipeRequest, CarriedEquipe, EvictEquipeRequest, LimitEquipeRequest, ListCarriedRequest,
    RefuseEquipeRequest,
};
use serde::Serialize;

use super::{ask, present};
use crate::client::call;
use crate::context::Context;
use crate::failure::Failure;

/// Commands of a hub's administrator.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = "Example:\n  raccordo hub list\n  raccordo hub accept toscana-umbria")]
pub enum HubCommand {
    /// List the équipes that wait or are carried
    #[command(after_help = "Example:\n  raccordo hub list")]
    List,
    /// Carry an équipe that is offered, or its next term
    #[command(after_help = "Example:\n  raccordo hub accept toscana-umbria")]
    Accept {
        /// The équipe's name, or where several have it the first digits of the statement
        equipe: String,
    },
    /// Do not carry an équipe that is offered
    #[command(after_help = "Example:\n  raccordo hub refuse toscana-umbria")]
    Refuse {
        /// The équipe's name, or where several have it the first digits of the statement
        equipe: String,
    },
    /// Limit what an équipe may use
    #[command(
        after_help = "Example:\n  raccordo hub limit toscana-umbria --entries-per-minute 600 --stored-bytes 10000000000",
        group = clap::ArgGroup::new("limit").required(true).multiple(true)
    )]
    Limit {
        /// The équipe's name
        equipe: String,
        /// Entries that each member may append to the équipe's log within a minute
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), group = "limit")]
        entries_per_minute: Option<u32>,
        /// Bytes of the équipe's log kept at once
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..1 << 53), group = "limit")]
        stored_bytes: Option<u64>,
    },
    /// Stop carrying an équipe, and delete its log
    #[command(after_help = "Example:\n  raccordo hub evict toscana-umbria")]
    Evict {
        /// The équipe's name
        equipe: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Serialize)]
struct CarriedView {
    name: String,
    lineage: String,
    state: String,
    chair: String,
    parties: Vec<String>,
    epoch: u64,
    sequence: u64,
    stored_entries: u64,
    stored_bytes: u64,
    entries_per_minute_max: u32,
    stored_bytes_max: u64,
    statement: String,
    offered_by: String,
}

impl From<CarriedEquipe> for CarriedView {
    fn from(equipe: CarriedEquipe) -> Self {
        Self {
            name: equipe.name,
            lineage: equipe.lineage,
            state: equipe.state,
            chair: equipe.chair,
            parties: equipe.parties,
            epoch: equipe.epoch,
            sequence: equipe.sequence,
            stored_entries: equipe.stored_entries,
            stored_bytes: equipe.stored_bytes,
            entries_per_minute_max: equipe.entries_per_minute_max,
            stored_bytes_max: equipe.stored_bytes_max,
            statement: equipe.statement,
            offered_by: equipe.offered_by,
        }
    }
}

/// Runs a command of a hub's administrator.
///
/// # Errors
/// The node refuses, is no hub, or does not answer.
pub async fn run(command: HubCommand, context: &Context) -> Result<(), Failure> {
    if let HubCommand::Evict { equipe, yes } = &command {
        let question = format!("The members of {equipe} lose their hub and its log. Evict it?");
        ask(*yes, context.out.is_json(), &question)?;
    }
    let mut client = HubAdminServiceClient::new(context.admin().await?);
    let carried = match command {
        HubCommand::List => {
            let answer = client.list_carried(call(ListCarriedRequest {})).await?;
            return list(answer.into_inner().equipes, context);
        }
        HubCommand::Accept { equipe } => {
            client.accept_equipe(call(AcceptEquipeRequest { equipe })).await?.into_inner().equipe
        }
        HubCommand::Refuse { equipe } => {
            client.refuse_equipe(call(RefuseEquipeRequest { equipe })).await?.into_inner().equipe
        }
        HubCommand::Limit { equipe, entries_per_minute, stored_bytes } => {
            let request = LimitEquipeRequest {
                equipe,
                entries_per_minute_max: entries_per_minute.unwrap_or(0),
                stored_bytes_max: stored_bytes.unwrap_or(0),
            };
            client.limit_equipe(call(request)).await?.into_inner().equipe
        }
        HubCommand::Evict { equipe, .. } => {
            client.evict_equipe(call(EvictEquipeRequest { equipe })).await?.into_inner().equipe
        }
    };
    let view = CarriedView::from(present(carried)?);
    context.out.record(&view, describe)
}

fn describe(view: &CarriedView) -> String {
    let limit = |max: u64| if max == 0 { "the default".to_owned() } else { max.to_string() };
    let offered = match view.offered_by.as_str() {
        "" => String::new(),
        by => format!("\noffered by {by}, statement {}", view.statement),
    };
    format!(
        "{}  {}  chair {}, parties {}\nlimits: entries per minute and member {}, stored bytes {}{offered}",
        view.name,
        view.state,
        view.chair,
        view.parties.join(", "),
        limit(view.entries_per_minute_max.into()),
        limit(view.stored_bytes_max),
    )
}

fn list(equipes: Vec<CarriedEquipe>, context: &Context) -> Result<(), Failure> {
    let views: Vec<CarriedView> = equipes.into_iter().map(CarriedView::from).collect();
    let row = |view: &CarriedView| {
        [
            view.name.clone(),
            view.state.clone(),
            view.chair.clone(),
            view.parties.join(", "),
            view.sequence.to_string(),
            view.stored_entries.to_string(),
            view.stored_bytes.to_string(),
            view.offered_by.clone(),
            // Enough to name an offer by.
            view.statement.chars().take(12).collect(),
        ]
    };
    let header = [
        "ÉQUIPE",
        "STATE",
        "CHAIR",
        "PARTIES",
        "SEQUENCE",
        "ENTRIES",
        "BYTES",
        "OFFERED BY",
        "STATEMENT",
    ];
    context.out.records(&views, header, row, "no équipe waits here or is carried")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told() {
        let equipe = CarriedEquipe {
            name: "tu".to_owned(),
            state: "accepted".to_owned(),
            chair: "toscana".to_owned(),
            parties: vec!["toscana".to_owned(), "umbria".to_owned()],
            stored_bytes_max: 5,
            ..CarriedEquipe::default()
        };
        assert_eq!(
            describe(&equipe.into()),
            "tu  accepted  chair toscana, parties toscana, umbria\nlimits: entries per minute and member the default, stored bytes 5"
        );
    }
}
