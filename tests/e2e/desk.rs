//! The desk without scripts: from the link to an alert that arrives and is withdrawn.

use std::fs;

use anyhow::{Context as _, ensure};
use raccordo_core::account::Seed;
use raccordo_core::time::{Clock as _, Instant};
use raccordo_node::clock::SystemClock;
use raccordo_tests::browser::{Browser, Page};
use raccordo_tests::federation::{EQUIPE, Federation, Setting, TOSCANA, UMBRIA, until};

const PASSWORD: &str = "la zia di Lucca";

/// Has a node serve its desk on any port; returns where.
async fn with_desk(world: &mut Federation, id: &str) -> anyhow::Result<String> {
    let node = world.node_mut(id)?;
    let config = node.home().config();
    let text = fs::read_to_string(&config)?;
    let example = "# Example: listen = \"127.0.0.1:8080\"";
    ensure!(text.contains(example), "the configuration shows no desk");
    fs::write(&config, text.replace(example, "listen = \"127.0.0.1:0\""))?;
    node.restart().await?;
    let url = fs::read_to_string(node.home().run().join("desk.url"))?;
    Ok(url.trim().to_owned())
}

/// The code of a seed `steps` of 30 s after now. That of the present step is still taken in the
/// next one, and that of the next one already now: no moment is a bad one.
fn code(seed: &str, steps: i64) -> anyhow::Result<String> {
    let now = SystemClock.now();
    let alphabet = base32::Alphabet::Rfc4648 { padding: false };
    let bytes = base32::decode(alphabet, seed).context("not base32")?;
    let seed = Seed::from_bytes(&bytes).context("a short seed")?;
    Ok(seed.code(Instant(now.0 + steps * 30_000))?.reveal().clone())
}

async fn invited(world: &Federation, id: &str) -> anyhow::Result<String> {
    let node = world.node(id)?;
    let operators = node.run(&["operator", "list"]).await?;
    let name = operators[0]["name"].as_str().context("no operator")?.to_owned();
    let invitation = node.first(&["operator", "invite", &name]).await?;
    Ok(invitation["link"].as_str().context("no link")?.to_owned())
}

/// Activates the account of a node's operator and signs in; the browser, and the operator's
/// name and seed.
async fn signed_in(
    world: &Federation,
    id: &str,
    base: &str,
) -> anyhow::Result<(Browser, String, String)> {
    let link = invited(world, id).await?;
    let path = link.strip_prefix(base).context("the link is of another desk")?.to_owned();
    let mut browser = Browser::new(base, "a browser");
    let page = browser.open(&path).await?;
    let seed = page.between("<code>", "</code>")?.to_owned();
    let name = page.between("name=\"username\" value=\"", "\"")?.to_owned();
    let fields = [("password", PASSWORD), ("again", PASSWORD), ("code", &*code(&seed, 0)?)];
    let activated = browser.send(&path, &fields).await?;
    ensure!(activated.location == "/sign-in", "{activated:?}");
    let again = browser.open(&path).await?;
    ensure!(again.status == 404, "a link works once");
    let typed = [("name", &*name), ("password", PASSWORD), ("code", &*code(&seed, 1)?)];
    let today = browser.follow("/sign-in", &typed).await?;
    ensure!(today.status == 200 && today.text.contains(EQUIPE), "{}", today.text);
    Ok((browser, name, seed))
}

fn token(page: &Page) -> anyhow::Result<String> {
    Ok(page.between("name=\"form\" value=\"", "\"")?.to_owned())
}

