//! `raccordo match` and `raccordo stop`: where another region knows the same person or
//! company, as an operator.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use raccordo_core::secret::Secret;
use raccordo_proto::casework::v1::match_service_client::MatchServiceClient;
use raccordo_proto::casework::v1::{
    AddStopValuesRequest, AnswerMatchRequest, ConfirmMatchRequest, DenyMatchRequest,
    GetMatchRequest, ListMatchesRequest, ListStopValuesRequest, Match, RemoveStopValueRequest,
    StopValue, UnlinkMatchRequest, WatchMatchesRequest,
};
use serde::Serialize;
use tonic::transport::Channel;

use super::alert::rfc3339;
use super::present;
use crate::client::{ANSWER_BYTES_MAX, Operator};
use crate::context::Context;
use crate::failure::Failure;
use crate::files;
use crate::output::Tone;

const WORDS: [&str; 3] = ["call_me", "not_mine", "already_closed"];
const KINDS: [&str; 3] = ["phone", "place", "company"];
const STATES: [&str; 11] = [
    "candidate",
    "confirmed",
    "confirmed_here",
    "confirmed_there",
    "linked",
    "denied",
    "denied_here",
    "denied_there",
    "unlinked",
    "unlinked_here",
    "unlinked_there",
];

/// Commands on matches.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = "Example:\n  raccordo match list --state candidate")]
pub enum MatchCommand {
    /// List matches of your organisation's records, in the order of finding
    #[command(after_help = "Example:\n  raccordo match list --equipe toscana-umbria --json")]
    List(ListArgs),
    /// Show one match, and once it is linked the other manager
    #[command(after_help = "Example:\n  raccordo match show 3f9a…")]
    Show {
        /// The match's id, or its beginning
        id: String,
    },
    /// Say that it is the same person or company
    #[command(
        long_about = "Say that it is the same person or company.\n\nOnly when the other manager says so too, the match is linked: each then sees the other's name, organisation and phone at work.",
        after_help = "Example:\n  raccordo match confirm 3f9a…"
    )]
    Confirm {
        /// The match's id, or its beginning
        id: String,
    },
    /// Say that it is another
    #[command(after_help = "Example:\n  raccordo match deny 3f9a…")]
    Deny {
        /// The match's id, or its beginning
        id: String,
    },
    /// Take a link back, for good
    #[command(after_help = "Example:\n  raccordo match unlink 3f9a…")]
    Unlink {
        /// The match's id, or its beginning
        id: String,
    },
    /// Answer the other manager with a word, once linked
    #[command(after_help = "Example:\n  raccordo match answer 3f9a… call_me")]
    Answer {
        /// The match's id, or its beginning
        id: String,
        /// What to say
        #[arg(value_parser = WORDS)]
        word: String,
    },
    /// Print matches as they come and change, until interrupted
    #[command(after_help = "Example:\n  raccordo match watch --existing --json")]
    Watch {
        /// Only of this équipe
        #[arg(long, value_name = "NAME")]
        equipe: Option<String>,
        /// Also those that are here already
        #[arg(long)]
        existing: bool,
    },
}

/// Options of `match list`.
#[derive(Args, Clone, Debug)]
pub struct ListArgs {
    /// Only of this équipe
    #[arg(long, value_name = "NAME")]
    equipe: Option<String>,
    /// Only in this state; without a side, those of both
    #[arg(long, value_parser = STATES)]
    state: Option<String>,
}

/// Commands on stop values.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = "Example:\n  raccordo stop add --kind phone centri.txt")]
pub enum StopCommand {
    /// Add values that many records share, and that are no evidence here
    #[command(
        long_about = "Add values that many records share, and that are no evidence here: phones of reception centres, labour agencies.\n\nReads one value a line. They stay at this node. The tokens of records that have one are made anew without it.",
        after_help = "Example:\n  raccordo stop add --kind phone centri.txt"
    )]
    Add {
        /// What the values are: phones, comuni, or companies by partita IVA or REA number
        #[arg(long, value_parser = KINDS)]
        kind: String,
        /// One value a line; - for standard input
        file: PathBuf,
    },
    /// List stop values, oldest first; the audit has it
    #[command(after_help = "Example:\n  raccordo stop list")]
    List,
    /// Take a stop value off the list
    #[command(after_help = "Example:\n  raccordo stop remove 81c0…")]
    Remove {
        /// The value's id
        id: String,
    },
}

/// A match as JSON and in tables.
#[derive(Serialize)]
struct MatchView {
    id: String,
    state: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    coming: String,
    grade: String,
    seen: bool,
    families: Vec<String>,
    equipe: String,
    counterpart: String,
    kind: String,
    record: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    object: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<ContactView>,
    #[serde(skip_serializing_if = "String::is_empty")]
    said_here: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    said_there: String,
    found_at: Option<String>,
    changed_at: Option<String>,
}

