//! The three are killed (SIGKILL) again and again, each time with work in hand; nothing is
//! lost, nothing comes twice.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use raccordo_core::entropy::{SeededEntropy, draw};
use raccordo_proto::alert::v1::Alert;
use raccordo_proto::casework::v1::DeliveryState;
use raccordo_tests::federation::operator::reason;
use raccordo_tests::federation::{Federation, MEMBERS, NODES, Operator, PATIENCE, Setting, pause};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::alerts::{agree, are_listed, audits_verify, examples, share};
use crate::in_hand::{self, InHand};

/// Kills that count: with work in hand.
const KILLS: usize = 100;
/// Alerts of each member.
const ALERTS: usize = 1000;
/// Most alerts of one call.
const BATCH: u64 = 4;
/// Kills while the équipe is being founded.
const FOUNDING_KILLS: usize = 12;
/// A process lives at most so long after a round began: in one round of two only for what
/// a start brings with it (the connection, the own commit), else amid the flow.
const MOMENTS_MAX: [Duration; 2] = [Duration::from_millis(40), Duration::from_millis(400)];
/// Replaces the random seed.
const SEED: &str = "RACCORDO_TEST_SEED";
/// What the nodes log, so that the step at which a kill fell can be told.
const STEPS: &str = "info,raccordo_node=debug";

/// 2,000 alerts flow both ways while relay, toscana and umbria are killed 100 times.
pub async fn a_hundred_times(setting: Setting) -> anyhow::Result<()> {
    let seed = seed();
    tell(&format!("kill test on {:?}: {SEED}={seed}", setting.database));
    let mut world = Federation::founded(setting.log(STEPS)).await?;
    let dice = Dice::new(&seed, "killer");
    let mut flows = Vec::new();
    for member in MEMBERS {
        let kinds = [("case", ALERTS / 2), ("company", ALERTS - ALERTS / 2)];
        let mut alerts = Vec::new();
        for (kind, count) in kinds {
            alerts.extend(examples(&world, kind, count, "1").await?);
        }
        flows.push(Flow::start(world.operator(member)?, alerts, Dice::new(&seed, member)));
    }
    let began = Instant::now();
    let mut toll = Toll::default();
    while toll.counted < KILLS {
        ensure!(toll.all < 2 * KILLS, "too few kills fell on work:\n{toll}");
        flows.iter_mut().for_each(|flow| flow.release(KILLS - toll.counted));
        let victim = *dice.one_of(&NODES);
        let node = world.node_mut(victim)?;
        node.kill_within(dice.moment()).await?;
        toll.note(victim, &in_hand::last_step(node)?, in_hand::of(node).await?);
        node.start().await?;
    }
    toll.elapsed = began.elapsed();
    let shared = all_are_there(&world, flows).await?;
    agree(&world).await?;
    audits_verify(&world).await?;
    tell(&format!(
        "kill test on {:?}, {SEED}={seed}: {shared} alerts once on both sides, after {:?}\n{toll}",
        setting.database,
        began.elapsed()
    ));
    Ok(())
}

/// The three are killed while the équipe is founded and joined.
pub async fn while_founding(setting: Setting) -> anyhow::Result<()> {
    let seed = seed();
    tell(&format!("kill test of the founding on {:?}: {SEED}={seed}", setting.database));
    let mut world = Federation::open(setting.log(STEPS)).await?;
    let dice = Dice::new(&seed, "founding");
    world.introduce_all().await?;
    world.agree().await?;
    world.begin_to_create().await?;
    let mut toll = Toll::default();
    for _ in 0..FOUNDING_KILLS {
        let victim = *dice.one_of(&NODES);
        let node = world.node_mut(victim)?;
        node.kill_within(dice.moment()).await?;
        toll.note(victim, &in_hand::last_step(node)?, None);
        node.start().await?;
    }
    world.all_joined().await?;
    for member in MEMBERS {
        world.staff(member).await?;
    }
    for member in MEMBERS {
        share(&world, member, &examples(&world, "case", 2, "1").await?).await?;
    }
    agree(&world).await?;
    audits_verify(&world).await?;
    tell(&format!("kill test of the founding on {:?}:\n{toll}", setting.database));
    Ok(())
}

fn seed() -> String {
    std::env::var(SEED).unwrap_or_else(|_| Uuid::new_v4().simple().to_string())
}

/// Past the capturing of tests, so that it is seen whenever they ran.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Everything that was shared is delivered, and stands once in both lists.
async fn all_are_there(world: &Federation, flows: Vec<Flow>) -> anyhow::Result<usize> {
    let mut all = Vec::new();
    for (flow, member) in flows.into_iter().zip(MEMBERS) {
        let alerts = flow.end().await.with_context(|| format!("sharing at {member}"))?;
        let operator = world.operator(member)?;
        for some in alerts.chunks(500) {
            let ids: Vec<String> = some.iter().map(|alert| alert.id.clone()).collect();
            let states = operator.wait(ids, DeliveryState::Delivered).await?;
            let late: Vec<_> = states.iter().filter(|shared| !delivered(shared)).collect();
            if let Some(first) = late.first() {
                let (late, told) = (late.len(), world.told().await);
                bail!("{late} of {member} are not delivered, such as {first:?}; {told}");
            }
        }
        all.extend(alerts);
    }
    for member in MEMBERS {
        let listed = world.operator(member)?.list().await?;
        are_listed(&all, &listed).with_context(|| format!("at {member}"))?;
        ensure!(listed.len() == all.len(), "{member} lists {} alerts", listed.len());
        let equipe = world.node(member)?.equipe().await?;
        ensure!(equipe.outbox == 0 && equipe.set_aside == 0, "{equipe:?}");
    }
    Ok(all.len())
}

