//! The table of alarms, row by row: each is raised as the table says, holds or does not, and is
//! ended by each thing that the table names, all through the use cases.

mod ending;
mod keys;
mod raising;

use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::time::Instant;
use raccordo_node::app::doctor::doctor;
use raccordo_node::app::status;

use crate::hubs::{Disks, EQUIPE, HUBS, Hubs, REGIONS, id};

/// The chair, which is honest.
const OTHER: &str = REGIONS[0];
/// Who says and does what is not right.
const CULPRIT: &str = REGIONS[1];
/// At whose node the alarm stands.
const OBSERVER: &str = REGIONS[2];
const RELAY: &str = HUBS[0];
const PONTE: &str = HUBS[1];

/// An équipe in which all have said something, and its disks as they were then.
struct Stage {
    hubs: Hubs,
    begin: Disks,
    began: Instant,
}

impl Stage {
    async fn new() -> Self {
        let mut hubs = Hubs::founded().await;
        for region in REGIONS {
            hubs.share(region, 1).await;
        }
        hubs.run().await;
        let begin = hubs.disks();
        let began = hubs.now();
        Self { hubs, begin, began }
    }

    async fn begin_anew(&mut self) {
        self.hubs.down.clear();
        self.hubs.put_clock_back(self.hubs.now().since(self.began));
        self.hubs.put_back(&self.begin).await;
    }

    /// The observer reads what there is, and says what it has to say to that.
    async fn observe(&self) {
        self.hubs.turn(OBSERVER, RELAY).await;
    }

    /// Whether the alarm stands at the observer, about whom it has to be.
    async fn stands(&self, code: AlarmCode) -> bool {
        let node = self.hubs.node(OBSERVER);
        if !code.is_kept() {
            let found = doctor(node).await.unwrap();
            let about = |message: &str| message.contains(CULPRIT);
            return found.iter().any(|it| it.code == code.as_str() && about(&it.message));
        }
        let lineage = self.hubs.row(OBSERVER).await.lineage;
        let alarms = node.store.read().await.unwrap().alarms(lineage).await.unwrap();
        let named = code.names_member().then(|| id(CULPRIT));
        alarms.iter().any(|alarm| alarm.code == code && alarm.member == named)
    }

    async fn sending(&self) -> String {
        status::equipe(self.hubs.node(OBSERVER), EQUIPE).await.unwrap().sending
    }
}

/// Where something else holds too, or the trust in the named member does.
const HELD_BESIDES: [AlarmCode; 2] = [AlarmCode::WelcomeRefused, AlarmCode::CardForked];

/// What is told of sending where the alarm holds nothing: what is void nobody can process, and
/// so it holds at the observer for itself.
fn otherwise(code: AlarmCode, ending: Ending) -> &'static str {
    match (code, ending) {
        (AlarmCode::NoticeCannotProcess, Ending::Void) => "held: alarm commit_unprocessable",
        _ => "open",
    }
}

/// What an administrator reads of it tells whether cases are held.
async fn check_doctor(stage: &Stage, code: AlarmCode) {
    let found = doctor(stage.hubs.node(OBSERVER)).await.unwrap();
    let begin = format!("{EQUIPE}: {code}: ");
    let alarm = found.iter().find(|it| it.code == "alarm" && it.message.starts_with(&begin));
    let step = &alarm.unwrap_or_else(|| panic!("{code} is not told: {found:?}")).step;
    assert_eq!(step.starts_with("cases are held"), code.rule().holds, "{step}");
    assert_eq!(step.starts_with("nothing is held"), !code.rule().holds, "{step}");
}

/// One row of the table.
async fn check(code: AlarmCode) {
    let rule = code.rule();
    let mut stage = Stage::new().await;
    for ending in rule.ends {
        stage.begin_anew().await;
        assert!(!stage.stands(code).await, "{code} stands before it is raised");
        raising::raise(&mut stage, code, *ending).await;
        assert!(stage.stands(code).await, "{code} is not raised");
        let sending = stage.sending().await;
        match rule.holds {
            true => assert!(sending.starts_with("held: "), "{code}: {sending}"),
            false if HELD_BESIDES.contains(&code) => {
                assert!(!sending.ends_with(code.as_str()), "{sending}");
            }
            false => assert_eq!(sending, otherwise(code, *ending), "{code}"),
        }
        if code.is_kept() {
            check_doctor(&stage, code).await;
        }
        ending::end(&mut stage, code, *ending).await;
        assert!(!stage.stands(code).await, "{code} is not ended by {ending:?}");
        if code.is_kept() {
            let audited = stage.hubs.audited(OBSERVER).await;
            assert!(audited.contains(&"equipe.alarm_ended".to_owned()), "{code} {ending:?}");
        }
    }
}

/// A test for each row; a code without one does not pass.
macro_rules! rows {
    ($($name:ident: $code:ident by $check:path,)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                $check(AlarmCode::$code).await;
            }
        )+

        #[test]
        fn every_row_of_the_table_has_a_test() {
            let mut tested = vec![$(AlarmCode::$code),+];
            tested.sort_unstable();
            let mut all = AlarmCode::ALL.to_vec();
            all.sort_unstable();
            assert_eq!(tested, all);
        }
    };
}

rows! {
    log_forked: LogForked by check,
    log_rewritten: LogRewritten by check,
    log_truncated: LogTruncated by check,
    log_reordered: LogReordered by check,
    log_withheld: LogWithheld by check,
    log_broken: LogBroken by check,
    checkpoint_bad: CheckpointBad by check,
    sender_wrong: SenderWrong by check,
    hub_clock_ahead: HubClockAhead by check,
    own_clock_behind: OwnClockBehind by check,
    echo_disagrees: EchoDisagrees by check,
    entry_replayed: EntryReplayed by check,
    own_entry_unknown: OwnEntryUnknown by check,
    needs_rejoin: NeedsRejoin by check,
    commit_unprocessable: CommitUnprocessable by check,
    welcome_refused: WelcomeRefused by check,
    pact_unknown: PactUnknown by check,
    entry_refused: EntryRefused by check,
    hub_removed: HubRemoved by check,
    hub_unknown_group: HubUnknownGroup by check,
    hub_trimmed: HubTrimmed by check,
    card_forked: CardForked by check,
    notice_cannot_process: NoticeCannotProcess by check,
    notice_rejoin_request: NoticeRejoinRequest by check,
    notice_revocation: NoticeRevocation by check,
    notice_leave: NoticeLeave by check,
    notice_void: NoticeVoid by check,
    key_ceremony_failed: KeyCeremonyFailed by keys::check,
    key_lost: KeyLost by keys::check,
    key_dealing_bad: KeyDealingBad by keys::check,
    key_dissent: KeyDissent by keys::check,
    evaluation_bad: EvaluationBad by keys::check,
    token_budget_exceeded: TokenBudgetExceeded by keys::check,
    audit_went_back: AuditWentBack by check,
    heartbeat_overdue: HeartbeatOverdue by check,
}
