//! The programs under test, as `cargo build` leaves them.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

/// Finds a program in the target directory of the running test or program.
///
/// # Errors
/// It is not built.
pub fn path(program: &str) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe().context("cannot find the running test")?;
    // TARGET/PROFILE/deps/TEST, and TARGET/PROFILE/PROGRAM beside `deps`.
    let directory = test.ancestors().skip(1).find(|directory| !directory.ends_with("deps"));
    let directory = directory.context("the running test lies in no target directory")?;
    let program = directory.join(program);
    if !program.is_file() {
        bail!(
            "there is no {}: build the programs first with `cargo build --workspace --bins`, \
             or run tests/run, which does",
            program.display()
        );
    }
    Ok(program)
}
