//! Asks for tokens of the records that want some, newest first, within the budget; and asks
//! again where too few have answered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use raccordo_core::canonical::{Reader, Writer};
use raccordo_core::envelope::{Body, TokenRequest};
use raccordo_core::evidence::family::{Evidence, Family, Mark};
use raccordo_core::id::{LineageId, RecordId, TokenRequestId};
use raccordo_core::planted::{self, Bug};
use raccordo_core::pseudonym::budget::FRESH;
use raccordo_core::pseudonym::key::{Class, KeyId};
use raccordo_core::pseudonym::request::{Request, VALUE_BYTES_MAX};
use raccordo_core::time::Instant;
use raccordo_core::vault::RecordKey;

use super::{budget, keys, say};
use crate::app::fault::{Done, Fault};
use crate::app::work::Work;
use crate::app::{Node, matching, register};
use crate::store::Tx;
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
    let of = batch.values.iter().map(|(record, one)| (*record, one.family, one.mark())).collect();
    let content = Content { of, request };
    let sealed = content.seal(node, work.tx()?, id).await?;
    let row = RequestRow {
        lineage: key.lineage,
        request: id,
        class: key.class,
        key_epoch: key.epoch,
        elements: u32::try_from(content.of.len()).unwrap_or(u32::MAX),
        sealed,
        attempts: 0,
        asked_at: Instant(0),
        accepted_at: Instant(0),
    };
    let turn = ("wanted", "asked");
    work.tx()?.turn_wanted_tokens(key.lineage, key.class, &batch.records, turn).await?;
    say_it(node, work, row, &content).await
}

async fn repeat(node: &Node, work: &mut Work<'_>, row: RequestRow) -> Done<()> {
    let content = Content::open(node, work.tx()?, &row).await?;
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
    /// Whose value each element is, of which family, and which piece of evidence.
    pub of: Vec<(RecordId, Family, Mark)>,
    /// Inputs and blinds.
    pub request: Request,
}

impl Content {
    /// What is kept of a request: each value with its blind under the key of its record, so that
    /// nobody reads it when the record is erased, the rest under the node key.
    ///
    /// # Errors
    /// The store's, or a wrong node key.
    async fn seal(&self, node: &Node, tx: &mut dyn Tx, id: TokenRequestId) -> Done<Vec<u8>> {
        let keys = record_keys(node, tx, self.of.iter().map(|(record, ..)| *record)).await?;
        let secrets = self.request.secrets();
        let values = self.of.iter().zip(self.request.blinded()).zip(&secrets).enumerate();
        let mut elements = Vec::new();
        for (place, (((record, family, mark), blinded), secret)) in values {
            let seal = |key: &RecordKey| {
                key.seal(&*node.entropy, &value_context(id, place), secret.reveal())
            };
            // Nothing of a record that is erased at this moment.
            let sealed = keys.get(record).map(seal).transpose();
            let sealed = sealed.map_err(|cause| Fault::ours("vault", cause))?.unwrap_or_default();
            let (record, family, mark) = (*record, *family, *mark);
            elements.push(Element { record, family, mark, blinded, sealed });
        }
        let lineage = self.request.key().lineage;
        node.seal(&context(lineage, id), &Element::encode(&elements))
    }

    /// Opens what is kept of a request; values of records that were erased meanwhile are gone.
    ///
    /// # Errors
    /// The store's, a wrong node key, or a damaged row.
    pub(super) async fn open(node: &Node, tx: &mut dyn Tx, row: &RequestRow) -> Done<Self> {
        let elements = elements(node, row)?;
        let keys = record_keys(node, tx, elements.iter().map(|element| element.record)).await?;
        let (mut of, mut values) = (Vec::new(), Vec::new());
        for (place, element) in elements.into_iter().enumerate() {
            let open =
                |key: &RecordKey| key.open(&value_context(row.request, place), &element.sealed);
            let secret = keys.get(&element.record).map(open).transpose();
            values.push((element.blinded, secret.map_err(|cause| Fault::ours("vault", cause))?));
            of.push((element.record, element.family, element.mark));
        }
        let key = KeyId { lineage: row.lineage, class: row.class, epoch: row.key_epoch };
        let request = Request::restore(key, values);
        let request = request.map_err(|cause| Fault::ours("row_damaged", cause))?;
        Ok(Self { of, request })
    }
}

/// Whose values a request holds.
///
/// # Errors
/// A wrong node key, or a damaged row.
pub(super) fn records_of(node: &Node, row: &RequestRow) -> Done<BTreeSet<RecordId>> {
    Ok(elements(node, row)?.into_iter().map(|element| element.record).collect())
}

fn elements(node: &Node, row: &RequestRow) -> Done<Vec<Element>> {
    let bytes = node.open(&context(row.lineage, row.request), &row.sealed)?;
    let damaged = || Fault::ours("row_damaged", "a request for tokens");
    Element::decode(bytes.reveal()).ok_or_else(damaged)
}

/// The keys of these records; none of those that were erased.
async fn record_keys(
    node: &Node,
    tx: &mut dyn Tx,
    records: impl Iterator<Item = RecordId>,
) -> Done<BTreeMap<RecordId, RecordKey>> {
    let records: BTreeSet<RecordId> = records.collect();
    let records: Vec<RecordId> = records.into_iter().collect();
    let ring = register::keys::Ring::open(node, tx).await?;
    let mut keys = BTreeMap::new();
    for row in tx.records_among(&records).await? {
        keys.extend(ring.of(&row)?.map(|key| (row.record, key)));
    }
    Ok(keys)
}

/// One element of a request as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Element {
    record: RecordId,
    family: Family,
    mark: Mark,
    blinded: [u8; 32],
    /// Value and blind, under the key of the record.
    sealed: Vec<u8>,
}

impl Element {
    /// Canonical bytes of type `token-batch`: list of (record, family, mark, blinded element,
    /// sealed value).
    fn encode(elements: &[Self]) -> Vec<u8> {
        let elements = elements.iter().map(|element| {
            Writer::record()
                .bytes(element.record.as_bytes())
                .text(element.family.name())
                .bytes(&element.mark)
                .bytes(&element.blinded)
                .bytes(&element.sealed)
                .finish()
        });
        Writer::new("token-batch").list(elements).finish()
    }

    fn decode(bytes: &[u8]) -> Option<Vec<Self>> {
        let mut reader = Reader::new("token-batch", bytes).ok()?;
        let elements = reader.list("elements").ok()?.into_iter().map(|item| {
            let mut element = Reader::record(item);
            Some(Self {
                record: RecordId::try_from(element.bytes("record").ok()?).ok()?,
                family: Family::from_name(element.text("family").ok()?)?,
                mark: element.array("mark").ok()?,
                blinded: element.array("blinded element").ok()?,
                sealed: element.bytes("sealed value").ok()?.to_vec(),
            })
        });
        elements.collect()
    }
}

/// Context under which a request is sealed.
fn context(lineage: LineageId, request: TokenRequestId) -> String {
    format!("token-request/{lineage}/{request}")
}

/// Context under which a value of a request is sealed.
fn value_context(request: TokenRequestId, place: usize) -> String {
    format!("token-value/{request}/{place}")
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
        let (family, mark) = (Family::Phone, [9; 8]);
        let element = |blinded| Element { record, family, mark, blinded, sealed: vec![7] };
        let elements: Vec<Element> = request.blinded().into_iter().map(element).collect();
        assert_eq!(Element::decode(&Element::encode(&elements)), Some(elements));
        assert_eq!(Element::decode(b"nothing"), None);
    }
}
