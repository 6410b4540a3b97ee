//! From the activation link to the phone number of the other region's case manager.

use anyhow::Context as _;
use raccordo_tests::chromium::{Chromium, Hand, Scripts, Window};
use raccordo_tests::desk::{PASSWORD, code, invited, serve, with_provider};
use raccordo_tests::federation::{EQUIPE, Federation, Setting, TOSCANA, UMBRIA, until};
use raccordo_tests::identity_provider::IdentityProvider;
use serde_json::{Value, json};

/// Opens a node's desk in a window and signs its operator in, by the activation link.
pub async fn at_desk(
    world: &Federation,
    window: &Window,
    id: &str,
    base: &str,
) -> anyhow::Result<()> {
    let link = invited(world, id).await?;
    by_link(window, &link, base).await.with_context(|| id.to_owned())
}

/// The same by a link that is there.
pub async fn by_link(window: &Window, link: &str, base: &str) -> anyhow::Result<()> {
    window.open(link.strip_prefix(base).context("the link is of another desk")?).await?;
    sign_in(window).await
}

/// From the page of the activation link to the first page.
async fn sign_in(window: &Window) -> anyhow::Result<()> {
    let name = window.attribute("[name=username]", "value").await?;
    let seed = window.text_of("main code").await?;
    window.fill("#code", &code(&seed, 0)?).await?;
    window.fill("#password", PASSWORD).await?;
    window.fill("#again", PASSWORD).await?;
    window.press("main button.btn-primary").await?;
    window.arrive("/sign-in").await?;
    window.fill("#name", &name).await?;
    window.fill("#password", PASSWORD).await?;
    window.fill("#code", &code(&seed, 1)?).await?;
    window.press("main button.btn-primary").await?;
    window.arrive("/").await?;
    window.see(EQUIPE).await
}

/// Adds a person to a node's register, with the command line; the record's id.
pub async fn person(
    world: &Federation,
    at: &str,
    family: &str,
    given: &str,
) -> anyhow::Result<String> {
    let names = json!([{"family": family, "given": given}]);
    let record = json!({"person": {"names": names, "birthDates": ["1990-03-04"]}});
    let add = ["case", "add", "-"];
    let added = world.node(at)?.run_with(&add, Some(&record.to_string())).await?;
    let record = added.first().and_then(|line| line["record"].as_str());
    Ok(record.context("no record")?.to_owned())
}

/// Shares the alert of a person of the register, with the command line; the alert's id.
pub async fn share_of(world: &Federation, at: &str, record: &str) -> anyhow::Result<String> {
    let node = world.node(at)?;
    let mut alert = node.first(&["alert", "example", "--kind", "case"]).await?;
    if let Some(alert) = alert.as_object_mut() {
        alert.remove("id");
        alert.insert("record".to_owned(), Value::from(record));
    }
    let share = ["alert", "share", "--equipe", EQUIPE, "-"];
    let shared = node.run_with(&share, Some(&alert.to_string())).await?;
    Ok(shared.first().and_then(|line| line["id"].as_str()).context("no id")?.to_owned())
}

/// Adds a person to the register, on its pages; where the case is then shown.
pub async fn add_a_person(window: &Window, family: &str, given: &str) -> anyhow::Result<String> {
    window.press("header a[href='/register']").await?;
    window.arrive("/register").await?;
    window.press("main a[href='/register/add/person']").await?;
    window.arrive("/register/add/person").await?;
    window.fill("[name='name.0.family']", family).await?;
    if !given.is_empty() {
        window.fill("[name='name.0.given']", given).await?;
    }
    window.fill("[name='birth_date.0.value']", "4/3/1990").await?;
    window.press("[name=step][value=add]").await?;
    window.see("Scheda aggiunta").await?;
    window.path().await
}

/// From the page of a case to its alert; the alert's id.
pub async fn share_from_its_page(window: &Window, case: &str) -> anyhow::Result<String> {
    window.arrive(case).await?;
    window.press("[name=step][value=begin]").await?;
    window.arrive("/share/case").await?;
    window.see("Riguarda la scheda").await?;
    fill_in_and_send(window).await
}

/// Fills in a case and sends it; its id.
pub async fn share_a_case(window: &Window) -> anyhow::Result<String> {
    window.press("header a[href='/share']").await?;
    window.arrive("/share").await?;
    window.press("main a[href='/share/case']").await?;
    window.arrive("/share/case").await?;
    fill_in_and_send(window).await
}

async fn fill_in_and_send(window: &Window) -> anyhow::Result<String> {
    window.fill("[name=sector]", "01").await?;
    window.fill("[name=province]", "Firenze").await?;
    window.press("[name=exploitation]").await?;
    window.press("[name=step][value=look]").await?;
    window.see("Firenze").await?;
    window.see(UMBRIA).await?;
    window.press("[name=step][value=send]").await?;
    until("the page of the alert", async || {
        let path = window.path().await?;
        Ok(path.strip_prefix("/alerts/").map(str::to_owned))
    })
    .await
}

