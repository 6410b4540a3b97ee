//! `raccordo equipe`: the équipes of this node.

use std::path::Path;
use std::time::Duration;

use clap::Subcommand;
use raccordo_core::time::Instant as Moment;
use raccordo_proto::admin::v1::equipe_service_client::EquipeServiceClient;
use raccordo_proto::admin::v1::{
    ChangeMembershipRequest, CreateEquipeRequest, EquipeStatus, HubStatus, ListEquipesRequest,
    MemberStatus, MembershipChange as Wish, ShowEquipeRequest, UpdateKeysRequest,
};
use serde::Serialize;
use tokio::time::{Instant, sleep};
use tonic::transport::Channel;

use super::keys::{self, KeyView};
use super::move_hub::MoveHubArgs;
use super::pact::{self, PactView};
use super::readiness::alarms;
use super::succeed::SucceedArgs;
use super::{ask, move_hub, present, rejoin, succeed};
use crate::client::call;
use crate::context::Context;
use crate::duration;
use crate::failure::{EXIT_UNREACHABLE, Failure};
use crate::output::{Output, Tone};

const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Hexadecimal digits of a head or authenticator that people see.
const SHORT: usize = 16;

/// Commands on équipes.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = "Example:\n  raccordo equipe create toscana-umbria --wait")]
pub enum EquipeCommand {
    /// Found an équipe whose pact all parties have signed; the chair's step
    #[command(after_help = "Example:\n  raccordo equipe create toscana-umbria --wait --timeout 2m")]
    Create {
        /// The équipe's name, or the file of its pact
        #[arg(value_name = "NAME|FILE")]
        equipe: String,
        /// Wait until every member has joined
        #[arg(long)]
        wait: bool,
        /// How long to wait
        #[arg(long, value_name = "SPAN", default_value = "60s", value_parser = duration::parse)]
        timeout: Duration,
    },
    /// List the équipes
    #[command(after_help = "Example:\n  raccordo equipe list")]
    List,
    /// Give up this node's state in an équipe, and ask to join again
    #[command(after_help = "Example:\n  raccordo equipe rejoin toscana-umbria")]
    Rejoin {
        /// The équipe's name
        name: String,
    },
    /// Let another party's node that has lost its state join again
    #[command(after_help = "Example:\n  raccordo equipe approve-rejoin toscana-umbria umbria")]
    ApproveRejoin {
        /// The équipe's name
        name: String,
        /// The node that asks
        id: String,
    },
    /// Hold a change for void that this node cannot process; where all but its maker do, the
    /// équipe goes on without it
    #[command(after_help = "Example:\n  raccordo equipe void toscana-umbria")]
    Void {
        /// The équipe's name
        name: String,
    },
    /// Show one équipe and its pact
    #[command(after_help = "Example:\n  raccordo equipe show toscana-umbria")]
    Show {
        /// The équipe's name
        name: String,
    },
    /// Begin to remove a party: the others sign too
    #[command(
        long_about = "Begin to remove a party. The others are asked to sign, raccordo pact list and raccordo pact sign; once all of them have, and they are more than half, it is removed.",
        after_help = "Example:\n  raccordo equipe remove toscana-umbria umbria --reason 'merged into another region'"
    )]
    Remove(PartyArgs),
    /// Leave an équipe: nobody else has to sign
    #[command(
        after_help = "Example:\n  raccordo equipe leave toscana-umbria --reason 'project over'"
    )]
    Leave {
        /// The équipe's name
        name: String,
        /// Why; kept in the audit
        #[arg(long, value_name = "T", default_value = "")]
        reason: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Suspend a party at once: nobody else has to sign
    #[command(
        long_about = "Suspend a party at once: it reads nothing that comes after. One party at a time, until the others ratify it, let it return or remove it.",
        after_help = "Example:\n  raccordo equipe suspend toscana-umbria umbria --reason 'server stolen'"
    )]
    Suspend {
        /// The équipe's name
        name: String,
        /// The party's id
        id: String,
        /// Why; kept in the audit
        #[arg(long, value_name = "T")]
        reason: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Begin to ratify a party's suspension: all that are not suspended sign
    #[command(after_help = "Example:\n  raccordo equipe ratify toscana-umbria umbria")]
    Ratify(PartyArgs),
    /// Begin a suspended party's return: all but who suspended it sign
    #[command(after_help = "Example:\n  raccordo equipe return toscana-umbria umbria")]
    Return(PartyArgs),
    /// Begin to move the log to another hub: all sign
    #[command(
        long_about = "Begin to move the log to another hub. All parties sign, raccordo pact list and raccordo pact sign; the administrator of the next hub agrees, raccordo hub accept; then the present hub hands over by itself. With --lost the present hub hands nothing over: the log goes on from where this node stands, and nothing that a member has is lost.",
        after_help = "Example:\n  raccordo equipe move-hub toscana-umbria --to ponte\n  raccordo equipe move-hub toscana-umbria --to ponte --lost --reason 'machine burnt'"
    )]
    MoveHub(MoveHubArgs),
    /// Begin to go on in another group: all sign
    #[command(
        long_about = "Begin to go on in another group, the successor of the present one: where that can go on in no other way, or is to have another ciphersuite. All parties sign, raccordo pact list and raccordo pact sign; then nothing more is said in the present group, the chair's node founds the successor at the hub, and all follow by themselves. Where --to names another hub, its administrator agrees first, raccordo hub accept. Alerts, matches and keys stay; what not all members have confirmed is sent again, and nothing is shown twice. A node signs one successor only of a group.",
        after_help = "Example:\n  raccordo equipe succeed toscana-umbria --suite hybrid\n  raccordo equipe succeed toscana-umbria --without lazio --reason 'both nodes restored'"
    )]
    Succeed(SucceedArgs),
    /// Show the keys that tokens are made with, and how much of the budget is used
    #[command(after_help = "Example:\n  raccordo equipe keys toscana-umbria --json")]
    Keys {
        /// The équipe's name
        name: String,
    },
    /// Let the members make new keys, and all tokens anew
    #[command(
        long_about = "Ask for new keys, and all tokens anew: after so many shares were lost that no tokens can be made, or after others may have seen shares.\n\nAs all members' tokens are made anew, more than half of their administrators have to ask; one is enough where no tokens can be made any more. A key is replaced at most once an hour.",
        after_help = "Example:\n  raccordo equipe rekey toscana-umbria"
    )]
    Rekey {
        /// The équipe's name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Renew this node's keys in an équipe now
    #[command(after_help = "Example:\n  raccordo equipe update-keys toscana-umbria")]
    UpdateKeys {
        /// The équipe's name
        name: String,
    },
}

