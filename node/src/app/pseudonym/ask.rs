//! Asks for tokens of the records that want some, newest first, within the budget; and asks
//! again where too few have answered.

use std::time::Duration;

use raccordo_core::canonical::{Reader, Writer};
use raccordo_core::envelope::{Body, TokenRequest};
use raccordo_core::id::{LineageId, RecordId, TokenRequestId};
use raccordo_core::normal::evidence::{Evidence, Family};
use raccordo_core::planted::{self, Bug};
use raccordo_core::pseudonym::budget::FRESH;
use raccordo_core::pseudonym::key::{Class, KeyId};
use raccordo_core::pseudonym::request::{Request, VALUE_BYTES_MAX};
use raccordo_core::secret::Secret;
use raccordo_core::time::Instant;

use super::{budget, keys, say};
use crate::app::fault::{Done, Fault};
use crate::app::work::Work;
use crate::app::{Node, matching};
use crate::store::token_request::{RequestRow, WantedRow};
use crate::telemetry::TOKENS_ASKED;

/// Most requests of a class that wait for answers at a time.
const REQUESTS_MAX: usize = 4;
/// Most records of one request.
const RECORDS_MAX: u32 = 64;
/// About the most elements of one request: its message takes 8 KiB.
const ELEMENTS_MAX: usize = 256;
/// After how long a request is asked again; each time twice as long.
const REPEAT_AFTER: Duration = Duration::from_secs(10 * 60);
/// The longest wait until it is asked again.
const REPEAT_MAX: Duration = Duration::from_secs(6 * 3600);

/// What came of it.
pub(super) struct Asked {
    /// Whether anything was queued.
    pub moved: bool,
    /// When to look again.
    pub next: Instant,
}

/// Asks what may be asked now of one class.
///
/// # Errors
/// The store's, or damaged rows.
pub(super) async fn ask(node: &Node, work: &mut Work<'_>, class: Class) -> Done<Asked> {
    let mut asked = Asked { moved: false, next: Instant(i64::MAX) };
    let lineage = work.row.lineage;
    let known = keys::in_force(node, work.tx()?, lineage, class).await?;
    let Some((_, sharing)) = known else { return Ok(asked) };
    let now = node.clock.now();
    let limit = work.pact(node)?.terms().budget.per_day(class);
    let used = budget::meter(work.tx()?, lineage).await?.used(&node.identity.node, class, now);
    let requests = work.tx()?.token_requests(lineage, class).await?;
    let on_the_way = requests.iter().filter(|row| row.accepted_at == Instant(0));
    let on_the_way = on_the_way.fold(used, |sum, row| sum.saturating_add(row.elements));
    let mut left = limit.saturating_sub(on_the_way);
    let late =
        |row: &&RequestRow| row.accepted_at > Instant(0) && now >= row.accepted_at.plus(FRESH);
    if let Some(late) = requests.iter().rfind(late) {
        // While nobody answers, one request finds out when somebody does again.
        let waits = requests.iter().any(|row| row.accepted_at == Instant(0));
        let from = late.accepted_at.plus(patience(late.attempts));
        if waits || late.elements > left || planted::is(Bug::TokensNotAskedAgain) {
            asked.next = tomorrow(now);
        } else if now < from {
            asked.next = from;
        } else {
            repeat(node, work, late.clone()).await?;
            asked.moved = true;
        }
        return Ok(asked);
    }
    let ends = requests.iter().filter(|row| row.accepted_at > Instant(0));
    let ends = ends.map(|row| row.accepted_at.plus(FRESH)).min();
    asked.next = ends.unwrap_or(asked.next);
    for _ in requests.len()..REQUESTS_MAX {
        let Some(batch) = gather(node, work, sharing.key(), (left, limit)).await? else {
            return Ok(asked);
        };
        if batch.values.is_empty() {
            if work.tx()?.count_wanted_tokens(lineage, class, "wanted").await? > 0 {
                asked.next = asked.next.min(tomorrow(now));
            }
            return Ok(asked);
        }
        let count = u32::try_from(batch.values.len()).unwrap_or(u32::MAX);
        left = left.saturating_sub(count);
        post(node, work, sharing.key(), batch).await?;
        asked.moved = true;
    }
    Ok(asked)
}

/// How long a request waits for answers before it is asked again.
fn patience(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(6);
    (REPEAT_AFTER * (1 << doublings)).min(REPEAT_MAX)
}

/// When budgets begin anew.
fn tomorrow(now: Instant) -> Instant {
    now.date().tomorrow().map_or(now.plus(REPEAT_MAX), Instant::start_of)
}

/// Values of some records, in the order of the request.
struct Batch {
    records: Vec<RecordId>,
    values: Vec<(RecordId, Evidence)>,
}

/// Takes as many of the newest records as fit; none where none waits.
async fn gather(
    node: &Node,
    work: &mut Work<'_>,
    key: KeyId,
    (left, limit): (u32, u32),
) -> Done<Option<Batch>> {
    let (lineage, class) = (key.lineage, key.class);
    let wanted: Vec<WantedRow> = work.tx()?.wanted_tokens(lineage, class, RECORDS_MAX).await?;
    if wanted.is_empty() {
        return Ok(None);
    }
    let mut batch = Batch { records: Vec::new(), values: Vec::new() };
    for WantedRow { record, .. } in wanted {
        let mut evidence = matching::evidence(node, work.tx()?, record).await?;
        let fits = |one: &Evidence| (1..=VALUE_BYTES_MAX).contains(&one.value.reveal().len());
        evidence.retain(|one| one.family.class() == class && fits(one));
        // A record that no day's budget holds is known by its strongest values.
        evidence.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        if evidence.is_empty() {
            work.tx()?.turn_wanted_tokens(lineage, class, &[record], ("wanted", "made")).await?;
            matching::tokens_made(node, work, record, key, Vec::new()).await?;
            continue;
        }
        let count = batch.values.len().saturating_add(evidence.len());
        let within = u32::try_from(count).is_ok_and(|count| count <= left);
        if !within || (count > ELEMENTS_MAX && !batch.values.is_empty()) {
            break;
        }
        batch.records.push(record);
        batch.values.extend(evidence.into_iter().map(|one| (record, one)));
    }
    Ok(Some(batch))
}

