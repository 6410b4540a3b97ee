//! What the metrics say after a story.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use raccordo_core::crypto::Suite;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{EntryId, Epoch};
use raccordo_core::object::Kind;
use raccordo_node::app::hub::append::{Handed, Outcome};
use raccordo_node::telemetry::{
    COMMIT_SECONDS, ENTRIES_APPENDED, ENTRIES_REFUSED, ENVELOPES_SET_ASIDE, Metric,
};

use crate::bench::{Bench, Relay, Rows, Toscana, Umbria};

/// The value of a metric with one label, or of a histogram's count; 0 where there is none.
pub fn value(recorder: &PrometheusRecorder, metric: Metric, label: &str) -> f64 {
    let text = recorder.handle().render();
    let series = [format!("{}{label} ", metric.name), format!("{}_count{label} ", metric.name)];
    let line = text.lines().find_map(|line| series.iter().find_map(|s| line.strip_prefix(s)));
    line.map_or(0.0, |number| number.parse().unwrap())
}

#[tokio::test]
async fn founding_and_sharing_are_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _scope = metrics::set_default_local_recorder(&recorder);
    let mut bench = Bench::founded(Rows::Memory, Suite::Classical).await;
    bench.share_samples(Toscana, Kind::Case, 3).await;
    bench.run().await;
    let log = bench.node(Relay).store.read().await.unwrap().all_carried().await.unwrap();
    let commits = value(&recorder, ENTRIES_APPENDED, r#"{kind="commit"}"#);
    let messages = value(&recorder, ENTRIES_APPENDED, r#"{kind="application"}"#);
    assert!(commits > 0.0 && messages > 0.0);
    assert_eq!(commits + messages, log[0].sequence.0 as f64);
    assert!(value(&recorder, COMMIT_SECONDS, "") > commits + messages);
    assert_eq!(value(&recorder, ENVELOPES_SET_ASIDE, r#"{reason="not_admissible"}"#), 0.0);
}

#[tokio::test]
async fn refusals_are_counted_by_reason() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _scope = metrics::set_default_local_recorder(&recorder);
    let bench = Bench::ready().await;
    let handed = Handed {
        entry: EntryId::random(&*bench.node(Umbria).entropy),
        kind: EntryKind::Application,
        epoch: Epoch(0),
        payload: vec![0; 1024],
        group_info: Vec::new(),
        welcome: Vec::new(),
    };
    let before = value(&recorder, ENTRIES_REFUSED, r#"{reason="stale"}"#);
    let outcome = bench.hand(Umbria, handed.clone()).await;
    assert!(matches!(outcome, Outcome::Stale { .. }), "{outcome:?}");
    assert_eq!(value(&recorder, ENTRIES_REFUSED, r#"{reason="stale"}"#), before + 1.0);
    let epoch = bench.row(Umbria).await.epoch;
    let Outcome::Refused(reason) = bench.hand(Umbria, Handed { epoch, ..handed }).await else {
        panic!("bytes that are no message were placed");
    };
    let label = format!("{{reason=\"{reason}\"}}");
    assert_eq!(value(&recorder, ENTRIES_REFUSED, &label), 1.0);
}
