//! Links two CSV files through the real normal forms and families of evidence, and scores the
//! result against the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use clap::Parser;
use raccordo_core::codes::CodeLists;
use raccordo_core::matching::grade::Grade;
use raccordo_core::normal::comune::Comuni;
use raccordo_tests::linkage::bits::{self, Weighed};
use raccordo_tests::linkage::generate::{self, Set};
use raccordo_tests::linkage::link::{Found, Score};
use raccordo_tests::linkage::record::{self, Pair};
use serde_json::json;

const AFTER: &str = "\
A.csv and B.csv have a header; the column `id` names each record. Others, each optional and
as often as wished (name, name2, …): name (all parts), family, given, birth (YYYY-MM-DD,
DD/MM/YYYY or YYYYMMDD), fiscal_code, number (any identifier), phone, place (a comune or its
code, or a postal code), employer, passport, sex, citizenship. Sex and
employer are read and not compared. A column company (with vat_number, rea, place, fiscal_code)
makes it a file of companies. Usual other words are understood too (surname,
date_of_birth, soc_sec_id, postcode, cognome, …); what is not is left out. T.csv has the
columns left and right. With one file on both sides its records are linked among themselves,
each pair once.";

/// Links two CSV files through normal forms and tokens, and scores the result.
#[derive(Parser)]
#[command(name = "linkage", after_help = AFTER)]
struct Arguments {
    /// The records of one side
    #[arg(long, value_name = "A.csv", required_unless_present = "generate")]
    left: Option<PathBuf>,
    /// Those of the other, which receives
    #[arg(long, value_name = "B.csv", required_unless_present = "generate")]
    right: Option<PathBuf>,
    /// Which are the same
    #[arg(long, value_name = "T.csv", required_unless_present = "generate")]
    truth: Option<PathBuf>,
    /// Leave these columns out
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    without: Vec<String>,
    /// Say why a pair of ids has its grade
    #[arg(long, value_names = ["A", "B"], num_args = 2)]
    explain: Option<Vec<String>>,
    /// List what most false pairs and most misses agree on
    #[arg(long)]
    causes: bool,
    /// Instead, write left.csv, right.csv and truth.csv of people of whom nobody is real
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["left", "right", "truth"])]
    generate: Option<PathBuf>,
    /// Whom
    #[arg(long, value_enum, default_value_t = Set::Coast, requires = "generate")]
    set: Set,
    /// The same seed makes the same people
    #[arg(long, value_name = "N", default_value_t = 1, requires = "generate")]
    seed: u64,
    /// So many people in each file
    #[arg(long, value_name = "N", default_value_t = 3_000, requires = "generate")]
    count: usize,
    /// Of a hundred so many are in both
    #[arg(long, value_name = "N", default_value_t = 12, requires = "generate")]
    shared: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let given = Arguments::parse();
    if let Some(directory) = given.generate {
        return generate::write(&directory, given.set, given.seed, given.count, given.shared);
    }
    let (Some(left), Some(right), Some(truth)) = (given.left, given.right, given.truth) else {
        bail!("--left, --right and --truth are needed");
    };
    let comuni = Comuni::new(&CodeLists::builtin());
    let same = left == right;
    let left = record::read(&left, &given.without, &comuni)?;
    let right = match same {
        true => None,
        false => Some(record::read(&right, &given.without, &comuni)?),
    };
    let truth = record::truth(&truth, &left, right.as_deref())?;
    let all = || left.iter().chain(right.iter().flatten());
    let weighed = bits::weigh(&left, right.as_deref());
    let found = bits::grades(&weighed);
    let tokens = all().map(|record| record.evidence.len()).sum::<usize>();
    let per_record = tokens as f64 / all().count().max(1) as f64;
    report(&mut out, given.json, (all().count(), per_record), &found, &truth)?;
    if let Some([one, other]) = given.explain.as_deref() {
        explain(&mut out, &weighed, &(one.clone(), other.clone()))?;
    }
    if given.causes {
        causes(&mut out, &weighed, &truth)?;
    }
    Ok(())
}

fn report(
    out: &mut impl Write,
    json: bool,
    (records, per_record): (usize, f64),
    found: &Found,
    truth: &BTreeSet<Pair>,
) -> anyhow::Result<()> {
    let (all, best) = (Score::of(found, Grade::B, truth), Score::of(found, Grade::A, truth));
    if json {
        let rounded = |value: f64| (value * 10_000.0).round() / 10_000.0;
        let line = json!({
            "records": records,
            "true_pairs": truth.len(),
            "accepted": all.accepted,
            "precision": rounded(all.precision),
            "recall": rounded(all.recall),
            "precision_a": rounded(best.precision),
            "recall_a": rounded(best.recall),
            "tokens_per_record": rounded(per_record),
        });
        return Ok(writeln!(out, "{line}")?);
    }
    writeln!(out, "{records} records, {per_record:.1} tokens each, {} true pairs", truth.len())?;
    for (name, score) in [("accepted (A and B)", all), ("grade A alone     ", best)] {
        let of = |share: f64, count: usize| {
            let (low, high) = interval(share, count);
            format!("{share:.4} ({low:.3} to {high:.3})")
        };
        let (precision, recall) =
            (of(score.precision, score.accepted), of(score.recall, truth.len()));
        writeln!(out, "{name}: precision {precision}, recall {recall}")?;
    }
    Ok(())
}

/// Where a share of so many lies with a confidence of 95 of a hundred (Wilson's score interval).
fn interval(share: f64, count: usize) -> (f64, f64) {
    const Z: f64 = 1.96;
    let n = count.max(1) as f64;
    let middle = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z * Z / n;
    (((middle - half) / whole).max(0.0), ((middle + half) / whole).min(1.0))
}

fn explain(
    out: &mut impl Write,
    weighed: &BTreeMap<Pair, Weighed>,
    pair: &Pair,
) -> anyhow::Result<()> {
    let Some(Weighed { weight, families, grade }) = weighed.get(pair) else {
        return Ok(writeln!(out, "{} and {} agree on nothing", pair.0, pair.1)?);
    };
    writeln!(out, "{} and {}: grade {grade}, {:.1} bits", pair.0, pair.1, weight.bits)?;
    for (what, bits) in weight.parts.iter().filter(|(_, bits)| **bits > 0.0) {
        writeln!(out, "  {what:10} {bits:5.1}")?;
    }
    writeln!(out, "  disagrees  {:5.1}", -weight.disagreement)?;
    let families: Vec<&str> = families.iter().map(|family| family.name()).collect();
    Ok(writeln!(out, "  tokens of  {}", families.join(", "))?)
}

fn causes(
    out: &mut impl Write,
    weighed: &BTreeMap<Pair, Weighed>,
    truth: &BTreeSet<Pair>,
) -> anyhow::Result<()> {
    let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let named = |one: &Weighed| {
        let families: Vec<&str> = one.families.iter().map(|family| family.name()).collect();
        families.join(" ")
    };
    for (pair, one) in weighed {
        let accepted = one.grade >= Grade::B;
        match (accepted, truth.contains(pair)) {
            (true, false) => *counts.entry(("false", named(one))).or_default() += 1,
            (false, true) => *counts.entry(("missed", named(one))).or_default() += 1,
            _ => {}
        }
    }
    let silent = truth.iter().filter(|pair| !weighed.contains_key(*pair)).count();
    counts.insert(("missed", "nothing agrees".to_owned()), silent);
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|one| std::cmp::Reverse(one.1));
    for ((what, families), count) in counts.into_iter().take(20) {
        writeln!(out, "{count:5} {what:7} {families}")?;
    }
    Ok(())
}
