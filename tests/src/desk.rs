//! Desks of a federation, and accounts at them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context as _, ensure};
use raccordo_core::account::Seed;
use raccordo_core::time::{Clock as _, Instant};
use raccordo_node::clock::SystemClock;
use serde_json::Value;

use crate::browser::Browser;
use crate::federation::{EQUIPE, Federation};
use crate::identity_provider::{CLIENT_SECRET, IdentityProvider};

/// The password of every account.
pub const PASSWORD: &str = "la zia di Lucca";

/// Has a node serve its desk on any port; returns where.
///
/// # Errors
/// The node does not start again.
pub async fn serve(world: &mut Federation, id: &str) -> anyhow::Result<String> {
    serve_with(world, id, "").await
}

/// The same, with more lines in the section of the desk.
///
/// # Errors
/// The node does not start again.
pub async fn serve_with(world: &mut Federation, id: &str, more: &str) -> anyhow::Result<String> {
    let node = world.node_mut(id)?;
    let config = node.home().config();
    let text = fs::read_to_string(&config)?;
    let example = "# Example: listen = \"127.0.0.1:8080\"";
    ensure!(text.contains(example), "the configuration shows no desk");
    let lines = format!("listen = \"127.0.0.1:0\"\n{more}");
    fs::write(&config, text.replace(example, &lines))?;
    node.restart().await?;
    let url = fs::read_to_string(node.home().run().join("desk.url"))?;
    Ok(url.trim().to_owned())
}

/// The code of a seed `steps` of 30 s after now. That of the present step is still taken in the
/// next one, and that of the next one already now: no moment is a bad one.
///
/// # Errors
/// It is no seed.
pub fn code(seed: &str, steps: i64) -> anyhow::Result<String> {
    let now = SystemClock.now();
    let alphabet = base32::Alphabet::Rfc4648 { padding: false };
    let bytes = base32::decode(alphabet, seed).context("not base32")?;
    let seed = Seed::from_bytes(&bytes).context("a short seed")?;
    Ok(seed.code(Instant(now.0 + steps * 30_000))?.reveal().clone())
}

/// The link with which a node's operator activates an account.
///
/// # Errors
/// The command line's.
pub async fn invited(world: &Federation, id: &str) -> anyhow::Result<String> {
    let node = world.node(id)?;
    let operators = node.run(&["operator", "list"]).await?;
    let name = operators.first().and_then(|one| one.get("name")?.as_str());
    invited_as(world, id, name.context("no operator")?).await
}

/// The same for an operator of this name.
///
/// # Errors
/// The command line's.
pub async fn invited_as(world: &Federation, id: &str, name: &str) -> anyhow::Result<String> {
    let invitation = world.node(id)?.first(&["operator", "invite", name]).await?;
    Ok(invitation.get("link").and_then(Value::as_str).context("no link")?.to_owned())
}

/// Someone who has signed in without scripts.
pub struct Person {
    /// What the person works with.
    pub browser: Browser,
    /// The operator's name.
    pub name: String,
    /// Of the one-time codes.
    pub seed: String,
}

/// Activates the account of a node's operator and signs in.
///
/// # Errors
/// A page says something else than expected.
pub async fn signed_in(world: &Federation, id: &str, base: &str) -> anyhow::Result<Person> {
    let link = invited(world, id).await?;
    let person = activated(base, &link).await?;
    ensure!(person.today.contains(EQUIPE), "{}", person.today);
    Ok(person.person)
}

/// Someone who has just signed in.
pub struct Activated {
    /// Who.
    pub person: Person,
    /// The first page.
    pub today: String,
}

/// Activates an account by its link and signs in.
///
/// # Errors
/// A page says something else than expected.
pub async fn activated(base: &str, link: &str) -> anyhow::Result<Activated> {
    let path = link.strip_prefix(base).context("the link is of another desk")?.to_owned();
    let mut browser = Browser::new(base, "a browser");
    let page = browser.open(&path).await?;
    let seed = page.between("<code>", "</code>")?.to_owned();
    let name = unescaped(page.between("name=\"username\" value=\"", "\"")?);
    let fields = [("password", PASSWORD), ("again", PASSWORD), ("code", &*code(&seed, 0)?)];
    let activated = browser.send(&path, &fields).await?;
    ensure!(activated.location == "/sign-in", "{activated:?}");
    let again = browser.open(&path).await?;
    ensure!(again.status == 404, "a link works once");
    let typed = [("name", &*name), ("password", PASSWORD), ("code", &*code(&seed, 1)?)];
    let today = browser.follow("/sign-in", &typed).await?;
    ensure!(today.status == 200, "{}", today.text);
    Ok(Activated { person: Person { browser, name, seed }, today: today.text })
}

/// A text as a browser reads it from an attribute.
fn unescaped(text: &str) -> String {
    let marks = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    marks.iter().fold(text.to_owned(), |text, (mark, letter)| text.replace(mark, letter))
}

/// Has a node serve its desk, where people may also sign in at a provider.
///
/// # Errors
/// The node does not start again.
pub async fn with_provider(
    world: &mut Federation,
    id: &str,
    provider: &IdentityProvider,
) -> anyhow::Result<String> {
    let file = "provider.secret";
    let secret = world.node(id)?.home().path().join(file);
    fs::write(&secret, CLIENT_SECRET)?;
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))?;
    serve_with(world, id, &provider.section(file)).await
}