async fn post(node: &Node, work: &mut Work<'_>, key: KeyId, batch: Batch) -> Done<()> {
    let values = batch.values.iter();
    let values = values.map(|(_, one)| (one.family.name(), one.value.reveal().as_str()));
    let request = Request::blind(&*node.entropy, key, values);
    let request = request.map_err(|cause| Fault::ours("not_blinded", cause))?;
    let id = TokenRequestId::random(&*node.entropy);
    let of = batch.values.iter().map(|(record, one)| (*record, one.family)).collect();
    let content = Content { of, request };
    let row = RequestRow {
        lineage: key.lineage,
        request: id,
        class: key.class,
        key_epoch: key.epoch,
        elements: u32::try_from(content.of.len()).unwrap_or(u32::MAX),
        sealed: node.seal(&context(key.lineage, id), content.encode().reveal())?,
        attempts: 0,
        asked_at: Instant(0),
        accepted_at: Instant(0),
    };
    let turn = ("wanted", "asked");
    work.tx()?.turn_wanted_tokens(key.lineage, key.class, &batch.records, turn).await?;
    say_it(node, work, row, &content).await
}

async fn repeat(node: &Node, work: &mut Work<'_>, row: RequestRow) -> Done<()> {
    let content = Content::open(node, &row)?;
    say_it(node, work, row, &content).await
}

async fn say_it(
    node: &Node,
    work: &mut Work<'_>,
    mut row: RequestRow,
    content: &Content,
) -> Done<()> {
    let request = TokenRequest {
        request: row.request,
        class: row.class,
        key_epoch: row.key_epoch,
        blinded: content.request.blinded(),
        attempt: row.attempts,
    };
    metrics::counter!(TOKENS_ASKED.name, "class" => row.class.name())
        .increment(u64::from(row.elements));
    row.attempts = row.attempts.saturating_add(1);
    row.asked_at = node.clock.now();
    row.accepted_at = Instant(0);
    work.tx()?.put_token_request(row).await?;
    say(node, work, Body::TokenRequest(request), true).await
}

/// What a request is about, for the vault alone.
pub(super) struct Content {
    /// Whose value each element is, and of which family.
    pub of: Vec<(RecordId, Family)>,
    /// Inputs and blinds.
    pub request: Request,
}

impl Content {
    /// Opens what is kept of a request.
    ///
    /// # Errors
    /// A wrong node key, or a damaged row.
    pub(super) fn open(node: &Node, row: &RequestRow) -> Done<Self> {
        let bytes = node.open(&context(row.lineage, row.request), &row.sealed)?;
        Self::decode(&bytes).ok_or_else(|| Fault::ours("row_damaged", "a request for tokens"))
    }

    /// Canonical bytes of type `token-batch`: list of (record, family), request.
    fn encode(&self) -> Secret<Vec<u8>> {
        let of = self.of.iter().map(|(record, family)| {
            Writer::record().bytes(record.as_bytes()).text(family.name()).finish()
        });
        let writer = Writer::new("token-batch").list(of);
        Secret::new(writer.bytes(self.request.encode().reveal()).finish())
    }

    fn decode(bytes: &Secret<Vec<u8>>) -> Option<Self> {
        let mut reader = Reader::new("token-batch", bytes.reveal()).ok()?;
        let of = reader.list("records").ok()?.into_iter().map(|item| {
            let mut record = Reader::record(item);
            let id = RecordId::try_from(record.bytes("record").ok()?).ok()?;
            Some((id, Family::from_name(record.text("family").ok()?)?))
        });
        let of = of.collect::<Option<Vec<_>>>()?;
        let request = Secret::new(reader.bytes("request").ok()?.to_vec());
        Some(Self { of, request: Request::decode(&request).ok()? })
    }
}

/// Context under which a request is sealed.
fn context(lineage: LineageId, request: TokenRequestId) -> String {
    format!("token-request/{lineage}/{request}")
}

#[cfg(test)]
mod tests {
    use raccordo_core::entropy::SeededEntropy;
    use raccordo_core::pseudonym::key::KeyEpoch;

    use super::*;

    #[test]
    fn patience_grows_to_six_hours() {
        let minutes = |attempts| patience(attempts).as_secs() / 60;
        assert_eq!([1, 2, 3, 4].map(minutes), [10, 20, 40, 80]);
        assert_eq!([7, 8, 99].map(minutes), [360, 360, 360]);
    }

    #[test]
    fn budgets_begin_anew_at_midnight() {
        let day = 86_400_000;
        assert_eq!(tomorrow(Instant(3 * day + 1)), Instant(4 * day));
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let key = KeyId {
            lineage: LineageId([1; 16]),
            class: Class::PersonStrong,
            epoch: KeyEpoch::FIRST,
        };
        let entropy = SeededEntropy::labelled("content");
        let values = [("phone", "+391"), ("phone", "+392")];
        let request = Request::blind(&entropy, key, values).unwrap();
        let record = RecordId::random(&entropy);
        let of = vec![(record, Family::Phone), (record, Family::Phone)];
        let content = Content { of: of.clone(), request };
        let read = Content::decode(&content.encode()).unwrap();
        assert_eq!(read.of, of);
        assert_eq!(read.request.blinded(), content.request.blinded());
    }
}