/// An operator activates an account, shares a case on a page, sees it arrive at the other
/// region's desk, and withdraws it.
pub async fn an_alert_from_page_to_page(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let here = with_desk(&mut world, TOSCANA).await?;
    let there = with_desk(&mut world, UMBRIA).await?;
    let (mut toscana, ..) = signed_in(&world, TOSCANA, &here).await?;
    let (mut umbria, ..) = signed_in(&world, UMBRIA, &there).await?;

    let form = toscana.open("/share/case").await?;
    ensure!(form.policy.contains("default-src 'none'"), "{}", form.policy);
    let (forms, id) = (token(&form)?, form.between("name=\"id\" value=\"", "\"")?.to_owned());
    let today = form.between("name=\"issuedOn\" value=\"", "\"")?.to_owned();
    let mut fields = vec![
        ("form", &*forms),
        ("id", &*id),
        ("equipe", EQUIPE),
        ("issuedOn", &*today),
        ("province", "Firenze"),
        ("sector", "01"),
        ("step", "look"),
    ];
    // The exploitation is missing.
    let refused = toscana.send("/share/case", &fields).await?;
    ensure!(refused.text.contains("error-exploitation"), "{}", refused.text);
    let exploitation = form.between("name=\"exploitation\" value=\"", "\"")?.to_owned();
    fields.push(("exploitation", &exploitation));
    let preview = toscana.send("/share/case", &fields).await?;
    ensure!(preview.text.contains("<li>umbria</li>"), "{}", preview.text);
    ensure!(preview.text.contains("Firenze"), "{}", preview.text);
    // Nobody in the register is like this, and the page says so before the button.
    ensure!(preview.text.contains("Nessuna persona del vostro registro"), "{}", preview.text);
    ensure!(toscana.open("/share/case").await?.text.contains(&id), "the draft is kept");
    for field in &mut fields {
        if field.0 == "step" {
            field.1 = "send";
        }
    }
    let shared = toscana.follow("/share/case", &fields).await?;
    ensure!(shared.status == 200 && shared.text.contains(&id), "{}", shared.text);
    // The same form again shares nothing new.
    toscana.follow("/share/case", &fields).await?;
    ensure!(!toscana.open("/share/case").await?.text.contains(&id), "the draft is gone");
    from_a_record(&mut toscana, &forms, &exploitation).await?;

    let line = format!("/alerts/{id}");
    until("the alert at the other desk", async || {
        let mut other = umbria.stolen_by("a browser");
        let list = other.open("/alerts").await?;
        Ok((list.text.matches(&line).count() == 1).then_some(()))
    })
    .await?;
    let opened = umbria.open(&line).await?;
    ensure!(opened.text.contains("Firenze"), "{}", opened.text);
    ensure!(!opened.text.contains("/withdraw"), "not its own");
    let forged = [("form", &*token(&opened)?), ("reason", "error")];
    let refused = umbria.send(&format!("{line}/withdraw"), &forged).await?;
    ensure!(refused.status >= 400, "{refused:?}");

    let own = toscana.open(&line).await?;
    let reason = own.text.split_once("name=\"reason\"").context("no reasons")?.1;
    let reason = reason.split("<option value=\"").nth(2).context("no reason")?;
    let reason = reason.split('"').next().unwrap_or_default().to_owned();
    let withdrawal = [("form", &*token(&own)?), ("reason", &*reason)];
    let withdrawn = toscana.follow(&format!("{line}/withdraw"), &withdrawal).await?;
    ensure!(withdrawn.text.contains("ritirata"), "{}", withdrawn.text);
    until("the withdrawal at the other desk", async || {
        let mut other = umbria.stolen_by("a browser");
        let page = other.open(&line).await?;
        Ok((!page.text.contains("Firenze")).then_some(()))
    })
    .await?;

    let page = toscana.open("/").await?;
    let out = toscana.send("/sign-out", &[("form", &*token(&page)?)]).await?;
    ensure!(out.location == "/sign-in", "{out:?}");
    Ok(())
}

