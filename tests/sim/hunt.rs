//! Hunts planted bugs: each must be found within some seeds.

use std::io::Write;
use std::time::Instant;

use anyhow::bail;
use raccordo_core::planted::Bug;
use raccordo_tests::sim::Plan;
use raccordo_tests::sim::liar::Lie;

use super::arguments::Arguments;
use super::seeds;

/// Lists the bugs.
///
/// # Errors
/// Nothing can be written.
pub fn list(out: &mut impl Write) -> anyhow::Result<bool> {
    for (place, bug) in Bug::ALL.iter().enumerate() {
        writeln!(out, "{:3} {:24} {}", place + 1, bug.name(), bug.what())?;
    }
    Ok(true)
}

/// Gives this process a bug, or none.
///
/// # Errors
/// This build can have none.
#[cfg(not(feature = "planted-bugs"))]
pub fn plant(bug: Option<Bug>) -> anyhow::Result<()> {
    match bug {
        None => Ok(()),
        Some(_) => bail!(
            "this build has no planted bugs: build it with --features raccordo-tests/planted-bugs"
        ),
    }
}

/// Gives this process a bug, or none.
///
/// # Errors
/// Never: this build can have every one.
#[cfg(feature = "planted-bugs")]
pub fn plant(bug: Option<Bug>) -> anyhow::Result<()> {
    raccordo_core::planted::choose(bug);
    Ok(())
}

/// Whether a bug can show in a run: of a lying hub only where it tells that lie, of lost disks
/// only where some are lost; and where the hub lies, less is expected of everybody.
fn suits(bug: Bug, plan: &Plan) -> bool {
    let told = |lies: &[Lie]| plan.lies() && lies.contains(&Lie::of(plan.seed));
    match bug {
        Bug::WithheldUnnoticed => told(&[Lie::Withhold]),
        Bug::SkipChain => told(&[Lie::Signature, Lie::Head]),
        Bug::SenderNotCompared => told(&[Lie::Sender]),
        Bug::DropSetAside => told(&[Lie::Sender, Lie::Replay]),
        Bug::DropFirstUpdate
        | Bug::FreshByAnyCommit
        | Bug::QuarantineIgnored
        | Bug::QuarantinedSends
        | Bug::ForgetQueueAtReturn
        | Bug::EndsNotRetold => plan.loses_disks(),
        // In peace every Welcome is entered at once.
        Bug::WelcomePassed => !plan.founded_in_peace(),
        Bug::EvaluationUnchecked | Bug::ComplaintForgotten => plan.cheats(),
        _ => !plan.lies(),
    }
}

/// Hunts every bug; whether all were found.
///
/// # Errors
/// Nothing can be written, or this build has no bugs.
pub fn all(out: &mut impl Write, arguments: &Arguments) -> anyhow::Result<bool> {
    let began = Instant::now();
    let (mut found, mut ran) = (0, 0_u64);
    let count = usize::try_from(arguments.seeds)?;
    let hunted: Vec<Bug> = match arguments.bug {
        Some(bug) => vec![bug],
        None => Bug::ALL.to_vec(),
    };
    for bug in &hunted {
        plant(Some(*bug))?;
        let (mut first, mut tried) = (None, 0_u64);
        let suited = |seed: &u64| suits(*bug, &Plan::of(*seed, arguments.size()));
        let suited = (arguments.from..).filter(suited).take(count);
        seeds::each(arguments, suited, |outcome| {
            ran += 1;
            tried += 1;
            if let Err(failure) = outcome {
                first = Some(failure);
            }
            first.is_none()
        });
        let name = bug.name();
        match first {
            Some(failure) => {
                found += 1;
                let (seed, violation) = (failure.seed, failure.violation);
                writeln!(out, "{name}: after {tried} seeds, {seed}: {violation}")?;
            }
            None => writeln!(out, "{name}: NOT FOUND in {tried} seeds")?,
        }
        out.flush()?;
    }
    plant(None)?;
    let (bugs, seconds) = (hunted.len(), began.elapsed().as_secs_f64());
    writeln!(out, "{found} of {bugs} bugs found, {ran} seeds, {seconds:.0} s")?;
    if bugs == 0 {
        bail!("there are no bugs to be hunted");
    }
    Ok(found == bugs)
}
