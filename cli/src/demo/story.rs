//! The story: from four empty directories to regions that exchange alerts and find whom two
//! of them know.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use super::stage::Stage;
use super::teller::{Outcome, Teller};
use super::{desks, matches};
use crate::failure::Failure;

const NODES: [(&str, &str); 4] = [
    ("relay", "Relay"),
    ("toscana", "Regione Toscana"),
    ("umbria", "Regione Umbria"),
    ("lombardia", "Regione Lombardia"),
];
pub(super) const EQUIPE: &str = "tre-regioni";
const CASES: &str = "130";
const COMPANIES: &str = "70";
/// Longest wait for what other nodes do.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays and tells the whole story.
///
/// # Errors
/// The first step that does not succeed.
pub async fn tell(stage: &mut Stage, teller: &mut Teller) -> Result<Outcome, Failure> {
    teller.say(
        "Three regions meet over a relay that is no member. Four processes on this machine,\n\
         each with its own directory, database and keys.",
    )?;
    nodes(stage, teller).await?;
    trust(stage, teller).await?;
    pact(stage, teller).await?;
    equipe(stage, teller).await?;
    operators(stage, teller).await?;
    let shared = share(stage, teller).await?;
    let delivered = arrived(stage, teller, &shared).await?;
    hub_sees(stage, teller, &shared).await?;
    withdraw(stage, teller, &shared).await?;
    let matches = matches::tell(stage, teller).await?;
    agree(stage, teller).await?;
    Ok(Outcome { shared: shared.len(), delivered, matches })
}

async fn nodes(stage: &mut Stage, teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter("1. Four nodes")?;
    let address = stage.free_address()?;
    for (node, name) in NODES {
        let mut args = vec!["init", "--id", node, "--name", name];
        if node == "relay" {
            args.extend(["--hub-listen", &address, "--hub-endpoint", &address]);
        }
        stage.call(node, &args).await?;
        if stage.keeps() {
            desks::prepare(stage, node)?;
        }
        stage.start(node)?;
    }
    for (node, _) in NODES {
        stage.call(node, &["wait-ready", "--timeout", "30s"]).await?;
        let pid = stage.pid(node).unwrap_or_default();
        let what = match node {
            "relay" => "keeps the ordered log; holds no key that opens a message",
            _ => "holds its own cases and keys; connects outwards only",
        };
        teller.say(&format!("  {node:8} process {pid:7}  {what}"))?;
    }
    teller.step("start")
}

async fn trust(stage: &Stage, teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter("2. Trust: the administrators read each other twelve words by phone")?;
    for (node, _) in NODES {
        let card = stage.path(&format!("{node}.card"));
        stage.call(node, &["trust", "export", "--out", &card.to_string_lossy()]).await?;
    }
    let later = |at: usize| NODES.iter().skip(at + 1).map(|(node, _)| *node);
    let pairs = NODES.iter().enumerate();
    for (one, other) in pairs.flat_map(|(at, (one, _))| later(at).map(move |other| (*one, other))) {
        for (here, peer) in [(one, other), (other, one)] {
            let card = stage.path(&format!("{peer}.card"));
            stage.call(here, &["trust", "add", &card.to_string_lossy()]).await?;
        }
        let here = code(stage, one, other).await?;
        let there = code(stage, other, one).await?;
        if here != there {
            return Err(Failure::internal(format!("{one} and {other} see different words")));
        }
        stage.call(one, &["trust", "verify", other, "--code", &there]).await?;
        stage.call(other, &["trust", "verify", one, "--code", &here]).await?;
        teller.say(&format!("  {one} and {other}, on both screens:\n    {here}"))?;
    }
    teller.step("trust")
}

async fn code(stage: &Stage, here: &str, peer: &str) -> Result<String, Failure> {
    let shown = stage.call(here, &["trust", "show", peer]).await?;
    Ok(text(shown.first(), "/code"))
}

