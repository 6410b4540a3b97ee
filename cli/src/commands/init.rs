//! `raccordo init`.

use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::offline::{self, InitOptions};
use raccordo_core::secret::Secret;

/// Options of `raccordo init`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  raccordo --home /var/lib/raccordo init --id toscana --name 'Regione Toscana' --ipa r_toscan"
)]
pub struct InitArgs {
    /// Node id: lower-case letters, digits and inner hyphens
    #[arg(long)]
    id: String,
    /// Name that people read
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// Code in the index of public administrations (IPA)
    #[arg(long, value_name = "CODE")]
    ipa: Option<String>,
    /// `sqlite`, or a postgres:// address
    #[arg(long, value_name = "DATABASE")]
    database: Option<String>,
    /// Run a hub that listens on this address
    #[arg(long, value_name = "ADDR", requires = "hub_endpoint")]
    hub_listen: Option<String>,
    /// Where other nodes reach the hub
    #[arg(long, value_name = "HOST:PORT", requires = "hub_listen")]
    hub_endpoint: Option<String>,
}

#[derive(Serialize)]
struct InitView<'a> {
    id: &'a str,
    name: &'a str,
    home: String,
    key_file: Option<String>,
}

/// Makes a new node.
///
/// # Errors
/// The home is not named or holds a node already, or an option is wrong.
pub async fn run(args: InitArgs, context: &Context) -> Result<(), Failure> {
    let InitArgs { id, name, ipa, database, hub_listen, hub_endpoint } = args;
    let home = context.home()?.to_owned();
    let database = database.map(Secret::new);
    let report = offline::init(InitOptions {
        home,
        id: id.clone(),
        name: name.clone(),
        ipa,
        database,
        hub_listen,
        hub_endpoint,
    })
    .await?;
    let home = report.home.display().to_string();
    let key_file = report.key_file.map(|path| path.display().to_string());
    let view = InitView { id: &id, name: &name, home, key_file };
    context.out.record(&view, |view| format!("{} is ready to start in {}", view.id, view.home))?;
    if let Some(key_file) = &view.key_file {
        let text = "keep a copy of the node key apart from the database";
        context.out.note(&format!("{text}, and safe: {key_file}"));
    }
    context.out.note(&format!("next, start it: raccordod --home {}", view.home));
    let export = format!("raccordo --home {} trust export --out CARD", view.home);
    context.out.note(&format!("and give its card to the others: {export}"));
    Ok(())
}
