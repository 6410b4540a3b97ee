//! `raccordo alert check` and `example`, which need no node.

use std::path::Path;

use clap::Args;
use raccordo_core::codes::CodeLists;
use serde::Serialize;

use super::input::AlertReader;
use crate::context::Context;
use crate::failure::{Failure, Violation};
use crate::offline::{self, Examples};

/// Alerts that are made before they are printed.
const EXAMPLE_BATCH: usize = 1_000;

/// Options of `raccordo alert example`.
#[derive(Args, Clone, Debug)]
pub struct ExampleArgs {
    /// What the alerts tell of
    #[arg(long, value_parser = ["case", "company"])]
    kind: String,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: usize,
    /// The same seed makes the same alerts on the same day
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Serialize)]
struct CheckView {
    valid: u64,
}

/// Checks every alert of a file.
///
/// # Errors
/// The file cannot be read, or any alert is invalid.
pub fn check(file: &Path, context: &Context) -> Result<(), Failure> {
    let lists = CodeLists::builtin();
    let mut violations = Vec::new();
    let (mut alerts, mut invalid) = (0, 0);
    for item in AlertReader::open(file)? {
        let item = item?;
        let found = offline::check_alert(&lists, &item.alert);
        alerts += 1;
        invalid += u64::from(!found.is_empty());
        violations.extend(found.into_iter().map(|found| Violation {
            line: item.line,
            field: found.field,
            reason: found.reason,
            message: found.message,
        }));
    }
    if alerts == 0 {
        return Err(empty());
    }
    if invalid > 0 {
        let message = format!("{invalid} of {alerts} alerts are invalid");
        return Err(Failure::usage("invalid_alert", message)
            .violations(violations)
            .hint("codes are in the lists: raccordo codes search LIST TEXT"));
    }
    context.out.record(&CheckView { valid: alerts }, |view| format!("{} valid", view.valid))
}

/// The input holds nothing to share or check.
pub fn empty() -> Failure {
    Failure::usage("no_alerts", "the input holds no alert")
        .hint("try: raccordo alert example --kind case")
}

/// Prints synthetic alerts.
///
/// # Errors
/// There is no such kind, or standard output does not take them.
pub fn example(args: ExampleArgs, context: &Context) -> Result<(), Failure> {
    let ExampleArgs { kind, count, seed } = args;
    let examples = Examples::new(&kind, seed)?;
    let mut left = count;
    while left > 0 {
        let batch = EXAMPLE_BATCH.min(left);
        examples.next(batch).iter().try_for_each(|alert| context.out.object(alert))?;
        left -= batch;
    }
    Ok(())
}