#[derive(Serialize)]
struct ContactView {
    name: String,
    organisation: String,
    work_phone: String,
}

impl From<Match> for MatchView {
    fn from(found: Match) -> Self {
        let contact = found.contact.map(|contact| ContactView {
            name: contact.name,
            organisation: contact.organisation,
            work_phone: contact.work_phone,
        });
        Self {
            id: found.id,
            state: found.state,
            coming: found.coming,
            grade: found.grade,
            seen: found.seen,
            families: found.families,
            equipe: found.equipe,
            counterpart: found.counterpart,
            kind: found.kind,
            record: found.record_id,
            object: found.alert_id,
            contact,
            said_here: found.said_here,
            said_there: found.said_there,
            found_at: found.found_at.and_then(|at| rfc3339(at.seconds, at.nanos)),
            changed_at: found.changed_at.and_then(|at| rfc3339(at.seconds, at.nanos)),
        }
    }
}

impl MatchView {
    fn describe(&self, context: &Context) -> String {
        let tone = match self.state.as_str() {
            "linked" => Tone::Good,
            "candidate" | "confirmed_here" | "confirmed_there" => Tone::Open,
            _ => Tone::Plain,
        };
        let mut lines = vec![
            format!("{}  {}", self.id, context.out.paint(&self.state, tone)),
            format!("  {} in {}, grade {}", self.counterpart, self.equipe, self.grade),
            match self.seen {
                true => format!("  agrees: {}", self.families.join(", ")),
                false => format!(
                    "  {} says that this agrees, and it is not seen here: {}",
                    self.counterpart,
                    self.families.join(", ")
                ),
            },
            format!("  your {}: {}", self.kind, self.record),
        ];
        if !self.object.is_empty() {
            lines.push(format!("  their alert: {}", self.object));
        }
        if !self.coming.is_empty() {
            lines.push(format!("  on its way: {}", self.coming));
        }
        if let Some(ContactView { name, organisation, work_phone }) = &self.contact {
            lines.push(format!("  their manager: {name}, {organisation}, {work_phone}"));
        }
        for (who, word) in [("you", &self.said_here), ("they", &self.said_there)] {
            if !word.is_empty() {
                lines.push(format!("  {who} said: {word}"));
            }
        }
        lines.join("\n")
    }
}

/// Runs a command on matches.
///
/// # Errors
/// There is no such match, the operator may not do it, or the node does not answer.
pub async fn run(command: MatchCommand, context: &Context) -> Result<(), Failure> {
    let mut calls = Calls::connect(context).await?;
    let found = match command {
        MatchCommand::List(args) => return calls.list(args, context).await,
        MatchCommand::Watch { equipe, existing } => {
            return calls.watch(equipe, existing, context).await;
        }
        MatchCommand::Show { id } => calls.one(id).await?,
        MatchCommand::Confirm { id } => {
            let id = calls.whole(id).await?;
            let asked = calls.operator.call(ConfirmMatchRequest { id });
            calls.client.confirm_match(asked).await?.into_inner().r#match
        }
        MatchCommand::Deny { id } => {
            let id = calls.whole(id).await?;
            let asked = calls.operator.call(DenyMatchRequest { id });
            calls.client.deny_match(asked).await?.into_inner().r#match
        }
        MatchCommand::Unlink { id } => {
            let id = calls.whole(id).await?;
            let asked = calls.operator.call(UnlinkMatchRequest { id });
            calls.client.unlink_match(asked).await?.into_inner().r#match
        }
        MatchCommand::Answer { id, word } => {
            let id = calls.whole(id).await?;
            let asked = calls.operator.call(AnswerMatchRequest { id, word });
            calls.client.answer_match(asked).await?.into_inner().r#match
        }
    };
    let view = MatchView::from(present(found)?);
    context.out.record(&view, |view| view.describe(context))
}

/// The service, as an operator.
struct Calls {
    client: MatchServiceClient<Channel>,
    operator: Operator,
}

impl Calls {
    async fn connect(context: &Context) -> Result<Self, Failure> {
        let (channel, operator) = context.casework().await?;
        let client = MatchServiceClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
        Ok(Self { client, operator })
    }

