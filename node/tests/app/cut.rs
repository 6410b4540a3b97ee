//! A use case that is dropped at any of its waits loses nothing and leaves no memory that
//! the disk does not know: callers go away, and processes stop in the middle.

use std::future::Future;
use std::task::Poll;

use raccordo_core::crypto::Suite;
use raccordo_core::id::LineageId;
use raccordo_core::object::Kind;
use raccordo_node::app::hub::append::append;
use raccordo_node::app::receive::receive;
use raccordo_node::app::{pack, send};

use crate::bench::{Bench, Relay, Rows, Toscana, Umbria};

/// A use case that waits more often than this is not what it was.
const POLLS_MAX: usize = 400;

/// Polls a future so often and drops it; its output if it ended before.
async fn cut<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut left = polls;
    let mut future = Box::pin(future);
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            // The last one: nobody will ask again.
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Tells a new alert after a restart, with one step cut; the step is repeated whole.
async fn check(step: impl AsyncFn(&Bench, LineageId, usize) -> bool) {
    let mut bench = Bench::founded(Rows::Sqlite, Suite::Classical).await;
    let lineage = bench.lineage().await;
    let mut shared = Vec::new();
    let mut cut_once = false;
    for polls in 1..POLLS_MAX {
        bench.restart(Toscana).await;
        shared.extend(bench.share_samples(Toscana, Kind::Case, 1).await);
        let ended = step(&bench, lineage, polls).await;
        bench.run().await;
        bench.assert_agreement().await;
        bench.assert_arrived(Toscana, &shared).await;
        if ended && cut_once {
            return;
        }
        cut_once |= !ended;
    }
    panic!("not ended after {POLLS_MAX} waits");
}

#[tokio::test]
async fn an_append_whose_caller_goes_away() {
    check(async |bench, lineage, polls| {
        pack::pack(bench.node(Toscana), lineage).await.unwrap();
        let (mut ended, caller) = (true, Toscana.id());
        while let Some(call) = send::next_call(bench.node(Toscana), lineage).await.unwrap() {
            let appended = append(bench.node(Relay), &caller, call.group, call.entries);
            ended &= cut(polls, appended).await.is_some();
            bench.append_once(Toscana, lineage).await.unwrap();
            bench.fetch(Toscana).await.unwrap();
            pack::pack(bench.node(Toscana), lineage).await.unwrap();
        }
        ended
    })
    .await;
}

#[tokio::test]
async fn a_batch_received_in_part() {
    check(async |bench, lineage, polls| {
        bench.send(Toscana).await.unwrap();
        bench.fetch(Toscana).await.unwrap();
        bench.send(Toscana).await.unwrap();
        let mut ended = true;
        for who in [Toscana, Umbria] {
            let Some(batch) = bench.batch(who, lineage).await.unwrap() else { continue };
            ended &= cut(polls, receive(bench.node(who), &batch)).await.is_some();
        }
        ended
    })
    .await;
}

#[tokio::test]
async fn packing_in_part() {
    check(async |bench, lineage, polls| {
        let mut ended = cut(polls, pack::pack(bench.node(Toscana), lineage)).await.is_some();
        bench.send(Toscana).await.unwrap();
        bench.fetch(Toscana).await.unwrap();
        ended &= cut(polls, pack::pack(bench.node(Toscana), lineage)).await.is_some();
        ended
    })
    .await;
}

#[tokio::test]
async fn an_answer_settled_in_part() {
    check(async |bench, lineage, polls| {
        pack::pack(bench.node(Toscana), lineage).await.unwrap();
        let toscana = bench.node(Toscana);
        let Some(call) = send::next_call(toscana, lineage).await.unwrap() else { return true };
        let answer = bench.append(Toscana, lineage, call.clone()).await.unwrap();
        cut(polls, send::answered(toscana, lineage, &call, &answer)).await.is_some()
    })
    .await;
}