/// A party of an équipe, and why something is wished of it.
#[derive(clap::Args, Clone, Debug)]
pub struct PartyArgs {
    /// The équipe's name
    name: String,
    /// The party's id
    id: String,
    /// Why; kept in the audit
    #[arg(long, value_name = "T", default_value = "")]
    reason: String,
}

/// An équipe as `status` shows it.
#[derive(Debug, Serialize)]
pub struct EquipeView {
    name: String,
    lineage: String,
    group_id: String,
    epoch: u64,
    authenticator: String,
    sequence: u64,
    head: String,
    statement_version: u64,
    members: Vec<MemberView>,
    hub: Option<HubView>,
    outbox: u64,
    set_aside: u64,
    sending: String,
    alarms: Vec<String>,
    keys: Vec<KeyView>,
    #[serde(skip)]
    state: String,
    #[serde(skip)]
    hub_problem: String,
    #[serde(skip)]
    next: String,
}

#[derive(Debug, Serialize)]
struct MemberView {
    id: String,
    trust: String,
    delivered_sequence: u64,
    last_seen: Option<String>,
    silent: bool,
    #[serde(skip)]
    joined: bool,
}

#[derive(Debug, Serialize)]
struct HubView {
    id: String,
    term: u64,
    connected: bool,
    lag: u64,
}

/// New keys on their way.
#[derive(Serialize)]
struct KeysView {
    equipe: String,
    state: &'static str,
}

/// An équipe as the `equipe` commands show it.
#[derive(Serialize)]
struct EquipeDetail {
    state: String,
    #[serde(flatten)]
    equipe: EquipeView,
    joined: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pact: Option<String>,
}

