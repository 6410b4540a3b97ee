//! The command line as a whole; each group's options stand beside its commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    alert, audit, backup, codes, completions, equipe, hub, init, man, matching, operator,
    organisation, pact, readiness, register, trust,
};
use crate::demo::DemoArgs;

/// Work with a Raccordo node.
#[derive(Debug, Parser)]
#[command(
    name = "raccordo",
    version,
    about,
    long_about = "Work with a Raccordo node: its trust, pacts and équipes as administrator, its alerts as operator.\n\nData goes to standard output, everything else to standard error.",
    after_help = EXAMPLE,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// The global options.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLE: &str = "\
Exit codes: 0 done, 1 our fault, 2 usage or configuration, 3 refused by policy, pact, role
or trust, 4 not found, 5 not reachable or timed out, 6 conflict with the present state.

Example:
  raccordo --home /var/lib/raccordo init --id toscana --name 'Regione Toscana'
  raccordo --home /var/lib/raccordo doctor";

/// Options that may stand before or after every command.
#[derive(Args, Clone, Debug)]
pub struct Globals {
    /// Home directory of the node
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "RACCORDO_HOME",
        help_heading = "Global options"
    )]
    pub home: Option<PathBuf>,
    /// Print JSON, one object a line
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
    /// Token file of the operator who acts
    #[arg(
        long,
        global = true,
        value_name = "TOKENFILE",
        env = "RACCORDO_OPERATOR",
        help_heading = "Global options"
    )]
    pub operator: Option<PathBuf>,
}

