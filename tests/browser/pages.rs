//! Every page, in both languages, at three widths.

use anyhow::Context as _;
use raccordo_tests::chromium::{Chromium, Hand, Scripts, Window};
use raccordo_tests::desk::{invited, serve};
use raccordo_tests::federation::{EQUIPE, Federation, Setting, TOSCANA, UMBRIA, until};

use crate::story;

/// Names for pictures, and paths; what varies is filled in.
const PAGES: &[(&str, &str)] = &[
    ("today", "/"),
    ("alerts", "/alerts"),
    ("alert-own", "/alerts/{own}"),
    ("alert", "/alerts/{other}"),
    ("share", "/share"),
    ("share-case", "/share/case"),
    ("share-company", "/share/company"),
    ("matches", "/matches"),
    ("match", "/matches/{match}"),
    ("equipe", "/equipes/{equipe}"),
    ("register", "/register"),
    ("register-add-person", "/register/add/person"),
    ("map", "/map"),
    ("links", "/links"),
    ("activity", "/activity"),
    ("notices", "/notices"),
    ("nowhere", "/nowhere"),
];

/// Examines all of them at a desk where something has happened.
pub async fn examined(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let here = serve(&mut world, TOSCANA).await?;
    let record = story::person(&world, TOSCANA, "Hossain", "Md Kamal").await?;
    let own = story::share_of(&world, TOSCANA, &record).await?;
    let record = story::person(&world, UMBRIA, "Kamal Hosen", "").await?;
    let other = story::share_of(&world, UMBRIA, &record).await?;
    let found = until("the match", async || {
        let found = world.node(TOSCANA)?.run(&["match", "list"]).await?;
        Ok(found.first().and_then(|one| one["id"].as_str()).map(str::to_owned))
    })
    .await?;

    let chromium = Chromium::start().await?;
    let window = chromium.window(&here, Scripts::On, Hand::Mouse).await?;
    let link = invited(&world, TOSCANA).await?;
    let activation = link.strip_prefix(&here).context("the link is of another desk")?;
    in_both_languages(&window, "activate", activation).await?;
    in_both_languages(&window, "sign-in", "/sign-in").await?;
    story::at_desk(&world, &window, TOSCANA, &here).await?;
    let values =
        [("{own}", &*own), ("{other}", &*other), ("{match}", &*found), ("{equipe}", EQUIPE)];
    for (name, path) in PAGES {
        let fill = |path: String, (mark, value): (&str, &str)| path.replace(mark, value);
        let path = values.into_iter().fold((*path).to_owned(), fill);
        in_both_languages(&window, name, &path).await?;
    }
    window.open("/share/case").await?;
    window.fill("[name=province]", "Atlantide").await?;
    window.press("[name=exploitation]").await?;
    let sector = window.text_of("[name=sector] option:nth-child(2)").await;
    window.fill("[name=sector]", sector.as_deref().unwrap_or("01")).await?;
    window.press("[name=step][value=look]").await?;
    window.see("Scegli una voce").await?;
    window.examine("share-errors").await?;
    window.fill("[name=province]", "Firenze").await?;
    window.press("[name=step][value=look]").await?;
    window.see(UMBRIA).await?;
    window.examine("share-preview").await?;
    window.close().await
}

async fn in_both_languages(window: &Window, name: &str, path: &str) -> anyhow::Result<()> {
    for language in ["en", "it"] {
        window.open(path).await?;
        window.press(&format!("footer button[value={language}]")).await?;
        until("the language", async || {
            Ok((window.attribute("html", "lang").await? == language).then_some(()))
        })
        .await?;
        // The button leads back to the page, where a page can lead back to itself.
        window.open(path).await?;
        window.examine(&format!("{name}-{language}")).await?;
    }
    Ok(())
}