/// Adds a person, shares an alert of the record, and looks at what pictures make of both.
async fn from_a_record(
    toscana: &mut Browser,
    form: &str,
    exploitation: &str,
) -> anyhow::Result<()> {
    let person =
        [("form", form), ("name.0.family", "Canarino"), ("step", "add"), ("province", "048")];
    let added = toscana.follow("/register/add/person", &person).await?;
    ensure!(added.text.contains("Scheda aggiunta"), "{}", added.text);
    ensure!(!added.text.contains("Canarino"), "nobody asked who it is: {}", added.text);
    let path = added.between("class=\"narrow\" method=\"post\" action=\"", "\"")?.to_owned();
    let opened = toscana.send(&path, &[("form", form), ("purpose", "protection")]).await?;
    ensure!(opened.text.contains("Canarino"), "{}", opened.text);
    let record = opened.between("name=\"record\" value=\"", "\"")?.to_owned();
    let begin = [("form", form), ("record", &*record), ("step", "begin"), ("province", "048")];
    let begun = toscana.send("/share/case", &begin).await?;
    ensure!(begun.text.contains(&record), "{}", begun.text);
    let send = [
        ("form", form),
        ("record", &*record),
        ("equipe", EQUIPE),
        ("province", "Firenze"),
        ("sector", "01"),
        ("exploitation", exploitation),
        ("step", "send"),
    ];
    let shared = toscana.follow("/share/case", &send).await?;
    ensure!(shared.status == 200, "{}", shared.text);
    ensure!(!shared.text.contains("Canarino") && !shared.text.contains(&record), "{}", shared.text);

    let map = toscana.open("/map").await?;
    ensure!(map.text.contains("Firenze (FI)"), "{}", map.text);
    let found = toscana.open("/alerts?text=firenze").await?;
    ensure!(found.text.matches("<a href=\"/alerts/").count() == 2, "{}", found.text);
    let none = toscana.open("/alerts?text=bolzano").await?;
    ensure!(none.text.contains("Nessuna segnalazione"), "{}", none.text);
    let equipe = toscana.open(&format!("/equipes/{EQUIPE}")).await?;
    ensure!(equipe.text.contains("Il patto in parole semplici"), "{}", equipe.text);
    let activity = toscana.open("/activity").await?;
    ensure!(activity.text.contains("Hai visto chi è"), "{}", activity.text);
    Ok(())
}

/// Wrong codes, used codes, forms of other sites and sessions, another browser, a session
/// that the administrator ends.
pub async fn nobody_gets_in_by_another_way(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let base = with_desk(&mut world, TOSCANA).await?;
    let mut nobody = Browser::new(&base, "nobody");
    for path in ["/", "/alerts", "/share/case", "/alerts/0190", "/equipes/x"] {
        let page = nobody.open(path).await?;
        ensure!(page.location.starts_with("/sign-in"), "{path}: {page:?}");
    }
    ensure!(nobody.open("/activate/AAAA").await?.status == 404);
    let (mut browser, name, seed) = signed_in(&world, TOSCANA, &base).await?;

    let used = code(&seed, 1)?;
    let next = code(&seed, 2)?;
    for (name, password, code) in [
        (&*name, PASSWORD, &*used),
        (&*name, "la zia di Pisa", &*next),
        (&*name, PASSWORD, "000000"),
        ("nobody", PASSWORD, &*next),
    ] {
        let typed = [("name", name), ("password", password), ("code", code)];
        let page = nobody.send("/sign-in", &typed).await?;
        ensure!(page.status == 401 && page.location.is_empty(), "{page:?}");
    }
    let right = [("name", &*name), ("password", PASSWORD), ("code", &*next)];
    let elsewhere = nobody.send_from("cross-site", "/sign-in", &right).await?;
    ensure!(elsewhere.status == 403, "{elsewhere:?}");

    let page = browser.open("/").await?;
    let form = token(&page)?;
    for (site, form) in [("cross-site", &*form), ("same-origin", "0000"), ("same-origin", "")] {
        let page = browser.send_from(site, "/sign-out", &[("form", form)]).await?;
        ensure!(page.status == 403, "{page:?}");
    }
    ensure!(browser.open("/").await?.status == 200);
    ensure!(browser.open("/nowhere").await?.status == 404);

    world.node(TOSCANA)?.first(&["operator", "sign-out", &name]).await?;
    ensure!(browser.open("/").await?.location == "/sign-in");

    // A session that turns up in another browser is over in both.
    let link = invited(&world, TOSCANA).await?;
    let path = link.strip_prefix(&base).context("the link is of another desk")?;
    let page = browser.open(path).await?;
    let seed = page.between("<code>", "</code>")?.to_owned();
    let fields = [("password", PASSWORD), ("again", PASSWORD), ("code", &*code(&seed, 0)?)];
    browser.send(path, &fields).await?;
    let typed = [("name", &*name), ("password", PASSWORD), ("code", &*code(&seed, 1)?)];
    browser.follow("/sign-in", &typed).await?;
    let mut thief = browser.stolen_by("a thief");
    ensure!(thief.open("/").await?.location == "/sign-in");
    ensure!(browser.open("/").await?.location == "/sign-in");
    Ok(())
}
