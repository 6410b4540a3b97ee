//! Links two CSV files through the real normal forms, tokens and fixed rule, and scores the
//! result against the truth.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::bail;
use clap::Parser;
use raccordo_core::codes::CodeLists;
use raccordo_core::matching::grade::Grade;
use raccordo_core::normal::comune::Comuni;
use raccordo_tests::linkage::link::{Score, link};
use raccordo_tests::linkage::{generate, record};
use serde_json::json;

const AFTER: &str = "\
A.csv and B.csv have a header; the column `id` names each record. Others, each optional and
as often as wished (name, name2, …): name (all parts), family, given, birth (YYYY-MM-DD,
DD/MM/YYYY or YYYYMMDD), fiscal_code, number (any identifier), phone, place (a comune or its
code, or a postal code), employer. Usual other words are understood too (surname,
date_of_birth, soc_sec_id, postcode, cognome, …); what is not is left out. T.csv has the
columns left and right. With one file on both sides its records are linked among themselves,
each pair once.";

/// Links two CSV files through normal forms, tokens and the fixed rule, and scores the result.
#[derive(Parser)]
#[command(name = "linkage", after_help = AFTER)]
struct Arguments {
    /// The records of one side
    #[arg(long, value_name = "A.csv", required_unless_present = "generate")]
    left: Option<PathBuf>,
    /// Those of the other
    #[arg(long, value_name = "B.csv", required_unless_present = "generate")]
    right: Option<PathBuf>,
    /// Which are the same
    #[arg(long, value_name = "T.csv", required_unless_present = "generate")]
    truth: Option<PathBuf>,
    /// Leave these columns out
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    without: Vec<String>,
    /// Instead, write left.csv, right.csv and truth.csv of people of whom nobody is real
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["left", "right", "truth"])]
    generate: Option<PathBuf>,
    /// The same seed makes the same people
    #[arg(long, value_name = "N", default_value_t = 1, requires = "generate")]
    seed: u64,
    /// So many people
    #[arg(long, value_name = "N", default_value_t = 4_000, requires = "generate")]
    count: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let given = Arguments::parse();
    if let Some(directory) = given.generate {
        return generate::write(&directory, given.seed, given.count);
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
