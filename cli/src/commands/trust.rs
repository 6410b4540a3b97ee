//! `raccordo trust`: cards and peers.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use raccordo_core::time::Instant;
use raccordo_proto::admin::v1::trust_service_client::TrustServiceClient;
use raccordo_proto::admin::v1::{
    AddPeerRequest, ExportCardRequest, ListPeersRequest, Peer, RevokePeerRequest,
    RotateCardRequest, ShowPeerRequest, SuspendPeerRequest, VerifyPeerRequest,
};
use serde::Serialize;

use super::{ask, present};
use crate::client::call;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Output, Tone};
use crate::{files, offline, prompt};

/// Words in a verification code.
const CODE_WORDS: usize = 12;
/// How often the words are asked for before giving up.
const CODE_ATTEMPTS: usize = 3;

/// Commands on cards and peers.
#[derive(Clone, Debug, Subcommand)]
#[command(
    after_help = "Example:\n  raccordo trust add umbria.card\n  raccordo trust show umbria\n  raccordo trust verify umbria"
)]
pub enum TrustCommand {
    /// Print this node's card
    #[command(after_help = "Example:\n  raccordo trust export --out toscana.card")]
    Export {
        /// Write it to this file
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Add a peer by its card
    #[command(after_help = "Example:\n  raccordo trust add umbria.card")]
    Add {
        /// The card's file, or - for standard input
        file: PathBuf,
    },
    /// List the peers
    #[command(after_help = "Example:\n  raccordo trust list")]
    List,
    /// Show a peer, and the words to read to each other over the phone
    #[command(after_help = "Example:\n  raccordo trust show umbria")]
    Show {
        /// The peer's id
        id: String,
    },
    /// Confirm a peer by the words heard over the phone
    #[command(after_help = "Example:\n  raccordo trust verify umbria")]
    Verify {
        /// The peer's id
        id: String,
        /// The 12 words; without them, the terminal asks
        #[arg(long, value_name = "WORDS")]
        code: Option<String>,
    },
    /// Stop trusting a peer for a while
    #[command(
        after_help = "Example:\n  raccordo trust suspend umbria --reason 'laptop lost, being looked into'"
    )]
    Suspend {
        /// The peer's id
        id: String,
        /// Why; kept in the audit
        #[arg(long, value_name = "T")]
        reason: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Stop trusting a peer for ever
    #[command(after_help = "Example:\n  raccordo trust revoke umbria --reason 'key stolen'")]
    Revoke {
        /// The peer's id
        id: String,
        /// Why; kept in the audit
        #[arg(long, value_name = "T")]
        reason: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Make this node's next card, with new keys, and send it to all peers
    #[command(
        long_about = "Make this node's next card, with new keys for TLS, MLS and sealing, and send it to all peers. The identity stays, so no new phone call is needed while the card before it is valid. What is not given stays as it is.",
        after_help = "Example:\n  raccordo trust rotate\n  raccordo trust rotate --keep-keys --name 'Regione Umbria'"
    )]
    Rotate {
        /// Keep the keys: only what the card says is new, and how long it is valid
        #[arg(long)]
        keep_keys: bool,
        /// Display name
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// Code in the Indice PA; - for none
        #[arg(long, value_name = "CODE")]
        ipa: Option<String>,
        /// Where peers reach this node's hub
        #[arg(long, value_name = "HOST:PORT")]
        hub_endpoint: Option<String>,
        /// The new card's serial, where peers know later cards than a restored node
        #[arg(long, value_name = "N")]
        serial: Option<u64>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Serialize)]
struct PeerView {
    id: String,
    name: String,
    state: String,
    code: String,
    card_serial: u64,
    expires: String,
    #[serde(skip)]
    hub_endpoint: String,
    #[serde(skip)]
    reason: String,
    #[serde(skip)]
    ipa_code: String,
    #[serde(skip)]
    vouched_by: Vec<String>,
}

impl From<Peer> for PeerView {
    fn from(peer: Peer) -> Self {
        Self {
            id: peer.id,
            name: peer.name,
            state: peer.state,
            code: peer.code,
            card_serial: peer.card_serial,
            expires: Instant(peer.expires_ms).to_string(),
            hub_endpoint: peer.hub_endpoint,
            reason: peer.reason,
            ipa_code: peer.ipa_code,
            vouched_by: peer.vouched_by,
        }
    }
}

#[derive(Serialize)]
struct RotatedView {
    card_serial: u64,
    expires: String,
    card: String,
}

#[derive(Serialize)]
struct CardView {
    card: String,
}

