//! Links two CSV files through the real normal forms, tokens and fixed rule, and scores the
//! result against the truth.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use raccordo_core::codes::CodeLists;
use raccordo_core::matching::grade::Grade;
use raccordo_core::normal::comune::Comuni;
use raccordo_tests::linkage::link::{Score, link};
use raccordo_tests::linkage::{generate, record};
use serde_json::json;

const HELP: &str = "\
Links two CSV files through normal forms, tokens and the fixed rule, and scores the result.

Usage: linkage --left A.csv --right B.csv --truth T.csv [--without COLUMN,…] [--json]
       linkage --generate DIRECTORY [--seed N] [--count N]

A.csv and B.csv have a header; the column `id` names each record. Others, each optional and
as often as wished (name, name2, …): name (all parts), family, given, birth (YYYY-MM-DD,
DD/MM/YYYY or YYYYMMDD), fiscal_code, number (any identifier), phone, place (a comune or its
code, or a postal code), employer. Usual other words are understood too (surname,
date_of_birth, soc_sec_id, postcode, cognome, …); what is not is left out. T.csv has the
columns left and right. With one file on both sides its records are linked among themselves,
each pair once.

--generate writes left.csv, right.csv and truth.csv of people of whom nobody is real.";

#[derive(Default)]
struct Arguments {
    left: Option<PathBuf>,
    right: Option<PathBuf>,
    truth: Option<PathBuf>,
    without: Vec<String>,
    generate: Option<PathBuf>,
    seed: Option<u64>,
    count: Option<usize>,
    json: bool,
    help: bool,
}

fn arguments(mut words: impl Iterator<Item = String>) -> anyhow::Result<Arguments> {
    let mut found = Arguments::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word} needs a value"));
        match word.as_str() {
            "--left" => found.left = Some(PathBuf::from(value()?)),
            "--right" => found.right = Some(PathBuf::from(value()?)),
            "--truth" => found.truth = Some(PathBuf::from(value()?)),
            "--without" => found.without.extend(value()?.split(',').map(str::to_owned)),
            "--generate" => found.generate = Some(PathBuf::from(value()?)),
            "--seed" => found.seed = Some(value()?.parse().context("--seed takes a number")?),
            "--count" => found.count = Some(value()?.parse().context("--count takes a number")?),
            "--json" => found.json = true,
            "--help" => found.help = true,
            other => bail!("unknown argument {other}\n\n{HELP}"),
        }
    }
    Ok(found)
}

fn main() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let given = arguments(std::env::args().skip(1))?;
    if given.help {
        return Ok(writeln!(out, "{HELP}")?);
    }
    if let Some(directory) = given.generate {
        return generate::write(&directory, given.seed.unwrap_or(1), given.count.unwrap_or(4_000));
    }
    let needed = "--left, --right and --truth are needed; --help says more";
    let (left, right) = (given.left.context(needed)?, given.right.context(needed)?);
    let truth = given.truth.context(needed)?;
    let comuni = Comuni::new(&CodeLists::builtin());
    let same = left == right;
    let left = record::read(&left, &given.without, &comuni)?;
    let right = match same {
        true => None,
        false => Some(record::read(&right, &given.without, &comuni)?),
    };
    let truth = record::truth(&truth, &left, right.as_deref())?;
    let found = link(&left, right.as_deref());
    let records = left.len() + right.as_ref().map_or(0, Vec::len);
    let tokens = left.iter().chain(right.iter().flatten()).map(|record| record.tokens.len());
    let per_record = tokens.sum::<usize>() as f64 / records.max(1) as f64;
    let (all, best) = (Score::of(&found, Grade::B, &truth), Score::of(&found, Grade::A, &truth));
    if given.json {
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
        let Score { precision, recall, .. } = score;
        writeln!(out, "{name}: precision {precision:.4}, recall {recall:.4}")?;
    }
    Ok(())
}