/// The commands and groups of commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new node: its home, keys, configuration and database
    Init(init::InitArgs),
    /// Wait until the node is ready
    WaitReady(readiness::WaitReadyArgs),
    /// Show the node's state
    Status(readiness::StatusArgs),
    /// Tell the next missing step and whose it is
    Doctor(readiness::DoctorArgs),
    /// Exchange and verify cards with other nodes
    #[command(subcommand)]
    Trust(trust::TrustCommand),
    /// Draft, read, sign and send pacts
    #[command(subcommand)]
    Pact(pact::PactCommand),
    /// Create équipes, show them, and change who is in them
    #[command(subcommand)]
    Equipe(equipe::EquipeCommand),
    /// Decide what this node carries as a hub
    #[command(subcommand)]
    Hub(hub::HubCommand),
    /// Organisations inside this node
    #[command(subcommand)]
    Organisation(organisation::OrganisationCommand),
    /// Operators of this node
    #[command(subcommand)]
    Operator(operator::OperatorCommand),
    /// Share and read alerts, as an operator
    #[command(subcommand)]
    Alert(alert::AlertCommand),
    /// Keep cases and their people in the node's own register, as an operator
    #[command(subcommand)]
    Case(register::CaseCommand),
    /// Keep companies in the node's own register, as an operator
    #[command(subcommand)]
    Company(register::CompanyCommand),
    /// See and decide where another region knows the same person or company, as an operator
    #[command(subcommand)]
    Match(matching::MatchCommand),
    /// Values that are no evidence here, as an operator
    #[command(subcommand)]
    Stop(matching::StopCommand),
    /// Look up the code lists of alerts
    #[command(subcommand)]
    Codes(codes::CodesCommand),
    /// Verify and export the audit chain, and proofs against hubs
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Make, verify and restore backups of the node
    #[command(subcommand)]
    Backup(backup::BackupCommand),
    /// Run two regions and a relay on this machine, and share alerts between them
    Demo(DemoArgs),
    /// Print the completions for a shell
    Completions(completions::CompletionsArgs),
    /// Print the manual page
    #[command(hide = true)]
    Man(man::ManArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_stand_before_and_after() {
        for line in [
            "raccordo --home /h --json --operator /t alert show 1",
            "raccordo alert show 1 --home /h --json --operator /t",
            "raccordo --json alert --home /h show --operator /t 1",
        ] {
            let Globals { home, json, operator } =
                Cli::try_parse_from(line.split(' ')).unwrap().globals;
            assert_eq!(home, Some("/h".into()), "{line}");
            assert_eq!(operator, Some("/t".into()), "{line}");
            assert!(json, "{line}");
        }
    }

    #[test]
    fn every_help_ends_in_an_example() {
        fn check(command: &mut clap::Command, path: &str) {
            let help = command.render_help().to_string();
            let last = help.rsplit("\n\n").next().unwrap_or_default();
            assert!(last.contains("Example:\n  raccordo"), "{path}: {last}");
            // clap makes the help of `help` itself.
            for inner in command.get_subcommands_mut().filter(|inner| inner.get_name() != "help") {
                let path = format!("{path} {}", inner.get_name());
                check(inner, &path);
            }
        }
        check(&mut Cli::command(), "raccordo");
    }

    #[test]
    fn the_contract_parses() {
        for line in CONTRACT.lines() {
            let words = line.split(' ').filter(|word| !word.is_empty());
            if let Err(error) = Cli::try_parse_from(words) {
                panic!("{line}: {error}");
            }
        }
    }

    const CONTRACT: &str = "\
raccordo init --id toscana --name Toscana --ipa r_toscan --database sqlite --hub-listen 0.0.0.0:7443 --hub-endpoint hub.example:7443
raccordo wait-ready --timeout 10s
raccordo status
raccordo doctor
raccordo trust export --out card
raccordo trust add card
raccordo trust list
raccordo trust show umbria
raccordo trust verify umbria --code a
raccordo trust suspend umbria --reason T
raccordo trust revoke umbria --reason T
raccordo pact draft --equipe tu --parties toscana,umbria --hub relay --out pact.toml --example
raccordo pact show pact.toml
raccordo pact diff pact.toml
raccordo pact sign pact.toml --yes
raccordo pact propose pact.toml
raccordo pact list
raccordo equipe create tu --wait --timeout 60s
raccordo equipe list
raccordo equipe show tu
raccordo equipe rejoin tu
raccordo equipe move-hub tu --to ponte
raccordo equipe move-hub tu --to ponte --lost --without umbria --reason T --yes
raccordo equipe succeed tu
raccordo equipe succeed tu --to ponte --without umbria --suite hybrid --reason T --yes
raccordo equipe approve-rejoin tu umbria
raccordo equipe void tu
raccordo equipe keys tu
raccordo equipe rekey tu --yes
raccordo hub list
raccordo hub accept tu
raccordo hub refuse tu
raccordo hub limit tu --entries-per-minute 100
raccordo hub evict tu
raccordo organisation add PUA --class access_point
raccordo organisation list
raccordo operator add anna --organisation PUA --role case_manager --token-out token
raccordo operator list
raccordo operator role anna --role auditor
raccordo operator disable anna
raccordo alert share --equipe tu - --wait delivered --timeout 30s --dry-run
raccordo alert list --equipe tu --from umbria --state active
raccordo alert show 1
raccordo alert withdraw 1 --reason consent
raccordo alert check -
raccordo alert example --kind case --count 3 --seed 1
raccordo case add person.json
raccordo case list --state closed
raccordo case list --find - --purpose identification
raccordo case show 1 --purpose protection
raccordo case set 1 --state closed --manager anna
raccordo case erase 1 --yes
raccordo case import casi.csv --map 3=phone --mapping m.toml --encoding windows-1252 --delimiter ; --report r.jsonl --dry-run
raccordo company add company.json
raccordo company list
raccordo company show 1
raccordo company erase 1
raccordo company import imprese.csv
raccordo codes list
raccordo codes search province Firenze
raccordo audit verify
raccordo audit export
raccordo audit export-proof tu --out proof.json
raccordo audit verify-proof proof.json
raccordo backup create --out node.backup --passphrase-file p
raccordo backup verify node.backup --passphrase-file p
raccordo backup restore node.backup --passphrase-file p --database sqlite --hub-listen 0.0.0.0:7443
raccordo demo --keep dir --json
raccordo completions bash
raccordo man";
}
