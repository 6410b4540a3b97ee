//! Every page, in both languages, at three widths.

use std::collections::BTreeSet;

use anyhow::Context as _;
use raccordo_tests::chromium::{Chromium, Hand, Scripts, Window};
use raccordo_tests::desk::{invited, invited_as, serve};
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
    ("matches-waiting", "/matches?stage=unanswered"),
    ("match", "/matches/{match}"),
    ("equipe", "/equipes/{equipe}"),
    ("register", "/register"),
    ("register-companies", "/register?kind=company"),
    ("register-add-person", "/register/add/person"),
    ("register-add-company", "/register/add/company"),
    ("register-find", "/register/find/person"),
    ("register-find-company", "/register/find/company"),
    ("register-import", "/register/import/person"),
    ("register-case", "{case}"),
    ("register-company", "{company}"),
    ("register-erase", "{case}/erase"),
    ("map", "/map"),
    ("links", "/links"),
    ("activity", "/activity"),
    ("notices", "/notices"),
    ("nowhere", "/nowhere"),
];

/// Pages that nobody sees who has signed in as an operator of cases.
const OTHERS: &[(&str, &str)] =
    &[("activate", "/activate/{link}"), ("sign-in", "/sign-in"), ("node", "/node")];

/// Addresses that are no pages, and why.
const NO_PAGES: &[(&str, &str)] = &[
    ("/sign-in/provider", "leads to the provider; its button is examined in the story of it"),
    ("/sign-in/provider/done", "leads on at once"),
    (
        "/activate/{link}/provider",
        "leads to the provider; its button is examined in the story of it",
    ),
    ("/.well-known/security.txt", "a text for programs"),
    ("/codes/{lists}", "options for a list"),
    ("/register/import/{kind}/report", "a file"),
    ("/events", "a stream"),
    ("/assets/{*name}", "files"),
];

/// A page that is added to the desk and not examined fails here.
#[test]
fn every_address_of_the_desk_is_examined() {
    let texts = [
        include_str!("../../node/src/desk/mod.rs"),
        include_str!("../../node/src/desk/register/mod.rs"),
    ];
    let routes = texts.iter().flat_map(|text| text.split(".route(\"").skip(1));
    let routes = routes.filter_map(|rest| rest.split_once('"'));
    let read = routes.filter(|(_, rest)| rest.trim_start_matches(", ").starts_with("get("));
    let routes: BTreeSet<&str> = read.map(|(route, _)| route).collect();
    assert!(routes.len() > 25, "{routes:?}");
    let known: BTreeSet<&str> = NO_PAGES.iter().map(|(route, _)| *route).collect();
    assert!(known.is_subset(&routes), "{:?}", known.difference(&routes));
    let fill = |path: &str| {
        let path = path.replace("{case}", "/register/cases/x");
        path.replace("{company}", "/register/companies/x")
    };
    let paths = PAGES.iter().chain(OTHERS).map(|(_, path)| fill(path));
    let examined: BTreeSet<&str> = paths.filter_map(|path| route_of(&routes, &path)).collect();
    let missing: Vec<_> = routes.iter().filter(|route| !known.contains(*route)).collect();
    let missing: Vec<_> = missing.into_iter().filter(|route| !examined.contains(*route)).collect();
    assert!(missing.is_empty(), "not examined: {missing:?}");
}

/// The route that answers a path: the one with the fewest variable parts.
fn route_of<'r>(routes: &BTreeSet<&'r str>, path: &str) -> Option<&'r str> {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |route: &&&str| {
        let wanted: Vec<&str> = route.split('/').collect();
        let same = |(part, wanted): (&&str, &&str)| wanted.starts_with('{') || part == wanted;
        wanted.len() == parts.len() && parts.iter().zip(&wanted).all(same)
    };
    routes.iter().filter(fits).min_by_key(|route| route.matches('{').count()).copied()
}

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
    story::by_link(&window, &link, &here).await?;
    let case = story::add_a_person(&window, "Rossi", "Ada").await?;
    let company = add_a_company(&window).await?;
    draft(&window).await?;
    let values = [
        ("{own}", &*own),
        ("{other}", &*other),
        ("{match}", &*found),
        ("{equipe}", EQUIPE),
        ("{case}", &*case),
        ("{company}", &*company),
    ];
    for (name, path) in PAGES {
        let fill = |path: String, (mark, value): (&str, &str)| path.replace(mark, value);
        let path = values.into_iter().fold((*path).to_owned(), fill);
        in_both_languages(&window, name, &path).await?;
    }
    sharing(&window).await?;
    opened_and_found(&window, &case).await?;
    imported(&world, &window).await?;
    window.close().await?;
    administrators(&world, &chromium, &here).await
}

