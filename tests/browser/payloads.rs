//! What a peer, or whoever made a link, has put into a field is shown as text.

use anyhow::{Context as _, ensure};
use raccordo_tests::chromium::{Chromium, Hand, Scripts, Window};
use raccordo_tests::desk::{activated, invited_as, serve};
use raccordo_tests::federation::{Federation, Setting, TOSCANA, UMBRIA, until};

use crate::story;

/// Each would leave an element of this class, or set the title, if it came to life.
const PAYLOADS: [&str; 4] = [
    "<img class=alive src=x onerror=document.title='alive'>",
    "\"><script class=alive>document.title='alive'</script>",
    "'><svg class=alive onload=document.title='alive'>",
    "</textarea></title><b class=alive>{{7*7}}",
];

/// Pages that show what stands in their address.
const ADDRESSES: [&str; 5] = [
    "/alerts?equipe={}&origin={}&kind={}&state={}",
    "/sign-in?next={}",
    "/alerts/{}",
    "/equipes/{}",
    "/activate/{}",
];

/// A peer's manager with such a name, organisation and phone; links with such values.
pub async fn stay_text(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let here = serve(&mut world, TOSCANA).await?;
    let there = serve(&mut world, UMBRIA).await?;
    let [name, organisation, phone, _] = PAYLOADS;
    let umbria = world.node(UMBRIA)?;
    umbria.run(&["organisation", "add", organisation, "--class", "access_point"]).await?;
    let token = world.path("evil.token");
    let token = token.to_string_lossy();
    let add = ["operator", "add", name, "--organisation", organisation];
    umbria.run(&[&add[..], &["--role", "coordinator", "--token-out", &token]].concat()).await?;
    umbria.run_with(&["operator", "phone", name], Some(phone)).await?;
    world.node(TOSCANA)?.run_with(&["operator", "phone", "anna"], Some("+39 055 1")).await?;

    let record = story::person(&world, TOSCANA, "Hossain", "Md Kamal").await?;
    story::share_of(&world, TOSCANA, &record).await?;
    story::person(&world, UMBRIA, "Kamal Hosen", "").await?;
    let found = until("the match", async || {
        let found = world.node(UMBRIA)?.run(&["match", "list"]).await?;
        Ok(found.first().and_then(|one| one["id"].as_str()).map(str::to_owned))
    })
    .await?;
    until("the match at the other node", async || {
        Ok((!world.node(TOSCANA)?.run(&["match", "list"]).await?.is_empty()).then_some(()))
    })
    .await?;
    world.node(TOSCANA)?.first(&["match", "confirm", &found]).await?;
    let link = invited_as(&world, UMBRIA, name).await?;
    let mut peer = activated(&there, &link).await?.person.browser;
    let page = peer.open(&format!("/matches/{found}")).await?;
    let form = page.between("name=\"form\" value=\"", "\"")?.to_owned();
    let decide = format!("/matches/{found}/decide");
    peer.follow(&decide, &[("form", &*form), ("decision", "confirm")]).await?;

    let chromium = Chromium::start().await?;
    let window = chromium.window(&here, Scripts::On, Hand::Mouse).await?;
    story::at_desk(&world, &window, TOSCANA, &here).await?;
    window.open(&format!("/matches/{found}")).await?;
    for written in [name, organisation, phone] {
        window.see(written).await?;
    }
    dead(&window).await?;
    for address in ADDRESSES {
        for payload in PAYLOADS {
            let encoded = serde_urlencoded::to_string([("", payload)])?;
            let encoded = encoded.trim_start_matches('=').replace('+', "%20");
            window.open(&address.replace("{}", &encoded)).await?;
            dead(&window).await.with_context(|| format!("{address} with {payload}"))?;
        }
    }
    window.close().await
}

/// Nothing of a payload has become part of the page.
async fn dead(window: &Window) -> anyhow::Result<()> {
    ensure!(!window.has(".alive").await?, "an element came to life");
    ensure!(window.title().await? != "alive", "a script ran");
    Ok(())
}