/// Runs a command on cards and peers.
///
/// # Errors
/// The node refuses or does not answer, or a file cannot be read or written.
pub async fn run(command: TrustCommand, context: &Context) -> Result<(), Failure> {
    match command {
        TrustCommand::Export { out } => export(out.as_deref(), context).await,
        TrustCommand::Add { file } => add(&file, context).await,
        TrustCommand::List => list(context).await,
        TrustCommand::Show { id } => {
            let mut client = TrustServiceClient::new(context.admin().await?);
            let answer = client.show_peer(call(ShowPeerRequest { id })).await?;
            let view = PeerView::from(present(answer.into_inner().peer)?);
            context.out.record(&view, |view| describe(view, &context.out))
        }
        TrustCommand::Verify { id, code } => verify(id, code, context).await,
        TrustCommand::Suspend { id, reason, yes } => {
            let question = format!("Nothing will be sent to or taken from {id}. Suspend it?");
            ask(yes, context.out.is_json(), &question)?;
            let mut client = TrustServiceClient::new(context.admin().await?);
            let answer = client.suspend_peer(call(SuspendPeerRequest { id, reason })).await?;
            changed(present(answer.into_inner().peer)?, context)
        }
        TrustCommand::Revoke { id, reason, yes } => {
            let question =
                format!("{id} can never be trusted again under its identity. Revoke it?");
            ask(yes, context.out.is_json(), &question)?;
            let mut client = TrustServiceClient::new(context.admin().await?);
            let answer = client.revoke_peer(call(RevokePeerRequest { id, reason })).await?;
            changed(present(answer.into_inner().peer)?, context)
        }
        TrustCommand::Rotate { keep_keys, name, ipa, hub_endpoint, serial, yes } => {
            let question = "The next card goes to all peers. Make it?";
            ask(yes, context.out.is_json(), question)?;
            let request = RotateCardRequest {
                keep_keys,
                name: name.unwrap_or_default(),
                ipa_code: ipa.unwrap_or_default(),
                hub_endpoint: hub_endpoint.unwrap_or_default(),
                serial: serial.unwrap_or_default(),
            };
            rotate(request, context).await
        }
    }
}

async fn export(out: Option<&Path>, context: &Context) -> Result<(), Failure> {
    let card = match context.admin().await {
        Ok(channel) => {
            let mut client = TrustServiceClient::new(channel);
            client.export_card(call(ExportCardRequest {})).await?.into_inner().card_file
        }
        Err(failure) if failure.code == "not_running" => {
            offline::export_card(context.home()?).await?
        }
        Err(failure) => return Err(failure),
    };
    let Some(path) = out else {
        return match context.out.is_json() {
            true => context.out.object(&CardView { card }),
            false => context.out.raw(&card),
        };
    };
    files::write_public(path, card.as_bytes())?;
    if context.out.is_json() {
        return context.out.object(&CardView { card });
    }
    context.out.note(&format!("the card is in {}; give it to the others", path.display()));
    Ok(())
}

async fn rotate(request: RotateCardRequest, context: &Context) -> Result<(), Failure> {
    let mut client = TrustServiceClient::new(context.admin().await?);
    let answer = client.rotate_card(call(request)).await?.into_inner();
    let view = RotatedView {
        card_serial: answer.card_serial,
        expires: Instant(answer.expires_ms).to_string(),
        card: answer.card_file,
    };
    let RotatedView { card_serial, expires, .. } = &view;
    let told = format!("card {card_serial}, valid until {expires}, is on its way to all peers");
    context.out.record(&view, |_| told.clone())
}

async fn add(file: &Path, context: &Context) -> Result<(), Failure> {
    let card_file = files::read_text(file)?;
    let mut client = TrustServiceClient::new(context.admin().await?);
    let answer = client.add_peer(call(AddPeerRequest { card_file })).await?;
    let view = PeerView::from(present(answer.into_inner().peer)?);
    context.out.record(&view, |view| format!("{}  {}  {}", view.id, view.state, view.name))?;
    if view.state == "introduced" {
        context.out.note(&format!("next, on the phone with them: raccordo trust show {}", view.id));
    }
    Ok(())
}

async fn list(context: &Context) -> Result<(), Failure> {
    let mut client = TrustServiceClient::new(context.admin().await?);
    let peers = client.list_peers(call(ListPeersRequest {})).await?.into_inner().peers;
    let views: Vec<PeerView> = peers.into_iter().map(PeerView::from).collect();
    let row = |view: &PeerView| {
        let expires = view.expires.get(..10).unwrap_or_default().to_owned();
        let serial = view.card_serial.to_string();
        let hub = view.hub_endpoint.clone();
        [view.id.clone(), view.state.clone(), view.name.clone(), serial, expires, hub]
    };
    let header = ["ID", "STATE", "NAME", "SERIAL", "EXPIRES", "HUB"];
    context.out.records(&views, header, row, "no peers yet; add one: raccordo trust add FILE")
}

