//! The two desks of a demo that is kept, so that a visitor can sit on both sides.

use std::fs;
use std::io::IsTerminal;

use super::stage::Stage;
use super::story::text;
use super::teller::Teller;
use crate::failure::Failure;

/// The nodes that have a desk, and what people call them.
const DESKS: [(&str, &str); 2] = [("toscana", "Toscana"), ("umbria", "Umbria")];
/// Whom the demo has made an operator.
const OPERATOR: &str = "case manager";
/// The line of a new configuration in whose place the address stands.
const EXAMPLE: &str = "# Example: listen = \"127.0.0.1:8080\"";

/// Has a node serve its desk on an address of its own; before it starts.
///
/// # Errors
/// The configuration cannot be changed, or no port is free.
pub fn prepare(stage: &Stage, node: &str) -> Result<(), Failure> {
    if !DESKS.iter().any(|(id, _)| *id == node) {
        return Ok(());
    }
    let path = stage.path(node).join("raccordo.toml");
    let config = fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))?;
    if !config.contains(EXAMPLE) {
        return Err(Failure::internal("the new configuration shows no desk"));
    }
    let listen = format!("listen = \"{}\"", stage.free_address()?);
    let config = config.replace(EXAMPLE, &listen);
    fs::write(&path, config).map_err(|error| Failure::file("write", &path, &error))
}

/// Invites an operator on each side, and tells where to sit down.
///
/// # Errors
/// An invitation that fails, or an output that is closed.
pub async fn tell(stage: &Stage, teller: &Teller) -> Result<(), Failure> {
    teller.chapter("The two desks: sit on both sides")?;
    for (node, name) in DESKS {
        let answers = stage.call(node, &["operator", "invite", OPERATOR]).await?;
        let link = text(answers.first(), "/link");
        let desk = link.split("/activate/").next().unwrap_or_default();
        teller.say(&format!("  {name:8} {desk}\n           activate: {link}"))?;
    }
    teller.say(&format!(
        "  While the four nodes run, open each link in a browser of its own (or a private window).\n  \
         Each works once, for 72 hours: connect an authenticator app on your phone (TOTP: every\n  \
         sign-in asks for its six digits), choose a password, and sign in as “{OPERATOR}”."
    ))
}

/// Lets the desks be used until somebody presses Ctrl-C; at once over where nobody watches.
///
/// # Errors
/// An output that is closed.
pub async fn wait(teller: &Teller) -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() {
        return Ok(());
    }
    teller.say("\n  The four nodes run until you press Ctrl-C.")?;
    // Where the signal cannot be heard, the demo ends.
    let _ = tokio::signal::ctrl_c().await;
    Ok(())
}