/// The two windows and how they hear of changes.
struct Desks {
    toscana: Window,
    umbria: Window,
    scripts: Scripts,
}

impl Desks {
    /// Waits until a page has something; without scripts the person opens it again.
    async fn hear(&self, window: &Window, what: &str, has: bool) -> anyhow::Result<()> {
        until(what, async || {
            if self.scripts == Scripts::Off {
                window.open(&window.path().await?).await?;
            }
            Ok((window.source().await?.contains(what) == has).then_some(()))
        })
        .await
    }
}

/// The whole story, with two windows side by side.
pub async fn from_desk_to_desk(
    setting: Setting,
    scripts: Scripts,
    hand: Hand,
) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let here = serve(&mut world, TOSCANA).await?;
    let there = serve(&mut world, UMBRIA).await?;
    for (at, phone) in [(TOSCANA, "+39 055 1"), (UMBRIA, "+39 075 2")] {
        world.node(at)?.run_with(&["operator", "phone", "anna"], Some(phone)).await?;
    }
    let chromium = Chromium::start().await?;
    let toscana = chromium.window(&here, scripts, hand).await?;
    let umbria = chromium.window(&there, scripts, hand).await?;
    let desks = Desks { toscana, umbria, scripts };
    tokio::try_join!(
        at_desk(&world, &desks.toscana, TOSCANA, &here),
        at_desk(&world, &desks.umbria, UMBRIA, &there),
    )?;

    an_alert(&desks).await?;
    a_match(&desks).await?;

    for window in [desks.toscana, desks.umbria] {
        window.press("form[action='/sign-out'] button").await?;
        window.arrive("/sign-in").await?;
        window.close().await?;
    }
    Ok(())
}

async fn an_alert(desks: &Desks) -> anyhow::Result<()> {
    let Desks { toscana, umbria, .. } = desks;
    umbria.open("/alerts").await?;
    let alert = share_a_case(toscana).await?;
    let link = format!("/alerts/{alert}");
    desks.hear(umbria, &link, true).await?;
    umbria.press(&format!("a[href='{link}']")).await?;
    umbria.arrive(&link).await?;
    umbria.see("Firenze").await?;

    let reason = toscana.text_of("#reason option:nth-child(2)").await?;
    toscana.fill("#reason", &reason).await?;
    toscana.press("form[action$='/withdraw'] button").await?;
    toscana.see("ritirata").await?;
    desks.hear(umbria, "Firenze", false).await?;
    umbria.see("ritirata").await
}

async fn a_match(desks: &Desks) -> anyhow::Result<()> {
    let Desks { toscana, umbria, .. } = desks;
    add_a_person(umbria, "Kamal Hosen", "").await?;
    umbria.press("header a[href='/matches']").await?;
    umbria.arrive("/matches").await?;
    let case = add_a_person(toscana, "Hossain", "Md Kamal").await?;
    share_from_its_page(toscana, &case).await?;
    // One hears of it on the list; the other is told, on the first page, what waits.
    desks.hear(umbria, "href=\"/matches/", true).await?;
    toscana.press("header a[href='/']").await?;
    toscana.arrive("/").await?;
    desks.hear(toscana, "/matches?stage=undecided", true).await?;
    toscana.press("main a[href='/matches?stage=undecided']").await?;
    for window in [toscana, umbria] {
        window.arrive("/matches").await?;
        window.press("main a[href^='/matches/']").await?;
        desks.hear(window, "value=\"confirm\"", true).await?;
    }
    for (window, phone) in [(toscana, "+39 075 2"), (umbria, "+39 055 1")] {
        anyhow::ensure!(!window.text().await?.contains(phone), "before both have confirmed");
    }
    for window in [toscana, umbria] {
        window.press("[name=decision][value=confirm]").await?;
    }
    for (window, phone) in [(toscana, "+39 075 2"), (umbria, "+39 055 1")] {
        desks.hear(window, phone, true).await?;
        window.see(phone).await?;
    }
    Ok(())
}

/// A real browser comes back from the provider with a session: its cookie is not sent along on
/// a way that another site began.
pub async fn signed_in_at_the_region(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let provider = IdentityProvider::start("person-1", "a.bianchi").await?;
    let base = with_provider(&mut world, TOSCANA, &provider).await?;
    let chromium = Chromium::start().await?;
    let window = chromium.window(&base, Scripts::On, Hand::Keyboard).await?;
    let link = invited(&world, TOSCANA).await?;
    window.open(link.strip_prefix(&base).context("the link is of another desk")?).await?;
    window.examine("activate-provider").await?;
    window.press("a[href$='/provider']").await?;
    window.arrive("/").await?;
    window.see("anna").await?;
    window.press("form[action='/sign-out'] button").await?;
    window.open("/alerts").await?;
    window.arrive("/sign-in").await?;
    window.examine("sign-in-provider").await?;
    window.press("a[href^='/sign-in/provider']").await?;
    window.arrive("/alerts").await?;
    window.see("anna").await?;
    window.close().await
}
