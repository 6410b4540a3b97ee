//! Answers to own requests: each is checked against what its maker committed to, and as many
//! as the threshold make the tokens.

use std::collections::BTreeMap;

use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::envelope::TokenAnswer;
use raccordo_core::hublog::LogEntry;
use raccordo_core::id::{NodeId, RecordId};
use raccordo_core::pseudonym::budget::FRESH;
use raccordo_core::pseudonym::evaluation::Evaluation;
use raccordo_core::pseudonym::key::{Class, Generation};
use raccordo_core::pseudonym::request::{Answer, CombineError};
use raccordo_core::pseudonym::sharing::Sharing;
use raccordo_core::pseudonym::token::Token;
use raccordo_core::time::Instant;

use super::ask::Content;
use super::ceremony::states;
use super::{Applied, ceremony, keys};
use crate::app::alarms::{self, NewAlarm};
use crate::app::fault::{Done, Fault};
use crate::app::work::Work;
use crate::app::{Node, matching};
use crate::store::token_request::{AnswerRow, RequestRow};
use crate::telemetry::TOKENS_MADE;

/// A request that was accepted so long ago is asked again at once.
const AT_ONCE: Instant = Instant(1);

/// Takes an answer; one to nothing that this node waits for has no effect.
///
/// # Errors
/// The store's, or damaged rows.
pub async fn answered(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    answer: &TokenAnswer,
) -> Done<Applied> {
    let (lineage, request) = (work.row.lineage, answer.request);
    if work.tx()?.token_request(lineage, request).await?.is_none() {
        return Ok(Ok(()));
    }
    ceremony::pass(node, work, entry.accepted_at).await?;
    let row = AnswerRow {
        lineage,
        request,
        member: entry.sender.clone(),
        generation: answer.generation,
        evaluation: answer.evaluation.clone(),
    };
    keep(node, work, row).await?;
    Ok(Ok(()))
}

/// Keeps an answer, and makes the tokens where it completes them.
///
/// # Errors
/// The store's, or damaged rows.
pub(super) async fn keep(node: &Node, work: &mut Work<'_>, answer: AnswerRow) -> Done<()> {
    let lineage = answer.lineage;
    let Some(row) = work.tx()?.token_request(lineage, answer.request).await? else {
        return Ok(());
    };
    // Of another sharing, it says nothing of its maker, and the request is asked again.
    let Some(sharing) = sharing_of(node, work, &row, answer.generation).await? else {
        return Ok(());
    };
    work.tx()?.put_token_answer(answer).await?;
    let rows = work.tx()?.token_answers(lineage, row.request).await?;
    let rows: Vec<AnswerRow> =
        rows.into_iter().filter(|answer| answer.generation == sharing.generation()).collect();
    if rows.len() < usize::from(sharing.threshold()) {
        return Ok(());
    }
    let content = Content::open(node, work.tx()?, &row).await?;
    let answers = checked(node, work, &row, &content, &sharing, rows).await?;
    match content.request.finish(&sharing, &answers) {
        Ok(tokens) => deliver(node, work, &row, &content, tokens).await,
        Err(CombineError::TooFew { .. }) => Ok(()),
        Err(cause) => Err(Fault::ours("tokens_not_made", cause)),
    }
}

/// The sharing of a request's key that has this generation: the one in force, or the one before
/// it, of which holders answered what stands before its end in the log.
async fn sharing_of(
    node: &Node,
    work: &mut Work<'_>,
    row: &RequestRow,
    generation: Generation,
) -> Done<Option<Sharing>> {
    let is_meant = |sharing: &Sharing| {
        sharing.key().epoch == row.key_epoch && sharing.generation() == generation
    };
    let known = keys::in_force(node, work.tx()?, row.lineage, row.class).await?;
    if let Some((_, sharing)) = known.filter(|(_, sharing)| is_meant(sharing)) {
        return Ok(Some(sharing));
    }
    let newest = ceremony::newest(work, row.class).await?;
    let newest = newest.filter(|row| row.state == states::DONE && !row.old.is_empty());
    let before = newest.map(|row| node.keys.sharing(&row.old)).transpose()?;
    Ok(before.filter(is_meant))
}

