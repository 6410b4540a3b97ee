//! What the parts of a token cost: a case of twelve values, asked of two of three members.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use raccordo_core::entropy::{Entropy as _, SeededEntropy};
use raccordo_core::id::{EntryId, LineageId, NodeId};
use raccordo_core::pseudonym::ceremony::{Act, Ceremony, Duty, Plan, Rules};
use raccordo_core::pseudonym::cost::multiplications;
use raccordo_core::pseudonym::dealing::deal;
use raccordo_core::pseudonym::evaluation::evaluate;
use raccordo_core::pseudonym::key::{Class, KeyEpoch, KeyId};
use raccordo_core::pseudonym::request::Request;
use raccordo_core::pseudonym::share::KeyShare;
use raccordo_core::pseudonym::sharing::Sharing;
use raccordo_core::sealing::SealingKey;
use raccordo_core::secret::Secret;
use raccordo_core::time::Instant;
use serde::Serialize;
use serde_json::{Value, json};

use crate::measure::{micros, thread_cpu};

/// Values of a case.
const CASE: usize = 12;
/// How often each part is done.
const TIMES: u32 = 200;

/// CPU time of one token's parts, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Parts {
    /// One multiplication of an element by a scalar.
    pub(crate) multiplication_us: f64,
    /// The requester blinds a value.
    pub(crate) blind_us: f64,
    /// A member evaluates, with its part of the proof for twelve.
    pub(crate) evaluate_us: f64,
    /// The requester checks that.
    pub(crate) check_us: f64,
    /// It combines two answers, and finishes.
    pub(crate) finish_us: f64,
}

impl Parts {
    /// One token, the work of all parties: of two answers each is made and checked.
    pub(crate) fn token_us(&self) -> f64 {
        self.blind_us + 2.0 * (self.evaluate_us + self.check_us) + self.finish_us
    }

    /// Each part in multiplications.
    pub(crate) fn ratios(&self) -> Value {
        let of = |us: f64| us / self.multiplication_us;
        json!({
            "blind": of(self.blind_us), "evaluate": of(self.evaluate_us),
            "check": of(self.check_us), "finish": of(self.finish_us),
            "token": of(self.token_us()),
        })
    }
}

/// Measures.
///
/// # Errors
/// The kernel does not tell the time that was spent.
pub(crate) fn measure() -> anyhow::Result<Parts> {
    let entropy = SeededEntropy::labelled("bench");
    let (sharing, shares) = made()?;
    let values: Vec<String> = (0..CASE).map(|at| format!("+3933312345{at:02}")).collect();
    let values = || values.iter().map(|value| ("phone", value.as_str()));
    let blind = || Request::blind(&entropy, sharing.key(), values());
    let request = blind()?;
    let mut two = shares.iter();
    let ((first, share), (second, other)) = two.next().zip(two.next()).context("two who answer")?;
    let evaluated = |share: &KeyShare| evaluate(&entropy, share, &request.blinded());
    let said = evaluated(share)?;
    let checked = || request.check(&sharing, first, &said);
    let answers = [checked()?, request.check(&sharing, second, &evaluated(other)?)?];
    ensure!(request.finish(&sharing, &answers)?.len() == CASE, "tokens are missing");
    let one = |each: &dyn Fn() -> anyhow::Result<()>, of: usize| -> anyhow::Result<f64> {
        let before = thread_cpu()?;
        for _ in 0..TIMES {
            each()?;
        }
        let spent = thread_cpu()?.saturating_sub(before);
        Ok(micros(spent) / f64::from(TIMES) / of as f64)
    };
    let count = 100;
    let multiply = || {
        let last = multiplications(&entropy, count);
        ensure!(last != [0; 32], "an element");
        Ok(())
    };
    Ok(Parts {
        multiplication_us: one(&multiply, count as usize)?,
        blind_us: one(&|| Ok(blind().map(drop)?), CASE)?,
        evaluate_us: one(&|| Ok(evaluated(share).map(drop)?), CASE)?,
        check_us: one(&|| Ok(checked().map(drop)?), CASE)?,
        finish_us: one(&|| Ok(request.finish(&sharing, &answers).map(drop)?), CASE)?,
    })
}

/// A key of three members, of which two make a token.
fn made() -> anyhow::Result<(Sharing, BTreeMap<NodeId, KeyShare>)> {
    let entropy = SeededEntropy::labelled("members");
    let holders = ["lazio", "toscana", "umbria"].map(str::parse::<NodeId>);
    let holders = holders.into_iter().collect::<Result<BTreeSet<_>, _>>()?;
    let mut sealing = BTreeMap::new();
    for node in &holders {
        let mut seed = [0; 32];
        entropy.fill(&mut seed);
        sealing.insert(node.clone(), SealingKey::derive(&Secret::new(seed))?);
    }
    let public = sealing.iter().map(|(node, key)| (node.clone(), key.public().to_vec()));
    let public: BTreeMap<NodeId, Vec<u8>> = public.collect();
    let (lineage, class, epoch) = (LineageId([1; 16]), Class::PersonStrong, KeyEpoch::FIRST);
    let key = KeyId { lineage, class, epoch };
    let rules = Rules { key, holders: &holders, threshold: 2, current: None };
    let plan = Plan::founding(EntryId([1; 16]), rules, Duration::from_secs(60))?;
    let mut ceremony = Ceremony::begin(plan, Instant(0));
    while !ceremony.is_over() {
        for node in &holders {
            let act = match ceremony.duty(node) {
                Some(Duty::Deal) => {
                    let mut seed = [0; 32];
                    entropy.fill(&mut seed);
                    let plan = ceremony.plan();
                    Act::Deal(deal(&entropy, &Secret::new(seed), plan, node, None, &public)?)
                }
                Some(Duty::Report) => {
                    let key = sealing.get(node).context("a key of every holder")?;
                    Act::Report { accused: ceremony.complaints(node, &[key]), newcomer: false }
                }
                Some(Duty::Agree) => Act::Agree(ceremony.agreement().context("no agreement")?),
                Some(Duty::Answer(_)) | None => continue,
            };
            ceremony.apply(node, Instant(1), &act);
        }
    }
    let sharing = ceremony.sharing().context("no key was made")?.clone();
    let shares = sealing.iter().map(|(node, key)| {
        let share = ceremony.share(node, &[key])?;
        Ok((node.clone(), share))
    });
    Ok((sharing, shares.collect::<anyhow::Result<_>>()?))
}