impl From<EquipeStatus> for EquipeView {
    fn from(status: EquipeStatus) -> Self {
        let hub_problem = status.hub.as_ref().map(|hub| hub.problem.clone()).unwrap_or_default();
        Self {
            name: status.name,
            lineage: status.lineage,
            group_id: status.group_id,
            epoch: status.epoch,
            authenticator: status.authenticator,
            sequence: status.sequence,
            head: status.head,
            statement_version: status.statement_version,
            members: status.members.into_iter().map(MemberView::from).collect(),
            hub: status.hub.map(HubView::from),
            outbox: status.outbox,
            set_aside: status.set_aside,
            sending: status.sending,
            alarms: status.alarms,
            keys: status.keys.into_iter().map(KeyView::from).collect(),
            state: status.state,
            hub_problem,
            next: status.next,
        }
    }
}

impl From<MemberStatus> for MemberView {
    fn from(status: MemberStatus) -> Self {
        let MemberStatus { id, trust, delivered_sequence, last_seen_ms, joined, silent } = status;
        let last_seen = (last_seen_ms != 0).then(|| Moment(last_seen_ms).to_string());
        Self { id, trust, delivered_sequence, last_seen, silent, joined }
    }
}

impl From<HubStatus> for HubView {
    fn from(HubStatus { id, term, connected, lag, problem: _ }: HubStatus) -> Self {
        Self { id, term, connected, lag }
    }
}

impl EquipeView {
    /// The équipe for people: a headline, the hub, the members.
    pub fn describe(&self, out: &Output) -> String {
        let sending = out.paint(&self.sending, Tone::of(&self.sending));
        let state = out.paint(&self.state, Tone::of(&self.state));
        let Self { name, epoch, sequence, outbox, set_aside, .. } = self;
        let mut text = format!(
            "{name}  {state}  epoch {epoch}, sequence {sequence}, sending {sending}, {outbox} to send, {set_aside} set aside\n"
        );
        text.push_str(&self.hub_line(out));
        // Two administrators compare these on the phone: the beginnings are enough.
        let short = |hex: &str| hex.chars().take(SHORT).collect::<String>();
        let (head, authenticator) = (short(&self.head), short(&self.authenticator));
        text.push_str(&format!("head {head}…, authenticator {authenticator}…\n"));
        text.push_str(&alarms(&self.alarms, out));
        if !self.next.is_empty() {
            text.push_str(&format!("next: {}\n", self.next));
        }
        let row = |member: &MemberView| {
            let joined = match (member.joined, member.silent) {
                (true, true) => "silent",
                (true, false) => "yes",
                (false, _) => "not yet",
            };
            let (delivered, seen) = match member.trust.as_str() {
                "self" => (sequence.to_string(), "-".to_owned()),
                _ => (
                    member.delivered_sequence.to_string(),
                    member.last_seen.clone().unwrap_or_else(|| "never".to_owned()),
                ),
            };
            [member.id.clone(), member.trust.clone(), joined.to_owned(), delivered, seen]
        };
        let header = ["MEMBER", "TRUST", "JOINED", "DELIVERED", "LAST SEEN"];
        text.push_str(&out.table(header, self.members.iter().map(row)));
        text.push('\n');
        text
    }

    fn hub_line(&self, out: &Output) -> String {
        let Some(HubView { id, term, connected, lag }) = &self.hub else {
            return String::new();
        };
        match connected {
            true => {
                let connected = out.paint("connected", Tone::Good);
                format!("hub {id}, term {term}, {connected}, {lag} behind\n")
            }
            false => {
                let problem = out.paint("not connected", Tone::Bad);
                let why = match self.hub_problem.as_str() {
                    "" => String::new(),
                    why => format!(": {why}"),
                };
                format!("hub {id}, term {term}, {problem}{why}\n")
            }
        }
    }

    /// Members that have not joined the group yet.
    fn missing(&self) -> Vec<&str> {
        self.members
            .iter()
            .filter(|member| !member.joined)
            .map(|member| member.id.as_str())
            .collect()
    }
}

impl EquipeDetail {
    fn of(status: EquipeStatus, pact: Option<String>) -> Self {
        let equipe = EquipeView::from(status);
        let in_group = equipe.members.iter().filter(|member| member.joined);
        let joined = in_group.map(|member| member.id.clone()).collect();
        Self { state: equipe.state.clone(), equipe, joined, pact }
    }
}