/// The answers that hold; who gave another is named, and its answer forgotten.
async fn checked(
    node: &Node,
    work: &mut Work<'_>,
    row: &RequestRow,
    content: &Content,
    sharing: &Sharing,
    rows: Vec<AnswerRow>,
) -> Done<Vec<Answer>> {
    let mut answers = Vec::new();
    for AnswerRow { member, evaluation, .. } in rows {
        let evaluation = Evaluation::decode(&evaluation).map_err(|_| {
            ("evaluation_malformed", format!("{member} answered with malformed bytes"))
        });
        let answer = evaluation.and_then(|evaluation| {
            let checked = content.request.check(sharing, &member, &evaluation);
            checked.map_err(|refusal| (refusal.reason(), refusal.to_string()))
        });
        match answer {
            Ok(answer) => {
                answers.push(answer);
                alarms::end_within(node, work, Ending::Amends, |row| {
                    row.code == AlarmCode::EvaluationBad && row.member.as_ref() == Some(&member)
                })
                .await?;
            }
            Err((reason, words)) => lied(node, work, row, &member, (reason, words)).await?,
        }
    }
    Ok(answers)
}

async fn lied(
    node: &Node,
    work: &mut Work<'_>,
    row: &RequestRow,
    member: &NodeId,
    (reason, words): (&'static str, String),
) -> Done<()> {
    let (lineage, class) = (row.lineage, row.class);
    tracing::warn!(%lineage, %member, reason, "an answer is refused");
    let detail = format!("a request for {class}: {words}; its answers are not used");
    work.tx()?.delete_token_answer(lineage, row.request, member).await?;
    let alarm = NewAlarm::new(AlarmCode::EvaluationBad, detail).about(member);
    alarms::raise_within(node, work, alarm).await.map(drop)
}

async fn deliver(
    node: &Node,
    work: &mut Work<'_>,
    row: &RequestRow,
    content: &Content,
    tokens: Vec<Token>,
) -> Done<()> {
    let (lineage, class, key) = (row.lineage, row.class, content.request.key());
    metrics::counter!(TOKENS_MADE.name, "class" => class.name()).increment(u64::from(row.elements));
    let mut made: BTreeMap<RecordId, Vec<matching::NewToken>> = BTreeMap::new();
    // Who was erased meanwhile has none.
    let known = content.of.iter().zip(content.request.known()).filter(|(_, known)| **known);
    for ((&(record, family, mark), _), token) in known.zip(tokens) {
        made.entry(record).or_default().push(matching::NewToken { family, mark, token });
    }
    let records: Vec<RecordId> = content.of.iter().map(|(record, ..)| *record).collect();
    let tx = work.tx()?;
    tx.turn_wanted_tokens(lineage, class, &records, ("asked", "made")).await?;
    tx.delete_token_request(lineage, row.request).await?;
    for (record, tokens) in made {
        matching::tokens_made(node, work, record, key, tokens).await?;
    }
    hasten_late(node, work).await?;
    let tx = work.tx()?;
    Ok(tx.hasten_key_duty(lineage).await?)
}

/// Somebody answers again: what waited for that is asked at once.
async fn hasten_late(node: &Node, work: &mut Work<'_>) -> Done<()> {
    let (lineage, now) = (work.row.lineage, node.clock.now());
    let tx = work.tx()?;
    for class in Class::ALL {
        for mut row in tx.token_requests(lineage, class).await? {
            if row.accepted_at > AT_ONCE && now >= row.accepted_at.plus(FRESH) {
                row.accepted_at = AT_ONCE;
                tx.put_token_request(row).await?;
            }
        }
    }
    Ok(())
}