fn delivered(shared: &raccordo_proto::casework::v1::SharedAlert) -> bool {
    let delivery = shared.delivery.clone().unwrap_or_default();
    delivery.state() >= DeliveryState::Delivered && delivery.refusals.is_empty()
}

/// Randomness that repeats for a seed.
struct Dice(SeededEntropy);

impl Dice {
    fn new(seed: &str, whose: &str) -> Self {
        Self(SeededEntropy::labelled(&format!("{seed} {whose}")))
    }

    /// From 0 up to, not including, `end`.
    fn below(&self, end: u64) -> u64 {
        u64::from_be_bytes(draw(&self.0)) % end
    }

    fn one_of<'t, T>(&self, choices: &'t [T]) -> &'t T {
        &choices[self.below(choices.len() as u64) as usize]
    }

    fn moment(&self) -> Duration {
        let longest = self.one_of(&MOMENTS_MAX);
        Duration::from_micros(self.below(longest.as_micros() as u64))
    }
}

/// One member's alerts on their way: shared in small batches, as far as they are released.
struct Flow {
    released: watch::Sender<usize>,
    task: JoinHandle<anyhow::Result<Vec<Alert>>>,
}

impl Flow {
    fn start(operator: Operator, alerts: Vec<Alert>, dice: Dice) -> Self {
        let (released, seen) = watch::channel(0);
        Self { released, task: tokio::spawn(share_all(operator, alerts, seen, dice)) }
    }

    /// Lets so many more go that the rest lasts for the rounds that are left.
    fn release(&mut self, rounds: usize) {
        self.released.send_modify(|released| {
            let rest = ALERTS - *released;
            *released += rest.div_ceil(rounds.max(1)).min(rest);
        });
    }

    async fn end(self) -> anyhow::Result<Vec<Alert>> {
        self.released.send_replace(ALERTS);
        self.task.await?
    }
}

async fn share_all(
    operator: Operator,
    alerts: Vec<Alert>,
    mut released: watch::Receiver<usize>,
    dice: Dice,
) -> anyhow::Result<Vec<Alert>> {
    let mut done = 0;
    while done < alerts.len() {
        let most = *released.wait_for(|released| *released > done).await?;
        let end = most.min(done + 1 + dice.below(BATCH) as usize);
        share_for_sure(&operator, &alerts[done..end]).await?;
        done = end;
    }
    Ok(alerts)
}

/// Repeats while the node is away; the alerts' own ids make that safe.
async fn share_for_sure(operator: &Operator, alerts: &[Alert]) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        match operator.share(alerts.to_vec()).await {
            Ok(answer) if answer.shared.len() == alerts.len() => return Ok(()),
            Ok(answer) => bail!("{} alerts, answer {answer:?}", alerts.len()),
            Err(error) => {
                let told = error.downcast_ref().map(reason).unwrap_or_default();
                // Another reason is the node's judgement, which repeating does not change.
                let passes = ["", "stopping", "store_unavailable"].contains(&told);
                if !passes || began.elapsed() > PATIENCE {
                    return Err(error);
                }
                pause().await;
            }
        }
    }
}

/// Where the kills fell.
#[derive(Default)]
struct Toll {
    all: usize,
    counted: usize,
    steps: BTreeMap<String, BTreeMap<&'static str, usize>>,
    work: BTreeMap<&'static str, InHand>,
    elapsed: Duration,
}

impl Toll {
    fn note(&mut self, victim: &'static str, step: &str, work: Option<InHand>) {
        self.all += 1;
        *self.steps.entry(step.to_owned()).or_default().entry(victim).or_default() += 1;
        if let Some(work) = work.filter(InHand::is_some) {
            self.counted += 1;
            self.work.entry(victim).or_default().add(&work);
        }
    }
}

impl std::fmt::Display for Toll {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { all, counted, elapsed, .. } = self;
        writeln!(
            f,
            "{all} kills in {elapsed:.1?}, {counted} with work in hand; last step before:"
        )?;
        writeln!(f, "  {:<20}{:>9}{:>9}{:>9}", "", NODES[0], NODES[1], NODES[2])?;
        for (step, victims) in &self.steps {
            let count = |victim| victims.get(victim).copied().unwrap_or_default();
            let [relay, toscana, umbria] = NODES.map(count);
            writeln!(f, "  {step:<20}{relay:>9}{toscana:>9}{umbria:>9}")?;
        }
        for (victim, work) in &self.work {
            writeln!(f, "  in hand at {victim}, in all: {work}")?;
        }
        Ok(())
    }
}
