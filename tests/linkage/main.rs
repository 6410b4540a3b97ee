//! Links two CSV files through the real normal forms, tokens and fixed rule, and scores the
//! result against the truth.
//!
//! The tokens are those of an unsplit key: which values agree is the same as with one that
//! members share.

#![allow(clippy::indexing_slicing, reason = "a program of the tests")]

mod columns;
mod link;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use raccordo_core::codes::CodeLists;
use raccordo_core::normal::comune::Comuni;
use serde_json::json;

use columns::{Without, read};
use link::{Score, link};

const HELP: &str = "\
Links two CSV files through normal forms, tokens and the fixed rule, and scores the result.

Usage: linkage --left A.csv --right B.csv --truth T.csv [--without COLUMN,…] [--json]

A.csv and B.csv have a header; the column `id` names each record. Others, each optional and
as often as wished (name, name2, …): name (all parts), family, given, birth (YYYY-MM-DD,
DD/MM/YYYY or YYYYMMDD), fiscal_code, number (any identifier), phone, place (a comune's code
or a postal code), employer. T.csv has the columns left and right. With one file on both sides
its records are linked among themselves, each pair once.";

struct Arguments {
    left: PathBuf,
    right: PathBuf,
    truth: PathBuf,
    without: Without,
    json: bool,
}

fn arguments(mut words: impl Iterator<Item = String>) -> anyhow::Result<Option<Arguments>> {
    let (mut left, mut right, mut truth) = (None, None, None);
    let (mut without, mut json) = (Without::default(), false);
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word} needs a value"));
        match word.as_str() {
            "--left" => left = Some(PathBuf::from(value()?)),
            "--right" => right = Some(PathBuf::from(value()?)),
            "--truth" => truth = Some(PathBuf::from(value()?)),
            "--without" => without.extend(value()?.split(',').map(str::to_owned)),
            "--json" => json = true,
            "--help" => return Ok(None),
            other => bail!("unknown argument {other}\n\n{HELP}"),
        }
    }
    let needed = "--left, --right and --truth are needed";
    Ok(Some(Arguments {
        left: left.context(needed)?,
        right: right.context(needed)?,
        truth: truth.context(needed)?,
        without,
        json,
    }))
}

/// The true pairs; for one file, each pair in the order of its ids.
fn truth(path: &PathBuf, same: bool) -> anyhow::Result<BTreeSet<(String, String)>> {
    let mut reader = csv::Reader::from_path(path)?;
    let headers = reader.headers()?.clone();
    let place = |name: &str| headers.iter().position(|header| header.trim() == name);
    let (left, right) = place("left").zip(place("right")).context("no columns left and right")?;
    let mut pairs = BTreeSet::new();
    for row in reader.records() {
        let row = row?;
        let value = |place: usize| row.get(place).unwrap_or_default().trim().to_owned();
        let pair = (value(left), value(right));
        pairs.insert(if same && pair.0 > pair.1 { (pair.1, pair.0) } else { pair });
    }
    ensure!(!pairs.is_empty(), "{} names no pair", path.display());
    Ok(pairs)
}

fn main() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let Some(arguments) = arguments(std::env::args().skip(1))? else {
        return Ok(writeln!(out, "{HELP}")?);
    };
    let comuni = Comuni::new(&CodeLists::builtin());
    let left = read(&arguments.left, &arguments.without, &comuni)?;
    let same = arguments.left == arguments.right;
    let right =
        if same { None } else { Some(read(&arguments.right, &arguments.without, &comuni)?) };
    let truth = truth(&arguments.truth, same)?;
    let found = link(&left, right.as_deref());
    let records = left.len() + right.as_ref().map_or(0, Vec::len);
    let tokens: usize =
        left.iter().chain(right.iter().flatten()).map(|record| record.tokens.len()).sum();
    let per_record = tokens as f64 / records.max(1) as f64;
    let score = Score::of(&found, &truth);
    if arguments.json {
        let rounded = |value: f64| (value * 10_000.0).round() / 10_000.0;
        let line = json!({
            "records": records,
            "true_pairs": truth.len(),
            "accepted": score.accepted,
            "precision": rounded(score.precision),
            "recall": rounded(score.recall),
            "recall_a": rounded(score.recall_a),
            "precision_a": rounded(score.precision_a),
            "tokens_per_record": rounded(per_record),
        });
        return Ok(writeln!(out, "{line}")?);
    }
    writeln!(out, "{records} records, {per_record:.1} tokens each, {} true pairs", truth.len())?;
    writeln!(
        out,
        "accepted (A and B): precision {:.4}, recall {:.4}",
        score.precision, score.recall
    )?;
    writeln!(
        out,
        "grade A alone:      precision {:.4}, recall {:.4}",
        score.precision_a, score.recall_a
    )?;
    Ok(())
}