async fn pact(stage: &Stage, teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter("3. The pact: who shares what with whom, for what, and for how long")?;
    let draft = stage.path("pact.toml");
    let draft = draft.to_string_lossy();
    let drafting = ["pact", "draft", "--equipe", EQUIPE, "--parties", "toscana,umbria,lombardia"];
    let rest = ["--hub", "relay", "--out", &draft, "--example"];
    stage.call("toscana", &[&drafting[..], &rest[..]].concat()).await?;
    stage.call("toscana", &["pact", "sign", &draft, "--yes"]).await?;
    stage.call("toscana", &["pact", "propose", EQUIPE]).await?;
    teller.say(
        "  toscana drafts, signs and proposes it; it travels sealed, the relay cannot read it",
    )?;
    for party in ["umbria", "lombardia"] {
        let here = |pacts: &[Value]| !pacts.is_empty();
        until(stage, party, &["pact", "list"], "the proposal", here).await?;
        stage.call(party, &["pact", "sign", EQUIPE, "--yes"]).await?;
        teller.say(&format!("  {party} reads and signs it: that is also its consent to join"))?;
    }
    let offered = |list: &[Value]| list.iter().any(|row| text(Some(row), "/state") == "waiting");
    until(stage, "relay", &["hub", "list"], "the offer", offered).await?;
    stage.call("relay", &["hub", "accept", EQUIPE]).await?;
    teller.say("  the relay's administrator agrees to carry it, without seeing the pact")?;
    teller.step("pact")
}

async fn equipe(stage: &Stage, teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter("4. The équipe: one encrypted group, post-quantum hybrid")?;
    let accepted = |found: &[Value]| {
        let findings = found.iter().flat_map(|value| match value {
            Value::Object(_) => value.get("findings").and_then(Value::as_array).cloned(),
            _ => None,
        });
        let mut codes = findings.flatten().map(|finding| text(Some(&finding), "/code"));
        codes.any(|code| code == "equipe_to_create")
            || found.iter().any(|finding| text(Some(finding), "/code") == "equipe_to_create")
    };
    until(stage, "toscana", &["doctor"], "the hub's consent", accepted).await?;
    stage.call("toscana", &["equipe", "create", EQUIPE, "--wait", "--timeout", "60s"]).await?;
    let shown = stage.call("toscana", &["equipe", "show", EQUIPE]).await?;
    teller.say(&format!(
        "  epoch {}, members toscana, umbria and lombardia",
        number(shown.first(), "/epoch")
    ))?;
    teller.step("equipe")
}

async fn operators(stage: &Stage, teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter("5. People: an organisation and a case manager on each side")?;
    for (node, organisation) in [
        ("toscana", "Sportello Prato"),
        ("umbria", "Sportello Foligno"),
        ("lombardia", "Sportello Mantova"),
    ] {
        let class = ["--class", "access_point"];
        stage.call(node, &[&["organisation", "add", organisation], &class[..]].concat()).await?;
        let token = stage.path(&format!("{node}.token"));
        let token = token.to_string_lossy();
        let add = ["operator", "add", "case manager", "--organisation", organisation];
        let rest = ["--role", "case_manager", "--token-out", &token];
        stage.call(node, &[&add[..], &rest[..]].concat()).await?;
        teller
            .say(&format!("  {node:8} {organisation}, one case manager, token in {node}.token"))?;
    }
    teller.step("operators")
}