    async fn one(&mut self, id: String) -> Result<Option<Match>, Failure> {
        let id = self.whole(id).await?;
        let asked = self.operator.call(GetMatchRequest { id });
        Ok(self.client.get_match(asked).await?.into_inner().r#match)
    }

    /// The id that begins so, where that is one alone.
    async fn whole(&mut self, id: String) -> Result<String, Failure> {
        if id.len() >= 64 {
            return Ok(id);
        }
        let mut asked = ListMatchesRequest::default();
        let mut found = Vec::new();
        loop {
            let call = self.operator.call(asked.clone());
            let page = self.client.list_matches(call).await?.into_inner();
            found.extend(
                page.matches
                    .into_iter()
                    .map(|one| one.id)
                    .filter(|one| !id.is_empty() && one.starts_with(id.trim_end_matches('…'))),
            );
            if page.next_page_token.is_empty() {
                break;
            }
            asked.page_token = page.next_page_token;
        }
        match found.as_slice() {
            [only] => Ok(only.clone()),
            [] => Ok(id),
            _ => Err(Failure::usage("ambiguous_id", "more than one match begins so")
                .hint("give more of it: raccordo match list")),
        }
    }

    async fn list(&mut self, args: ListArgs, context: &Context) -> Result<(), Failure> {
        let (equipe, state) = (args.equipe.unwrap_or_default(), args.state.unwrap_or_default());
        let mut asked = ListMatchesRequest { equipe, state, ..ListMatchesRequest::default() };
        let mut views = Vec::new();
        loop {
            let call = self.operator.call(asked.clone());
            let page = self.client.list_matches(call).await?.into_inner();
            let matches = page.matches.into_iter().map(MatchView::from);
            match context.out.is_json() {
                true => matches.into_iter().try_for_each(|view| context.out.object(&view))?,
                false => views.extend(matches),
            }
            if page.next_page_token.is_empty() {
                break;
            }
            asked.page_token = page.next_page_token;
        }
        let row = |view: &MatchView| {
            let id: String = view.id.chars().take(12).collect();
            let MatchView { state, grade, families, counterpart, kind, record, .. } = view;
            let families = match view.seen {
                true => families.join(" "),
                false => format!("(not seen here) {}", families.join(" ")),
            };
            let (state, grade) = (state.clone(), grade.clone());
            [id, state, grade, counterpart.clone(), kind.clone(), record.clone(), families]
        };
        let header = ["ID", "STATE", "GRADE", "WITH", "KIND", "RECORD", "AGREES"];
        context.out.records(&views, header, row, "no matches")
    }

    async fn watch(
        &mut self,
        equipe: Option<String>,
        existing: bool,
        context: &Context,
    ) -> Result<(), Failure> {
        let equipe = equipe.unwrap_or_default();
        let asked = WatchMatchesRequest { equipe, include_existing: existing };
        let mut asked = self.operator.call(asked);
        // A watch has no end of its own.
        asked.metadata_mut().remove("grpc-timeout");
        let mut changes = self.client.watch_matches(asked).await?.into_inner();
        while let Some(change) = changes.message().await? {
            match change.r#match {
                Some(found) => {
                    let view = MatchView::from(found);
                    context.out.record(&view, |view| view.describe(context))?;
                }
                None => {
                    let view = serde_json::json!({"id": change.ended_id, "state": "ended"});
                    context.out.record(&view, |_| format!("{}  ended", change.ended_id))?;
                }
            }
        }
        Ok(())
    }
}

/// A stop value as JSON and in tables.
#[derive(Serialize)]
struct StopView {
    id: String,
    kind: String,
    value: String,
    added_at: Option<String>,
}

impl From<StopValue> for StopView {
    fn from(StopValue { id, kind, value, added_at }: StopValue) -> Self {
        let added_at = added_at.and_then(|at| rfc3339(at.seconds, at.nanos));
        Self { id, kind, value, added_at }
    }
}

/// Runs a command on stop values.
///
/// # Errors
/// A value has no such form, the operator may not do it, or the node does not answer.
pub async fn run_stop(command: StopCommand, context: &Context) -> Result<(), Failure> {
    match command {
        StopCommand::Add { kind, file } => {
            let text = Secret::new(files::read_text(&file)?);
            let lines = text.reveal().lines().map(str::trim).filter(|line| !line.is_empty());
            let values = lines.map(str::to_owned).collect();
            let mut calls = Calls::connect(context).await?;
            let asked = calls.operator.call(AddStopValuesRequest { kind, values });
            let answer = calls.client.add_stop_values(asked).await?.into_inner();
            let view = serde_json::json!({"added": answer.added, "known": answer.known});
            context
                .out
                .record(&view, |_| format!("{} added, {} known before", answer.added, answer.known))
        }
        StopCommand::List => {
            let mut calls = Calls::connect(context).await?;
            let asked = calls.operator.call(ListStopValuesRequest {});
            let answer = calls.client.list_stop_values(asked).await?.into_inner();
            let views: Vec<StopView> = answer.values.into_iter().map(Into::into).collect();
            let row = |view: &StopView| [view.kind.clone(), view.value.clone(), view.id.clone()];
            context.out.records(&views, ["KIND", "VALUE", "ID"], row, "no stop values")
        }
        StopCommand::Remove { id } => {
            let mut calls = Calls::connect(context).await?;
            let asked = calls.operator.call(RemoveStopValueRequest { id: id.clone() });
            calls.client.remove_stop_value(asked).await?;
            let view = serde_json::json!({"id": id, "state": "removed"});
            context.out.record(&view, |_| format!("{id}  removed"))
        }
    }
}