/// Runs a command on équipes.
///
/// # Errors
/// The node refuses, or does not answer.
pub async fn run(command: EquipeCommand, context: &Context) -> Result<(), Failure> {
    let channel = context.admin().await?;
    match command {
        EquipeCommand::Create { equipe, wait, timeout } => {
            create(channel, &equipe, wait.then_some(timeout), context).await
        }
        EquipeCommand::List => list(channel, context).await,
        EquipeCommand::Rejoin { name } => rejoin::ask(channel, name, context).await,
        EquipeCommand::ApproveRejoin { name, id } => {
            rejoin::approve(channel, name, id, context).await
        }
        EquipeCommand::Void { name } => rejoin::void(channel, name, context).await,
        EquipeCommand::Show { name } => show(channel, name, context).await,
        EquipeCommand::Remove(args) => change(channel, Wish::Remove, args, context).await,
        EquipeCommand::Leave { name, reason, yes } => {
            let question = format!("This node reads nothing more of {name}. Leave it?");
            ask(yes, context.out.is_json(), &question)?;
            let args = PartyArgs { name, id: String::new(), reason };
            change(channel, Wish::Leave, args, context).await
        }
        EquipeCommand::Suspend { name, id, reason, yes } => {
            let question = format!("{id} reads nothing more of {name} at once. Suspend it?");
            ask(yes, context.out.is_json(), &question)?;
            change(channel, Wish::Suspend, PartyArgs { name, id, reason }, context).await
        }
        EquipeCommand::Ratify(args) => change(channel, Wish::Ratify, args, context).await,
        EquipeCommand::Return(args) => change(channel, Wish::Return, args, context).await,
        EquipeCommand::MoveHub(args) => move_hub::run(channel, args, context).await,
        EquipeCommand::Succeed(args) => succeed::run(channel, args, context).await,
        EquipeCommand::Keys { name } => keys::show(channel, name, context).await,
        EquipeCommand::Rekey { name, yes } => {
            let question = format!("All tokens of {name} are made anew. Replace its keys?");
            ask(yes, context.out.is_json(), &question)?;
            keys::replace(channel, name, context).await
        }
        EquipeCommand::UpdateKeys { name } => update_keys(channel, name, context).await,
    }
}

/// Begins a change, and says who signs next.
async fn change(
    channel: Channel,
    wish: Wish,
    PartyArgs { name, id, reason }: PartyArgs,
    context: &Context,
) -> Result<(), Failure> {
    let mut client = EquipeServiceClient::new(channel);
    let change = wish.into();
    let request = ChangeMembershipRequest { equipe: name, change, party: id, reason };
    let answer = client.change_membership(call(request)).await?.into_inner();
    let view = PactView::from(present(answer.pact)?);
    context.out.record(&view, PactView::line)?;
    if !view.next().is_empty() {
        context.out.note(&format!("next: {}", view.next()));
    }
    Ok(())
}

async fn update_keys(channel: Channel, name: String, context: &Context) -> Result<(), Failure> {
    let mut client = EquipeServiceClient::new(channel);
    let request = call(UpdateKeysRequest { equipe: name.clone() });
    client.update_keys(request).await?;
    let view = KeysView { equipe: name, state: "queued" };
    context.out.record(&view, |view| format!("{}: new keys are on their way", view.equipe))
}

async fn create(
    channel: Channel,
    equipe: &str,
    wait: Option<Duration>,
    context: &Context,
) -> Result<(), Failure> {
    let name = match Path::new(equipe).is_file() {
        true => pact::name_in_file(channel.clone(), Path::new(equipe)).await?,
        false => equipe.to_owned(),
    };
    let mut client = EquipeServiceClient::new(channel);
    let mut status = created(&mut client, &name, wait.is_some()).await?;
    if let Some(limit) = wait {
        status = joined(&mut client, status, limit).await?;
    }
    let detail = EquipeDetail::of(status, None);
    context.out.record(&detail, |detail| detail.equipe.describe(&context.out))?;
    if !detail.equipe.missing().is_empty() {
        let missing = detail.equipe.missing().join(", ");
        context.out.note(&format!("{missing} still to join; see: raccordo equipe show {name}"));
    }
    Ok(())
}