async fn add_a_company(window: &Window) -> anyhow::Result<String> {
    window.open("/register/add/company").await?;
    window.fill("[name='company_name.0.value']", "Rossi Agricola Srl").await?;
    window.fill("[name='vat_number.0.value']", "00743110157").await?;
    window.press("[name=step][value=add]").await?;
    window.see("Scheda aggiunta").await?;
    window.path().await
}

/// Leaves a draft, which waits on the first page.
async fn draft(window: &Window) -> anyhow::Result<()> {
    window.open("/share/company").await?;
    window.press("[name=step][value=keep]").await?;
    window.see("Bozza salvata").await
}

/// What stands on the pages of sharing after something was sent.
async fn sharing(window: &Window) -> anyhow::Result<()> {
    window.open("/share/case").await?;
    window.fill("[name=province]", "Atlantide").await?;
    window.press("[name=exploitation]").await?;
    window.fill("[name=sector]", "01").await?;
    window.press("[name=step][value=look]").await?;
    window.see("Scegli una voce").await?;
    window.examine("share-errors").await?;
    window.fill("[name=province]", "Firenze").await?;
    window.press("[name=step][value=look]").await?;
    window.see(UMBRIA).await?;
    window.examine("share-preview").await
}

/// A case with who it is; a search with what it found; a field that is wrong.
async fn opened_and_found(window: &Window, case: &str) -> anyhow::Result<()> {
    window.open(case).await?;
    window.fill("#purpose", "Protezione e messa in sicurezza").await?;
    window.press("main form.narrow button.btn-primary").await?;
    window.see("Rossi Ada").await?;
    window.examine("register-case-open").await?;
    window.open("/register/find/person").await?;
    window.fill("[name='name.0.family']", "Rossi").await?;
    window.fill("[name='name.0.given']", "Ada").await?;
    window.fill("#purpose", "Protezione e messa in sicurezza").await?;
    window.press("main form.narrow button.btn-primary").await?;
    window.see("Una scheda trovata").await?;
    window.examine("register-found").await?;
    window.open("/register/add/person").await?;
    window.fill("[name='birth_date.0.value']", "ieri").await?;
    window.press("[name=step][value=add]").await?;
    window.see("Scrivi la data come").await?;
    window.examine("register-add-errors").await
}

/// A file with a line that is refused: its columns, what came of the check, and of the import.
async fn imported(world: &Federation, window: &Window) -> anyhow::Result<()> {
    let file = world.path("people.csv");
    std::fs::write(
        &file,
        "Cognome;Nome;Nato il;Note\r\nBianchi;Ugo;1/2/1980;x\r\nVerdi;Ida;ieri;y\r\n",
    )?;
    window.open("/register/import/person").await?;
    window.choose_file("#file", &file).await?;
    window.press("main form.narrow button.btn-primary").await?;
    window.see("Nome non riconosciuto").await?;
    window.examine("register-import-columns").await?;
    for (step, told) in [("check", "Controllo finito"), ("import", "Importazione finita")] {
        window.press(&format!("[name=step][value={step}]")).await?;
        window.see(told).await?;
        window.examine(&format!("register-import-{step}")).await?;
    }
    Ok(())
}

/// The page of the node, for who runs it.
async fn administrators(world: &Federation, chromium: &Chromium, here: &str) -> anyhow::Result<()> {
    let node = world.node(TOSCANA)?;
    let token = world.path("ada.token");
    let add = ["operator", "add", "ada", "--organisation", "Sportello"];
    let rest = ["--role", "administrator", "--token-out", &token.to_string_lossy()];
    node.run(&[&add[..], &rest[..]].concat()).await?;
    let link = invited_as(world, TOSCANA, "ada").await?;
    let window = chromium.window(here, Scripts::On, Hand::Mouse).await?;
    story::by_link(&window, &link, here).await?;
    in_both_languages(&window, "node", "/node").await?;
    in_both_languages(&window, "today-administrator", "/").await?;
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
