//! `raccordo equipe keys` and `rekey`: the keys that tokens are made with.

use std::collections::BTreeMap;

use raccordo_core::time::Instant as Moment;
use raccordo_proto::admin::v1::key_service_client::KeyServiceClient;
use raccordo_proto::admin::v1::{KeyCeremony, KeyStatus, ReplaceKeysRequest, ShowKeysRequest};
use serde::Serialize;
use tonic::transport::Channel;

use crate::client::call;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;

/// The key of one class.
#[derive(Debug, Serialize)]
pub struct KeyView {
    class: String,
    key_epoch: u64,
    generation: u64,
    threshold: u32,
    holders: Vec<String>,
    own_share: bool,
    since: Option<String>,
    renewal: String,
    renewal_asked: bool,
    asked_by: Vec<String>,
    asked_needed: u32,
    ceremony: Option<CeremonyView>,
    used_today: u32,
    limit_per_day: u32,
    records_wanted: u64,
    records_asked: u64,
}

#[derive(Debug, Serialize)]
struct CeremonyView {
    state: String,
    phase: String,
    until: String,
    missing: Vec<String>,
    faults: BTreeMap<String, String>,
    failure: String,
}

#[derive(Serialize)]
struct KeysView {
    equipe: String,
    keys: Vec<KeyView>,
}

/// New keys that were asked for.
#[derive(Serialize)]
struct ReplacementView {
    equipe: String,
    from: String,
    asked: u32,
    needed: u32,
}

impl From<KeyStatus> for KeyView {
    fn from(status: KeyStatus) -> Self {
        Self {
            class: status.class,
            key_epoch: status.key_epoch,
            generation: status.generation,
            threshold: status.threshold,
            holders: status.holders,
            own_share: status.own_share,
            since: (status.key_epoch > 0).then(|| Moment(status.since_ms).to_string()),
            renewal: status.renewal,
            renewal_asked: status.renewal_asked,
            asked_by: status.asked_by,
            asked_needed: status.asked_needed,
            ceremony: status.ceremony.map(CeremonyView::from),
            used_today: status.used,
            limit_per_day: status.limit,
            records_wanted: status.records_wanted,
            records_asked: status.records_asked,
        }
    }
}

impl From<KeyCeremony> for CeremonyView {
    fn from(ceremony: KeyCeremony) -> Self {
        let KeyCeremony { state, phase, until_ms, missing, faults, failure } = ceremony;
        let (until, faults) = (Moment(until_ms).to_string(), faults.into_iter().collect());
        Self { state, phase, until, missing, faults, failure }
    }
}

impl KeyView {
    fn cells(&self) -> [String; 6] {
        let key = match self.key_epoch {
            0 => "none yet".to_owned(),
            epoch => format!("{epoch}, sharing {}", self.generation),
        };
        let holders = match self.own_share {
            true => self.holders.join(", "),
            false => format!("{} (no share here)", self.holders.join(", ")),
        };
        let used = format!("{} of {}", self.used_today, self.limit_per_day);
        let waiting = self.records_wanted.saturating_add(self.records_asked).to_string();
        let answers = format!("{} of {}", self.threshold, self.holders.len());
        [self.class.clone(), key, answers, holders, used, waiting]
    }

    fn note(&self) -> Option<String> {
        let ceremony = self.ceremony.as_ref()?;
        let CeremonyView { state, phase, missing, failure, .. } = ceremony;
        match state.as_str() {
            "running" if missing.is_empty() => Some(format!("{}: {phase}", self.class)),
            "running" => Some(format!("{}: {phase}, waits for {}", self.class, missing.join(", "))),
            "planned" => Some(format!("{}: a ceremony is about to begin", self.class)),
            "failed" => Some(format!("{}: the last ceremony failed: {failure}", self.class)),
            _ => None,
        }
    }
}

fn describe(view: &KeysView, out: &Output) -> String {
    let header = ["CLASS", "KEY", "ANSWERS", "HOLDERS", "TOKENS TODAY", "RECORDS WAITING"];
    let mut text = out.table(header, view.keys.iter().map(KeyView::cells));
    for note in view.keys.iter().filter_map(KeyView::note) {
        text.push_str(&format!("\n{note}"));
    }
    text
}

/// Shows the keys of an équipe.
///
/// # Errors
/// The node refuses, or does not answer.
pub async fn show(channel: Channel, name: String, context: &Context) -> Result<(), Failure> {
    let mut client = KeyServiceClient::new(channel);
    let request = call(ShowKeysRequest { equipe: name.clone() });
    let keys = client.show_keys(request).await?.into_inner().keys;
    let view = KeysView { equipe: name, keys: keys.into_iter().map(KeyView::from).collect() };
    context.out.record(&view, |view| describe(view, &context.out))
}

/// Asks the members to replace all keys.
///
/// # Errors
/// As [`show`].
pub async fn replace(channel: Channel, name: String, context: &Context) -> Result<(), Failure> {
    let mut client = KeyServiceClient::new(channel);
    let request = call(ReplaceKeysRequest { equipe: name.clone() });
    let answer = client.replace_keys(request).await?.into_inner();
    let (from, asked, needed) = (Moment(answer.from_ms).to_string(), answer.asked, answer.needed);
    let view = ReplacementView { equipe: name, from, asked, needed };
    let words = |view: &ReplacementView| {
        let ReplacementView { equipe, from, asked, needed } = view;
        match asked >= needed {
            true => format!("{equipe}: the members replace the keys from {from} on"),
            false => format!(
                "{equipe}: {asked} of {needed} have asked; the members replace the keys, from \
                 {from} on, when so many administrators have"
            ),
        }
    };
    context.out.record(&view, words)?;
    context.out.note("see how it goes on: raccordo equipe keys NAME");
    Ok(())
}
