//! A register of many people: imported at one of two members, and tokenised with the other.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use raccordo_tests::federation::{Database, EQUIPE, Federation, NODES, Setting, TOSCANA, pause};
use raccordo_tests::linkage::generate;
use serde::Serialize;

use crate::measure::process_cpu;

/// More tokens than anybody asks for.
const BUDGET: u32 = 100_000_000;
/// Longest wait for the tokens.
const PATIENCE: Duration = Duration::from_secs(3 * 3600);

/// What it took.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Imported {
    pub(crate) people: usize,
    /// Tokens of all of them.
    pub(crate) tokens: u64,
    /// Until the command ends: all are in the register.
    pub(crate) import_s: f64,
    /// From its beginning until no record waits for tokens.
    pub(crate) tokens_s: f64,
    /// CPU time of both members and the hub, in seconds.
    pub(crate) cpu_s: f64,
}

/// Measures.
///
/// # Errors
/// A process or call that fails, or tokens that do not come.
pub(crate) async fn measure(people: usize) -> anyhow::Result<Imported> {
    let setting = Setting::on(Database::Sqlite).with_budget(BUDGET);
    let world = Federation::founded(setting).await?;
    let file = world.path("people.csv");
    std::fs::write(&file, table(people)?)?;
    let node = world.node(TOSCANA)?;
    let before = cpu(&world)?;
    let begin = Instant::now();
    let lines = node.run(&["case", "import", &file.to_string_lossy()]).await?;
    let import_s = begin.elapsed().as_secs_f64();
    let added = lines.last().and_then(|line| line["added"].as_u64()).unwrap_or_default();
    ensure!(added >= people as u64 * 9 / 10, "only {added} were added: {lines:?}");
    let tokens = loop {
        let keys = node.run(&["equipe", "keys", EQUIPE]).await?;
        let rows = keys.first().and_then(|equipe| equipe["keys"].as_array()).context("no keys")?;
        let sum = |name: &str| rows.iter().filter_map(|row| row[name].as_u64()).sum::<u64>();
        let used = sum("used_today");
        if used > 0 && sum("records_wanted") + sum("records_asked") == 0 {
            break used;
        }
        if begin.elapsed() > PATIENCE {
            bail!("tokens are still missing after {PATIENCE:?}: {rows:?}");
        }
        pause().await;
    };
    let tokens_s = begin.elapsed().as_secs_f64();
    let cpu_s = (cpu(&world)?.saturating_sub(before)).as_secs_f64();
    Ok(Imported { people, tokens, import_s, tokens_s, cpu_s })
}

/// People of whom nobody is real, under headers that an import understands.
fn table(people: usize) -> anyhow::Result<Vec<u8>> {
    let files = generate::generate(generate::Set::Coast, 1, people, 0)?;
    let left = String::from_utf8(files.get("left.csv").context("a file")?.clone())?;
    let (_, lines) = left.split_once('\n').context("a header")?;
    let header = "id,cognome,nome,data di nascita,sesso,cittadinanza,codice fiscale,passaporto,\
                  telefono,comune,datore di lavoro";
    Ok(format!("{header}\n{lines}").into_bytes())
}

fn cpu(world: &Federation) -> anyhow::Result<Duration> {
    let one = |id: &&str| process_cpu(world.node(id)?.pid().context("a node that runs")?);
    NODES.iter().map(one).sum()
}