/// Founds it; where it was founded before and is only waited for, how it stands.
async fn created(
    client: &mut EquipeServiceClient<Channel>,
    name: &str,
    waits: bool,
) -> Result<EquipeStatus, Failure> {
    let request = call(CreateEquipeRequest { equipe: name.to_owned() });
    let answer = client.create_equipe(request).await.map_err(Failure::from);
    match answer {
        Ok(answer) => present(answer.into_inner().equipe),
        Err(failure) if waits && failure.code == "already_created" => {
            let request = call(ShowEquipeRequest { equipe: name.to_owned() });
            present(client.show_equipe(request).await?.into_inner().equipe)
        }
        Err(failure) => Err(failure),
    }
}

/// Asks until every member has joined.
async fn joined(
    client: &mut EquipeServiceClient<Channel>,
    mut status: EquipeStatus,
    limit: Duration,
) -> Result<EquipeStatus, Failure> {
    let deadline = Instant::now() + limit;
    while status.members.iter().any(|member| !member.joined) || status.members.is_empty() {
        if Instant::now() + POLL_INTERVAL > deadline {
            return Err(not_joined(&EquipeView::from(status), limit));
        }
        sleep(POLL_INTERVAL).await;
        let request = call(ShowEquipeRequest { equipe: status.name.clone() });
        status = present(client.show_equipe(request).await?.into_inner().equipe)?;
    }
    Ok(status)
}

fn not_joined(equipe: &EquipeView, limit: Duration) -> Failure {
    let EquipeView { name, .. } = equipe;
    let missing = equipe.missing().join(", ");
    let waited = duration::show(limit);
    let message = format!("{name} is founded, but after {waited} these have not joined: {missing}");
    Failure::new(EXIT_UNREACHABLE, "not_joined", message).hint(format!(
        "they join when their nodes run and reach the hub; see: raccordo equipe show {name}"
    ))
}

async fn list(channel: Channel, context: &Context) -> Result<(), Failure> {
    let mut client = EquipeServiceClient::new(channel);
    let equipes = client.list_equipes(call(ListEquipesRequest {})).await?.into_inner().equipes;
    let details: Vec<EquipeDetail> =
        equipes.into_iter().map(|status| EquipeDetail::of(status, None)).collect();
    let row = |EquipeDetail { state, equipe, joined, .. }: &EquipeDetail| {
        let members = format!("{} of {}", joined.len(), equipe.members.len());
        let hub = equipe.hub.as_ref().map(|hub| hub.id.clone()).unwrap_or_default();
        [equipe.name.clone(), state.clone(), members, hub, equipe.sending.clone()]
    };
    let header = ["NAME", "STATE", "JOINED", "HUB", "SENDING"];
    context.out.records(&details, header, row, "no équipe yet; start with: raccordo pact draft")
}

async fn show(channel: Channel, name: String, context: &Context) -> Result<(), Failure> {
    let mut client = EquipeServiceClient::new(channel);
    let answer = client.show_equipe(call(ShowEquipeRequest { equipe: name })).await?.into_inner();
    let detail = EquipeDetail::of(present(answer.equipe)?, Some(answer.pact));
    context.out.record(&detail, |EquipeDetail { equipe, pact, .. }| {
        format!("{}\n{}", equipe.describe(&context.out), pact.as_deref().unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, joined: bool) -> MemberStatus {
        MemberStatus { id: id.to_owned(), joined, ..MemberStatus::default() }
    }

    #[test]
    fn detail_adds_state_and_joined() {
        let status = EquipeStatus {
            name: "tu".to_owned(),
            state: "founding".to_owned(),
            members: vec![member("toscana", true), member("umbria", false)],
            ..EquipeStatus::default()
        };
        let json = serde_json::to_value(EquipeDetail::of(status, None)).unwrap();
        assert_eq!(json["state"], "founding");
        assert_eq!(json["joined"], serde_json::json!(["toscana"]));
        assert_eq!(json["hub"], serde_json::Value::Null);
        assert_eq!(json["members"][1]["id"], "umbria");
        assert!(json.get("pact").is_none());
    }

    #[test]
    fn who_has_not_joined_is_named() {
        let members = vec![member("toscana", true), member("umbria", false)];
        let status = EquipeStatus { name: "tu".to_owned(), members, ..EquipeStatus::default() };
        let failure = not_joined(&status.into(), Duration::from_secs(60));
        assert_eq!(failure.exit, EXIT_UNREACHABLE);
        assert_eq!(failure.message, "tu is founded, but after 1m these have not joined: umbria");
    }
}