/// Shares the alerts; returns what was shared by id.
async fn share(stage: &Stage, teller: &mut Teller) -> Result<BTreeMap<String, Value>, Failure> {
    teller.chapter("6. Toscana shares alerts: coded, pseudonymous, no free text")?;
    let mut lines = Vec::new();
    for (kind, count) in [("case", CASES), ("company", COMPANIES)] {
        let args = ["alert", "example", "--kind", kind, "--count", count, "--seed", "7"];
        let examples = stage.call("toscana", &args).await?;
        if let Some(first) = examples.first() {
            teller.say(&format!("  one of {count} of kind {kind}:\n{}", pretty(first)))?;
        }
        lines.extend(examples);
    }
    teller.step("examples")?;
    let mut input = String::new();
    let mut shared = BTreeMap::new();
    for mut alert in lines {
        let id = uuid::Uuid::new_v4().to_string();
        if let Some(fields) = alert.as_object_mut() {
            fields.insert("id".into(), Value::String(id.clone()));
        }
        let _ = writeln!(input, "{alert}");
        if let Some(fields) = alert.as_object_mut() {
            fields.remove("id");
        }
        shared.insert(id, alert);
    }
    let wait = ["--wait", "delivered", "--timeout", "60s"];
    let args = [&["alert", "share", "--equipe", EQUIPE, "-"], &wait[..]].concat();
    let answers = stage.call_with("toscana", &args, Some(&input)).await?;
    let delivered = answers
        .iter()
        .filter(|line| matches!(text(Some(line), "/state").as_str(), "delivered" | "read"));
    let delivered = delivered.count();
    if delivered != shared.len() {
        let message = format!("{delivered} of {} alerts were delivered", shared.len());
        return Err(Failure::internal(message));
    }
    teller
        .say(&format!("  {delivered} alerts are durable and processed at umbria and lombardia"))?;
    teller.step("share")?;
    Ok(shared)
}

/// Umbria has every alert once, with the same content.
async fn arrived(
    stage: &Stage,
    teller: &mut Teller,
    shared: &BTreeMap<String, Value>,
) -> Result<usize, Failure> {
    teller.chapter("7. Umbria has them, decrypted")?;
    let listed = stage.call("umbria", &["alert", "list", "--equipe", EQUIPE]).await?;
    let mut seen = BTreeMap::new();
    for alert in &listed {
        *seen.entry(text(Some(alert), "/id")).or_insert(0) += 1;
        let sent = shared.get(&text(Some(alert), "/id"));
        if sent != alert.get("body") {
            return Err(Failure::internal("an alert arrived with another content"));
        }
    }
    if seen.len() != shared.len() || seen.values().any(|count| *count != 1) {
        let message = format!("{} of {} alerts arrived once", seen.len(), shared.len());
        return Err(Failure::internal(message));
    }
    teller.say(&format!(
        "  {} alerts, each once, each with the content that was shared",
        seen.len()
    ))?;
    if let Some(first) = listed.first() {
        let shown = ["alert", "show", &text(Some(first), "/id")];
        let opened = stage.call("umbria", &shown).await?;
        let state = text(opened.first(), "/state");
        teller.say(&format!("  the case manager in Foligno opens one: it is {state}, and toscana learns that it was read"))?;
    }
    teller.step("arrived")?;
    Ok(seen.len())
}

/// Nothing of the alerts stands in any file of the relay.
async fn hub_sees(
    stage: &Stage,
    teller: &mut Teller,
    shared: &BTreeMap<String, Value>,
) -> Result<(), Failure> {
    teller.chapter("8. What the relay sees")?;
    let carried = stage.call("relay", &["hub", "list"]).await?;
    let carried = carried.first();
    teller.say(&format!(
        "  {} entries of ciphertext in at most four sizes, with the node ids of their senders and\n  \
         their times; what every member has, it has forgotten already",
        number(carried, "/sequence")
    ))?;
    let needles: Vec<Vec<u8>> = shared
        .keys()
        .filter_map(|id| id.parse::<uuid::Uuid>().ok())
        .flat_map(|id| [id.as_bytes().to_vec(), id.to_string().into_bytes()])
        .collect();
    let found = stage.count_in_files("relay", &needles)?;
    if found > 0 {
        return Err(Failure::internal(format!("{found} ids of alerts stand in the relay's files")));
    }
    teller.say(&format!(
        "  searched all its files for the {} ids of the alerts, as text and as bytes: none",
        shared.len()
    ))?;
    teller.say(&format!("  a piece of its log:\n{}", hex_of_log(stage)))?;
    teller.step("hub sees")
}