async fn verify(id: String, code: Option<String>, context: &Context) -> Result<(), Failure> {
    let mut client = TrustServiceClient::new(context.admin().await?);
    let code = match code {
        Some(code) => words(&code).join(" "),
        None => heard(&id)?,
    };
    let answer = client.verify_peer(call(VerifyPeerRequest { id, code })).await?;
    changed(present(answer.into_inner().peer)?, context)
}

/// Asks for the words, without showing any of them.
fn heard(id: &str) -> Result<String, Failure> {
    if !prompt::is_possible() {
        return Err(Failure::usage("code_missing", "the 12 words are missing")
            .hint("give them: --code \"…\", or run the command on a terminal"));
    }
    for _ in 0..CODE_ATTEMPTS {
        let code = words(&prompt::line(&format!("The 12 words that {id} reads to you"))?);
        if code.len() == CODE_WORDS {
            return Ok(code.join(" "));
        }
        prompt::remark(&format!("these are {} words; {CODE_WORDS} are needed", code.len()));
    }
    Err(Failure::usage("code_incomplete", "the 12 words were not given")
        .hint("call again, and type the words as they are read to you"))
}

/// The words as the code has them: lower case, without numbers and punctuation.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn changed(peer: Peer, context: &Context) -> Result<(), Failure> {
    let view = PeerView::from(peer);
    context.out.record(&view, |view| {
        format!("{}  {}", view.id, context.out.paint(&view.state, Tone::of(&view.state)))
    })
}

fn describe(view: &PeerView, out: &Output) -> String {
    let PeerView { id, name, card_serial, expires, .. } = view;
    let state = out.paint(&view.state, Tone::of(&view.state));
    let mut text = format!("{id}  {state}  {name}\ncard serial {card_serial}, expires {expires}\n");
    for (label, value) in
        [("IPA", &view.ipa_code), ("hub", &view.hub_endpoint), ("reason", &view.reason)]
    {
        if !value.is_empty() {
            text.push_str(&format!("{label} {value}\n"));
        }
    }
    if !view.code.is_empty() {
        text.push_str(&format!("\n{}\n", rows(&view.code)));
        text.push_str(&instruction(view));
    }
    text
}

/// The words in rows of four, each with its number.
fn rows(code: &str) -> String {
    let words: Vec<String> = code
        .split_whitespace()
        .enumerate()
        .map(|(place, word)| format!("{:>2} {word:<12}", place + 1))
        .collect();
    let rows: Vec<String> =
        words.chunks(4).map(|row| format!("  {}", row.concat().trim_end())).collect();
    rows.join("\n") + "\n"
}

fn instruction(view: &PeerView) -> String {
    let PeerView { id, state, .. } = view;
    match state.as_str() {
        "introduced" => format!(
            "Call the administrator of {id} on a number that you know from elsewhere. Both of you\nsee these words. Let them read theirs to you, and type what you hear:\n  raccordo trust verify {id}\nThen read yours to them. If a word differs, stop: somebody is between you."
        ),
        "vouched" => format!(
            "Others vouch for {id}: {}. No case goes to it before you have called its\nadministrator and typed what you hear:\n  raccordo trust verify {id}",
            view.vouched_by.join(", ")
        ),
        "verified" => "These words were compared, and are the same on both sides.".to_owned(),
        _ => format!("{id} is {state}: nothing is sent to it."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "abaco abbaglio abbinato abete abisso abolire abrasivo abrogato accadere accenno accusato acetone";

    fn sample() -> Peer {
        Peer {
            id: "umbria".to_owned(),
            name: "Regione Umbria".to_owned(),
            state: "introduced".to_owned(),
            code: CODE.to_owned(),
            card_serial: 1,
            expires_ms: 1_790_000_000_000,
            hub_endpoint: "hub.example:7443".to_owned(),
            reason: String::new(),
            ipa_code: "r_umbria".to_owned(),
            vouched_by: Vec::new(),
        }
    }

    #[test]
    fn peers_have_the_contract_s_shape() {
        assert_eq!(
            serde_json::to_value(PeerView::from(sample())).unwrap(),
            serde_json::json!({
                "id": "umbria", "name": "Regione Umbria", "state": "introduced", "code": CODE,
                "card_serial": 1, "expires": "2026-09-21T14:13:20Z"
            })
        );
    }

    #[test]
    fn the_code_stands_in_three_rows_of_four() {
        let text = rows(CODE);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0], "   1 abaco        2 abbaglio     3 abbinato     4 abete");
        assert!(lines[2].ends_with("12 acetone"));
        let shown = describe(&PeerView::from(sample()), &Output::new(true));
        assert!(shown.contains("raccordo trust verify umbria"));
    }

    #[test]
    fn words_are_taken_as_people_type_them() {
        let check = |text: &str| assert_eq!(words(text), ["abaco", "abete"], "{text}");
        check("abaco abete");
        check("  Abaco,\tABETE\n");
        check("1 abaco 2. abete");
    }
}
