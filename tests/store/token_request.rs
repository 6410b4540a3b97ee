//! Rows of what waits for tokens.

use std::sync::Arc;

use raccordo_core::id::{RecordId, TokenRequestId};
use raccordo_core::pseudonym::key::{Class, Generation, KeyEpoch};
use raccordo_core::time::Instant;
use raccordo_node::store::Store;
use raccordo_node::store::token_request::{AnswerRow, RequestRow, WantedRow};

use crate::sample::{bytes, lineage, node};

fn record(number: u32) -> RecordId {
    RecordId::try_from(bytes(number).as_slice()).unwrap()
}

fn wanted(of: u8, class: Class, number: u32, at: i64) -> WantedRow {
    let state = "wanted".to_owned();
    WantedRow { lineage: lineage(of), class, record: record(number), state, at: Instant(at) }
}

fn request(of: u8, class: Class, number: u32) -> RequestRow {
    RequestRow {
        lineage: lineage(of),
        request: TokenRequestId(bytes(number)),
        class,
        key_epoch: KeyEpoch(2),
        elements: 3,
        sealed: b"sealed".to_vec(),
        attempts: 4,
        asked_at: Instant(100 - i64::from(number)),
        accepted_at: Instant(5),
    }
}

fn answer(number: u32, member: &str) -> AnswerRow {
    AnswerRow {
        lineage: lineage(1),
        request: TokenRequestId(bytes(number)),
        member: node(member),
        generation: Generation(6),
        evaluation: b"evaluation".to_vec(),
    }
}

pub async fn wanted_newest_first(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let class = Class::PersonWeak;
    let mut tx = store.write().await?;
    tx.want_tokens(&[wanted(1, class, 1, 10), wanted(1, class, 2, 30)]).await?;
    tx.want_tokens(&[wanted(1, class, 3, 20), wanted(1, Class::Company, 4, 40)]).await?;
    tx.want_tokens(&[wanted(2, class, 1, 50)]).await?;
    let newest = [wanted(1, class, 2, 30), wanted(1, class, 3, 20)];
    assert_eq!(tx.wanted_tokens(lineage(1), class, 2).await?, newest);
    let some = [record(2), record(3), record(9)];
    tx.turn_wanted_tokens(lineage(1), class, &some, ("wanted", "asked")).await?;
    assert_eq!(tx.wanted_tokens(lineage(1), class, 9).await?, [wanted(1, class, 1, 10)]);
    assert_eq!(tx.count_wanted_tokens(lineage(1), class, "asked").await?, 2);
    // It was changed while it was asked for.
    tx.want_tokens(&[wanted(1, class, 2, 60)]).await?;
    tx.turn_wanted_tokens(lineage(1), class, &some, ("asked", "made")).await?;
    assert_eq!(tx.count_wanted_tokens(lineage(1), class, "made").await?, 1);
    assert_eq!(tx.count_wanted_tokens(lineage(1), class, "wanted").await?, 2);
    tx.want_tokens_again(lineage(1), class, "asked").await?;
    assert_eq!(tx.count_wanted_tokens(lineage(1), class, "wanted").await?, 2);
    tx.want_tokens_again(lineage(1), class, "made").await?;
    assert_eq!(tx.count_wanted_tokens(lineage(1), class, "wanted").await?, 3);
    tx.forget_wanted_tokens(record(1)).await?;
    assert_eq!(tx.count_wanted_tokens(lineage(1), class, "wanted").await?, 2);
    assert_eq!(tx.count_wanted_tokens(lineage(2), class, "wanted").await?, 0);
    assert_eq!(tx.count_wanted_tokens(lineage(1), Class::Company, "wanted").await?, 1);
    Ok(())
}

pub async fn requests_and_answers(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let class = Class::PersonStrong;
    let id = |number| TokenRequestId(bytes(number));
    let mut tx = store.write().await?;
    for number in [1, 2] {
        tx.put_token_request(request(1, class, number)).await?;
    }
    tx.put_token_request(request(1, Class::Company, 3)).await?;
    let again = RequestRow { attempts: 9, accepted_at: Instant(0), ..request(1, class, 2) };
    tx.put_token_request(again.clone()).await?;
    let expected = [again.clone(), request(1, class, 1)];
    assert_eq!(tx.token_requests(lineage(1), class).await?, expected);
    assert_eq!(tx.token_request(lineage(1), id(2)).await?, Some(again));
    assert_eq!(tx.token_request(lineage(2), id(2)).await?, None);
    for member in ["umbria", "lazio"] {
        tx.put_token_answer(answer(1, member)).await?;
    }
    tx.put_token_answer(answer(2, "lazio")).await?;
    let newer = AnswerRow { generation: Generation(7), ..answer(1, "umbria") };
    tx.put_token_answer(newer.clone()).await?;
    assert_eq!(tx.token_answers(lineage(1), id(1)).await?, [answer(1, "lazio"), newer.clone()]);
    tx.delete_token_answer(lineage(1), id(1), &node("lazio")).await?;
    assert_eq!(tx.token_answers(lineage(1), id(1)).await?, [newer]);
    tx.delete_token_request(lineage(1), id(1)).await?;
    assert_eq!(tx.token_request(lineage(1), id(1)).await?, None);
    assert_eq!(tx.token_answers(lineage(1), id(1)).await?, []);
    assert_eq!(tx.token_answers(lineage(1), id(2)).await?, [answer(2, "lazio")]);
    Ok(())
}