/// Some bytes from the middle of the relay's newest writes.
fn hex_of_log(stage: &Stage) -> String {
    let data = stage.path("relay").join("data");
    let wal = std::fs::read(data.join("raccordo.db-wal"))
        .or_else(|_| std::fs::read(data.join("raccordo.db")))
        .unwrap_or_default();
    // The first run of 48 bytes that looks like ciphertext: no zero, nothing readable.
    let cipher = wal.windows(48).rev().find(|window| {
        window.iter().all(|byte| *byte != 0)
            && window.iter().filter(|byte| byte.is_ascii_alphanumeric()).count() < 16
    });
    let mut lines = String::new();
    for chunk in cipher.unwrap_or_default().chunks(16) {
        let hex: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let _ = writeln!(lines, "    {}", hex.join(" "));
    }
    lines.trim_end().to_owned()
}

async fn withdraw(
    stage: &Stage,
    teller: &mut Teller,
    shared: &BTreeMap<String, Value>,
) -> Result<(), Failure> {
    teller.chapter("9. Toscana withdraws one")?;
    let Some(id) = shared.keys().next() else { return Ok(()) };
    stage.call("toscana", &["alert", "withdraw", id, "--reason", "consent_withdrawn"]).await?;
    let gone = |shown: &[Value]| text(shown.first(), "/state") == "withdrawn";
    let shown = until(stage, "umbria", &["alert", "show", id], "the withdrawal", gone).await?;
    let empty = shown.first().and_then(|alert| alert.get("body")).is_none_or(Value::is_null);
    if !empty {
        return Err(Failure::internal("the withdrawn alert still has a body at umbria"));
    }
    teller.say("  its content is erased everywhere; a tombstone without content stays")?;
    teller.step("withdraw")
}

/// Members that stand at one place see the same head and authenticator.
async fn agree(stage: &Stage, teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter("11. All stand at one place of one log")?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let toscana = place(stage, "toscana").await?;
        let umbria = place(stage, "umbria").await?;
        let lombardia = place(stage, "lombardia").await?;
        if toscana == umbria && umbria == lombardia {
            let (sequence, head, authenticator) = toscana;
            let short = |hex: &str| hex.chars().take(16).collect::<String>();
            teller.say(&format!(
                "  entry {sequence}, head {}…, epoch authenticator {}… on all three",
                short(&head),
                short(&authenticator)
            ))?;
            return teller.step("agree");
        }
        let differ = |one: &Place, other: &Place| one.0 == other.0 && one != other;
        let forked = differ(&toscana, &umbria) || differ(&umbria, &lombardia);
        if forked || tokio::time::Instant::now() > deadline {
            return Err(Failure::internal("the members see different logs"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Sequence, head and authenticator.
type Place = (u64, String, String);

async fn place(stage: &Stage, node: &str) -> Result<Place, Failure> {
    let status = stage.call(node, &["status"]).await?;
    let status = status.first();
    Ok((
        number(status, "/equipes/0/sequence"),
        text(status, "/equipes/0/head"),
        text(status, "/equipes/0/authenticator"),
    ))
}

/// Asks again until what other nodes do has happened.
pub(super) async fn until(
    stage: &Stage,
    node: &str,
    args: &[&str],
    what: &str,
    done: impl Fn(&[Value]) -> bool,
) -> Result<Vec<Value>, Failure> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let answer = stage.call(node, args).await;
        if let Ok(answer) = &answer
            && done(answer)
        {
            return Ok(answer.clone());
        }
        if tokio::time::Instant::now() > deadline {
            answer?;
            return Err(Failure::internal(format!("{node} waited in vain for {what}")));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(super) fn text(value: Option<&Value>, pointer: &str) -> String {
    let found = value.and_then(|value| value.pointer(pointer)).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

fn number(value: Option<&Value>, pointer: &str) -> u64 {
    value.and_then(|value| value.pointer(pointer)).and_then(Value::as_u64).unwrap_or_default()
}

fn pretty(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
