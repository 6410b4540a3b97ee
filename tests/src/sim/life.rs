//! A run from empty disks to the last check.

use std::time::Duration;

use raccordo_node::app::honesty;

use super::world::{Who, World};
use super::{Checked, Violation};

/// Rounds after which a healed federation must be quiet.
const ROUNDS_MAX: u32 = 300;
/// Hours after them in which keys are made, one after the other. A day, because who came late
/// answers to nobody for so long; and longer than the longest wait until a request is repeated.
const HOURS: [u64; 6] = [1, 1, 1, 2, 26, 7];
/// When whoever lost shares has a new key made.
const REPLACING: usize = 2;
/// How often who lost everything is put out, and comes in again: the first time the hub may
/// give out a key package that went with the other copy of the disk.
const COMINGS_MAX: usize = 3;
/// Days that pass at the end.
const DAYS: Duration = Duration::from_secs(3 * 24 * 3600);

impl World {
    /// From empty disks to the last check.
    ///
    /// # Errors
    /// The first thing that did not hold.
    pub fn live(&mut self) -> Checked {
        self.prepare()?;
        if self.plan.founded_in_peace() {
            self.network.heal();
            self.until_quiet()?;
            self.network.disturb();
        }
        while self.steps_left > 0 {
            self.steps_left -= 1;
            self.step()?;
            if self.steps_left == self.plan.steps() / 2 {
                self.agree_in_peace()?;
            }
        }
        self.heal()?;
        self.end()
    }

    /// An équipe that was founded without any fault, for tests that go on from there.
    ///
    /// # Errors
    /// Something does not work in peace.
    pub fn found_in_peace(&mut self) -> Checked {
        self.prepare()?;
        self.network.heal();
        self.until_quiet()
    }

    /// In the middle of a run all changes that wait are agreed on, who is suspended returns,
    /// and who is out comes in: under faults single signatures would always be faster.
    fn agree_in_peace(&mut self) -> Checked {
        self.trace.note("an hour of peace");
        self.calm();
        self.until_quiet()?;
        self.let_return()?;
        self.until_quiet()?;
        self.let_in()?;
        self.until_quiet()?;
        self.network.disturb();
        Ok(())
    }

    /// No fault is under way any more.
    fn calm(&mut self) {
        self.network.heal();
        self.hub.disk.recover();
        self.members.iter().for_each(|member| member.disk.recover());
    }

    /// Everything runs, nothing goes wrong any more, until nothing is left to be done.
    fn heal(&mut self) -> Checked {
        self.trace.note("all faults are healed");
        self.calm();
        self.settle_copies()?;
        self.share_at_last = true;
        self.until_quiet()?;
        self.leave_again()?;
        self.until_quiet()?;
        self.ask_again()?;
        self.until_quiet()?;
        for _ in 0..COMINGS_MAX {
            if !self.put_out_the_lost()? {
                break;
            }
            self.until_quiet()?;
            self.let_in()?;
            self.until_quiet()?;
        }
        self.trace.note("days pass");
        self.time.pass(DAYS);
        self.until_quiet()?;
        self.make_keys()?;
        if self.was_lied() {
            // Whoever keeps something back is given the time to deliver it.
            self.time.pass(honesty::PATIENCE * 2);
            self.until_quiet()?;
        }
        Ok(())
    }

    /// Hours in which keys are made, and what waits for them is asked for.
    fn make_keys(&mut self) -> Checked {
        for (place, hours) in HOURS.into_iter().enumerate() {
            if place == REPLACING {
                self.replace_lost_keys()?;
            }
            self.time.pass(Duration::from_secs(hours * 3600));
            self.until_quiet()?;
        }
        Ok(())
    }

    /// Everybody does what there is to do, round after round.
    ///
    /// # Errors
    /// Something does not work, or it goes on for ever.
    pub fn until_quiet(&mut self) -> Checked {
        let (mut quiet, mut restless) = (0, Vec::new());
        for _ in 0..ROUNDS_MAX {
            let before = self.fingerprint()?;
            self.round()?;
            self.time.pass(Duration::from_secs(2));
            restless = self.fingerprint()?.moved_since(&before);
            quiet = if restless.is_empty() { quiet + 1 } else { 0 };
            if quiet == 3 {
                return Ok(());
            }
        }
        Err(Violation(format!("the healed federation does not become quiet: {restless:?}")))
    }

    fn round(&mut self) -> Checked {
        if self.hub.process.is_none() {
            self.boot(Who::Hub)?;
        }
        while self.network.ghosts() > 0 {
            self.arrive()?;
        }
        self.accept_at_hub()?;
        for place in self.machines() {
            if self.node(place).is_none() {
                self.boot(Who::Member(place))?;
            }
            self.finish_tasks(place)?;
            self.trust_all(place)?;
            self.administer(place)?;
            self.sign_all(place)?;
            for words in [self.decide(place)?, self.approve(place)?] {
                if !words.is_empty() && words != "nothing lost" {
                    self.trace.note(&format!("  member {place}: {words}"));
                }
            }
            if self.share_at_last {
                self.share_all(place)?;
            }
            self.expire(place)?;
            self.run_all(place)?;
            self.look(place)?;
            self.after()?;
        }
        Ok(())
    }
}
