//! Tokens: what each part of one costs, beside the multiplication that bounds it; one tag
//! among many; and a register that is imported and tokenised.

mod import;
mod lookup;
mod parts;

use std::fmt::Write as _;

use serde_json::{Value, json};

pub(crate) use import::Imported;
pub(crate) use lookup::Lookup;
pub(crate) use parts::Parts;

/// How much is measured.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Tags among which one is looked up
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    pub(crate) stored: usize,
    /// The same on PostgreSQL
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) stored_on_postgres: usize,
    /// People who are imported
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    pub(crate) people: usize,
}

/// Everything that was measured.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    parts: Parts,
    lookups: Vec<Lookup>,
    imported: Option<Imported>,
}

/// Measures.
///
/// # Errors
/// A database, process or call that fails.
pub(crate) async fn measure(
    size: Size,
    say: fn(&str) -> std::io::Result<()>,
) -> anyhow::Result<Tokens> {
    say("parts of a token")?;
    let parts = parts::measure()?;
    let mut lookups = Vec::new();
    if size.stored > 0 {
        say("one tag among many, SQLite")?;
        lookups.push(lookup::on_sqlite(size.stored).await?);
    }
    if size.stored_on_postgres > 0 {
        say("one tag among many, PostgreSQL")?;
        lookups.push(lookup::on_postgres(size.stored_on_postgres).await?);
    }
    let imported = match size.people {
        0 => None,
        people => {
            say("a register that is imported and tokenised")?;
            Some(import::measure(people).await?)
        }
    };
    Ok(Tokens { parts, lookups, imported })
}

impl Tokens {
    /// For scripts.
    pub(crate) fn json(&self) -> Value {
        let Self { parts, lookups, imported } = self;
        json!({
            "parts": parts, "ratios": parts.ratios(), "lookups": lookups, "imported": imported,
        })
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        let mut row = |what: &str, value: String| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{what:<54}{value}");
        };
        let parts = &self.parts;
        row("TOKENS, one thread's CPU time", String::new());
        let multiplication = format!(
            "{:>10.1} µs = {:.0} /s",
            parts.multiplication_us,
            1e6 / parts.multiplication_us
        );
        row("multiplication of an element", multiplication);
        for (name, us) in [
            ("blind", parts.blind_us),
            ("evaluate with proof, of 12", parts.evaluate_us),
            ("check an answer, of 12", parts.check_us),
            ("combine two and finish", parts.finish_us),
            ("a token, all parties, two of three", parts.token_us()),
        ] {
            let ratio = us / parts.multiplication_us;
            row(name, format!("{us:>10.1} µs = {ratio:.1} multiplications, {:.0} /s", 1e6 / us));
        }
        for one in &self.lookups {
            let Lookup { database, stored, hit, miss, stored_per_s } = one;
            row("", String::new());
            row(&format!("ONE TAG AMONG {stored}, {database}"), String::new());
            row("stored", format!("{stored_per_s:>10.0} /s"));
            for (name, spread) in [("found", hit), ("not found", miss)] {
                row(name, format!("{:>10.1} µs   min {:.1} µs", spread.p50_us, spread.min_us));
            }
        }
        if let Some(Imported { people, tokens, import_s, tokens_s, cpu_s }) = &self.imported {
            row("", String::new());
            row(&format!("{people} PEOPLE, two members and a hub, SQLite"), String::new());
            row("imported", format!("{import_s:>10.1} s"));
            let rate = *tokens as f64 / tokens_s;
            row(&format!("{tokens} tokens made"), format!("{tokens_s:>10.1} s = {rate:.0} /s"));
            row("CPU time of the three processes", format!("{cpu_s:>10.1} s"));
        }
        text
    }
}
