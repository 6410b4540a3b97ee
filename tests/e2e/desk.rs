//! The desk without scripts: from the link to an alert that arrives and is withdrawn.

use anyhow::{Context as _, ensure};
use raccordo_tests::browser::{Browser, Page};
use raccordo_tests::desk::{
    self, PASSWORD, Person, activated, code, invited, invited_as, serve, signed_in,
};
use raccordo_tests::email_server::EmailServer;
use raccordo_tests::federation::{EQUIPE, Federation, Setting, TOSCANA, UMBRIA, until};
use raccordo_tests::identity_provider::{IdentityProvider, Lie};

fn token(page: &Page) -> anyhow::Result<String> {
    Ok(page.between("name=\"form\" value=\"", "\"")?.to_owned())
}

/// An operator activates an account, shares a case on a page, sees it arrive at the other
/// region's desk, and withdraws it.
pub async fn an_alert_from_page_to_page(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let here = serve(&mut world, TOSCANA).await?;
    let there = serve(&mut world, UMBRIA).await?;
    let Person { browser: mut toscana, .. } = signed_in(&world, TOSCANA, &here).await?;
    let Person { browser: mut umbria, .. } = signed_in(&world, UMBRIA, &there).await?;

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
    ensure!(found.text.matches(" href=\"/alerts/").count() == 2, "{}", found.text);
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
    let base = serve(&mut world, TOSCANA).await?;
    let mut nobody = Browser::new(&base, "nobody");
    for path in ["/", "/alerts", "/share/case", "/alerts/0190", "/equipes/x"] {
        let page = nobody.open(path).await?;
        ensure!(page.location.starts_with("/sign-in"), "{path}: {page:?}");
    }
    ensure!(nobody.open("/activate/AAAA").await?.status == 404);
    let Person { mut browser, name, seed } = signed_in(&world, TOSCANA, &base).await?;

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

/// The way from a page of the desk to the provider and back.
async fn away(base: &str, browser: &mut Browser, path: &str) -> anyhow::Result<String> {
    let leaving = browser.open(path).await?;
    let mut elsewhere = Browser::new("", "a browser");
    let back = elsewhere.open(&leaving.location).await?;
    Ok(back.location.strip_prefix(base).context("not back to the desk")?.to_owned())
}

/// An operator binds the account to a person at the region's identity provider, which proves
/// who somebody is; what it should not have said, or what nobody asked it for, opens nothing,
/// and neither does a user name, an address or an id that people there may choose.
pub async fn signing_in_at_the_region(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let provider = IdentityProvider::start("person-1", "a.bianchi").await?;
    let base = desk::with_provider(&mut world, TOSCANA, &provider).await?;
    let away = async |browser: &mut Browser| -> anyhow::Result<String> {
        let page = browser.open("/sign-in?next=/alerts").await?;
        ensure!(page.text.contains("/sign-in/provider"), "{}", page.text);
        away(&base, browser, "/sign-in/provider?next=/alerts").await
    };
    let anna = world.node(TOSCANA)?.run(&["operator", "list"]).await?;
    let anna = anna.first().and_then(|one| one["id"].as_str()).context("no id")?.to_owned();
    // Nobody is bound yet: neither the operator's name nor the id lets anybody in.
    for name in ["anna", &anna] {
        provider.knows(name, name);
        let mut nobody = Browser::new(&base, "nobody");
        let back = away(&mut nobody).await?;
        let refused = nobody.open(&back).await?;
        ensure!(refused.status == 401, "{name}: {refused:?}");
    }
    provider.knows("person-1", "a.bianchi");
    let mut browser = Browser::new(&base, "a browser");
    bound(&world, &base, &mut browser).await?;
    let back = away(&mut browser).await?;
    let mut thief = Browser::new(&base, "a thief");
    ensure!(thief.open(&back).await?.status == 403, "an answer that it did not ask for");
    let page = browser.open(&back).await?;
    ensure!(page.status == 200 && page.text.contains("href=\"/alerts\""), "{page:?}");
    ensure!(browser.open("/alerts").await?.status == 200);
    let again = browser.open(&back).await?;
    ensure!(again.status >= 400, "an answer is used once: {again:?}");
    let forged = back.replace("state=", "state=x");
    let mut other = Browser::new(&base, "another");
    away(&mut other).await?;
    ensure!(other.open(&forged).await?.status == 403);

    for lie in Lie::ALL {
        provider.lies(Some(lie));
        let mut nobody = Browser::new(&base, "nobody");
        let back = away(&mut nobody).await?;
        let refused = nobody.open(&back).await?;
        ensure!(refused.status == 401, "{lie:?}: {refused:?}");
        ensure!(nobody.open("/alerts").await?.location.starts_with("/sign-in"), "{lie:?}");
    }
    provider.lies(None);
    // Somebody else there has taken the user name, the operator's name, or the operator's id.
    for (subject, name) in [("person-2", "a.bianchi"), ("person-2", "anna"), ("anna", &anna)] {
        provider.knows(subject, name);
        let mut nobody = Browser::new(&base, "nobody");
        let back = away(&mut nobody).await?;
        ensure!(nobody.open(&back).await?.status == 401, "{subject} {name}");
    }
    // The same person has another user name now.
    provider.knows("person-1", "anna.rossi");
    let mut again = Browser::new(&base, "anna");
    let back = away(&mut again).await?;
    ensure!(again.open(&back).await?.status == 200);
    ensure!(again.open("/alerts").await?.status == 200);
    world.node(TOSCANA)?.first(&["operator", "disable", "anna"]).await?;
    let mut disabled = Browser::new(&base, "anna");
    let back = away(&mut disabled).await?;
    ensure!(disabled.open(&back).await?.status == 401);
    drop(provider);
    let leaving = disabled.open("/sign-in/provider").await?;
    ensure!(leaving.status == 503, "{leaving:?}");
    Ok(())
}

/// Binds the first operator by a link, once.
async fn bound(world: &Federation, base: &str, browser: &mut Browser) -> anyhow::Result<()> {
    let link = invited(world, TOSCANA).await?;
    let path = link.strip_prefix(base).context("the link is of another desk")?.to_owned();
    ensure!(browser.open(&path).await?.text.contains(&format!("{path}/provider")), "no way there");
    let back = away(base, browser, &format!("{path}/provider")).await?;
    let page = browser.open(&back).await?;
    ensure!(page.status == 200, "{page:?}");
    ensure!(browser.open("/alerts").await?.status == 200);
    ensure!(browser.open(&path).await?.status == 404, "a link works once");
    let away = browser.open(&format!("{path}/provider")).await?;
    ensure!(away.status == 404, "{away:?}");
    Ok(())
}

/// Pages, and from which roles of which organisation they are kept.
const GUARDED: &[(&str, &[&str])] = &[
    ("/", &[]),
    ("/alerts", &["auditor", "police"]),
    ("/alerts/{alert}", &["auditor", "police"]),
    ("/matches", &["auditor", "police"]),
    ("/share/case", &["auditor", "police"]),
    ("/equipes/toscana-umbria", &[]),
];

/// Every role, and an organisation that may see no case, at every page and change, of an own
/// alert and of another region's.
pub async fn everybody_sees_only_their_own(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let base = serve(&mut world, TOSCANA).await?;
    let own = share(&world, TOSCANA).await?;
    let theirs = share(&world, UMBRIA).await?;
    let node = world.node(TOSCANA)?;
    until("the other region's alert", async || {
        let list = node.run(&["alert", "list", "--equipe", EQUIPE]).await?;
        Ok(list.iter().any(|one| one["id"] == theirs).then_some(()))
    })
    .await?;
    node.run(&["organisation", "add", "Questura", "--class", "police"]).await?;
    for (name, role, organisation) in [
        ("frontline", "frontline", "Sportello"),
        ("secretariat", "secretariat", "Sportello"),
        ("coordinator", "coordinator", "Sportello"),
        ("auditor", "auditor", "Sportello"),
        ("police", "case_manager", "Questura"),
    ] {
        let token = world.path(&format!("{name}.token"));
        let token = token.to_string_lossy();
        let add = ["operator", "add", name, "--organisation", organisation, "--role", role];
        node.run(&[&add[..], &["--token-out", &token]].concat()).await?;
        let link = invited_as(&world, TOSCANA, name).await?;
        let mut browser = activated(&base, &link).await?.person.browser;
        for (page, kept) in GUARDED {
            let page = page.replace("{alert}", &own);
            let answer = browser.open(&page).await?;
            let expected = if kept.contains(&name) { 403 } else { 200 };
            ensure!(answer.status == expected, "{name} at {page}: {answer:?}");
        }
        let form = token_of(&mut browser).await?;
        let withdraw = [("form", &*form), ("reason", "error")];
        // Frontline operators share, and do not withdraw; of another region's nobody does.
        let refused = browser.send(&format!("/alerts/{theirs}/withdraw"), &withdraw).await?;
        ensure!(refused.status >= 400, "{name}: {refused:?}");
        if matches!(name, "frontline" | "auditor" | "police") {
            let refused = browser.send(&format!("/alerts/{own}/withdraw"), &withdraw).await?;
            ensure!(refused.status == 403, "{name}: {refused:?}");
        }
        let unknown = format!("/alerts/{}", uuid::Uuid::new_v4());
        ensure!(browser.open(&unknown).await?.status >= 400, "{name}: an alert that is not there");
    }
    let mut nobody = Browser::new(&base, "nobody");
    for (page, _) in GUARDED {
        let page = nobody.open(&page.replace("{alert}", &own)).await?;
        ensure!(page.location.starts_with("/sign-in"), "{page:?}");
    }
    for change in ["/sign-out", &format!("/alerts/{own}/withdraw"), "/share/case"] {
        let answer = nobody.send(change, &[("form", "0")]).await?;
        ensure!(answer.location.starts_with("/sign-in"), "{change}: {answer:?}");
    }
    Ok(())
}

async fn token_of(browser: &mut Browser) -> anyhow::Result<String> {
    token(&browser.open("/").await?)
}

async fn share(world: &Federation, at: &str) -> anyhow::Result<String> {
    let node = world.node(at)?;
    let alert = node.first(&["alert", "example", "--kind", "case"]).await?;
    let order = ["alert", "share", "--equipe", EQUIPE, "-"];
    let shared = node.run_with(&order, Some(&alert.to_string())).await?;
    Ok(shared.first().and_then(|line| line["id"].as_str()).context("no id")?.to_owned())
}

/// Who asks for it is told by e-mail that there is something, and nothing of what it is.
pub async fn told_by_email(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let server = EmailServer::start().await?;
    let mail = format!(
        "[email]\nserver = \"{}\"\nencryption = \"none\"\nfrom = \"raccordo@example.org\"\n\
         every_minutes = 0\n",
        server.address
    );
    let base = desk::serve_with(&mut world, TOSCANA, &mail).await?;
    let Person { mut browser, .. } = signed_in(&world, TOSCANA, &base).await?;
    let page = browser.open("/notices").await?;
    let form = token(&page)?;
    let wrong = [("form", &*form), ("address", "anna@example.org, x@example.org")];
    let refused = browser.send("/notices", &wrong).await?;
    ensure!(refused.status == 422, "{refused:?}");
    let right = [("form", &*form), ("address", "anna@example.org")];
    let kept = browser.follow("/notices", &right).await?;
    ensure!(kept.text.contains("anna@example.org"), "{}", kept.text);

    let page = browser.open("/").await?;
    browser.send("/sign-out", &[("form", &*token(&page)?)]).await?;
    let alert = share(&world, UMBRIA).await?;
    let mails = until("the mail", async || {
        let mails = server.mails();
        Ok((!mails.is_empty()).then_some(mails))
    })
    .await?;
    for mail in &mails {
        ensure!(mail.to == "anna@example.org", "{mail:?}");
        ensure!(mail.data.contains(&base), "{mail:?}");
        for secret in [&*alert, UMBRIA, TOSCANA, EQUIPE, "Firenze"] {
            ensure!(!mail.data.contains(secret), "{secret} is in {mail:?}");
        }
    }
    Ok(())
}
