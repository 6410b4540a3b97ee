//! One window, used with the mouse or with the keyboard alone.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, Locator};
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::federation::until;

/// Where it is set in the environment, pages are kept there as pictures.
const SHOTS: &str = "RACCORDO_TEST_SCREENSHOTS";
/// The file of axe-core, which `tests/run` installs.
const AXE: &str = "RACCORDO_TEST_AXE";
/// More presses of the tabulator than any page has things to stop at.
const TABS_MAX: usize = 300;

/// With what a person works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// Clicks, and types into what was clicked.
    Mouse,
    /// Only keys: what the tabulator does not reach cannot be used.
    Keyboard,
}

/// Widths at which pages are looked at, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// An office PC.
    Desktop = 1280,
    /// A phone.
    Phone = 375,
    /// What WCAG 2.1 §1.4.10 asks for: 320, or 1280 at 400 %.
    Narrow = 320,
}

/// One person's window.
pub struct Window {
    client: Client,
    base: String,
    hand: Hand,
}

impl Window {
    pub(super) async fn new(client: Client, base: &str, hand: Hand) -> anyhow::Result<Self> {
        let window = Self { client, base: base.to_owned(), hand };
        window.resize(Width::Desktop).await?;
        Ok(window)
    }

    /// Opens a page of the desk, as an address that was typed.
    ///
    /// # Errors
    /// The browser cannot.
    pub async fn open(&self, path: &str) -> anyhow::Result<()> {
        let address = format!("{}{path}", self.base);
        until(path, async || match self.client.goto(&address).await {
            // The page before was still on its way.
            Err(error) if is_leaving(&error) => Ok(None),
            opened => Ok(Some(opened?)),
        })
        .await
    }

    /// The path of the page that is open.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn path(&self) -> anyhow::Result<String> {
        Ok(self.client.current_url().await?.path().to_owned())
    }

    /// The text that a person sees.
    ///
    /// # Errors
    /// There is no page.
    pub async fn text(&self) -> anyhow::Result<String> {
        Ok(self.client.find(Locator::Css("body")).await?.text().await?)
    }

    /// The page as it is now, as HTML.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn source(&self) -> anyhow::Result<String> {
        Ok(self.client.source().await?)
    }

    /// The title of the page.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn title(&self) -> anyhow::Result<String> {
        Ok(self.client.title().await?)
    }

    /// The text of the first element of this CSS selector.
    ///
    /// # Errors
    /// There is none.
    pub async fn text_of(&self, css: &str) -> anyhow::Result<String> {
        until(css, async || Ok(Some(self.client.find(Locator::Css(css)).await?.text().await?)))
            .await
    }

    /// Whether the page has an element of this CSS selector now.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn has(&self, css: &str) -> anyhow::Result<bool> {
        Ok(!self.client.find_all(Locator::Css(css)).await?.is_empty())
    }

    /// Chooses a file of this machine to be sent.
    ///
    /// # Errors
    /// The page takes none.
    pub async fn choose_file(&self, css: &str, file: &Path) -> anyhow::Result<()> {
        let file = file.to_string_lossy();
        until(css, async || {
            let field = self.client.find(Locator::Css(css)).await?;
            Ok(Some(field.send_keys(&file).await?))
        })
        .await
    }

    /// An attribute of the first element of this CSS selector.
    ///
    /// # Errors
    /// There is none.
    pub async fn attribute(&self, css: &str, name: &str) -> anyhow::Result<String> {
        until(css, async || {
            let found = self.client.find(Locator::Css(css)).await?.attr(name).await?;
            Ok(Some(found.with_context(|| format!("{css} has no {name}"))?))
        })
        .await
    }

    /// Waits until a text is seen, without opening the page again.
    ///
    /// # Errors
    /// It does not come; with the text that is seen instead.
    pub async fn see(&self, expected: &str) -> anyhow::Result<()> {
        let seen =
            until(expected, async || Ok(self.text().await?.contains(expected).then_some(())));
        match seen.await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(self.text().await.unwrap_or_default())),
        }
    }

    /// Waits until a path is open.
    ///
    /// # Errors
    /// Another stays; with the text that is seen.
    pub async fn arrive(&self, path: &str) -> anyhow::Result<()> {
        let there = until(path, async || Ok((self.path().await? == path).then_some(())));
        match there.await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(self.text().await.unwrap_or_default())),
        }
    }

    /// Clicks a button, a link or a box; or goes there and presses the key.
    ///
    /// # Errors
    /// There is none, or the tabulator does not reach it.
    pub async fn press(&self, css: &str) -> anyhow::Result<()> {
        if self.hand == Hand::Mouse {
            return until(css, async || match self.click(css).await {
                Ok(()) => Ok(Some(())),
                // The page has read itself again meanwhile: a person aims once more.
                Err(error) if error.is_stale_element_reference() => Ok(None),
                // It has led on already.
                Err(error) if is_leaving(&error) => Ok(Some(())),
                Err(error) => Err(error.into()),
            })
            .await;
        }
        self.go_to(css).await?;
        let box_or_not = "return document.activeElement.type === 'checkbox'";
        let space = self.run(box_or_not, vec![]).await? == json!(true);
        self.keys(if space { " " } else { "\u{e007}" }).await
    }

    /// Runs a script in the page that is there once no other is on its way.
    async fn run(&self, script: &str, arguments: Vec<Value>) -> anyhow::Result<Value> {
        until("a page that stays", async || {
            match self.client.execute(script, arguments.clone()).await {
                Err(error) if is_leaving(&error) => Ok(None),
                ran => Ok(Some(ran?)),
            }
        })
        .await
    }

    async fn click(&self, css: &str) -> Result<(), CmdError> {
        let found = self.client.find(Locator::Css(css)).await?;
        // Pages scroll softly, and a click does not wait for it.
        let here = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})";
        self.client.execute(here, vec![serde_json::to_value(&found)?]).await?;
        found.click().await
    }

    /// Writes into a field, in place of what was there; or chooses from a list by its label.
    ///
    /// # Errors
    /// There is none, or the tabulator does not reach it.
    pub async fn fill(&self, css: &str, text: &str) -> anyhow::Result<()> {
        let field =
            until(css, async || Ok(Some(self.client.find(Locator::Css(css)).await?))).await?;
        let chosen = field.tag_name().await? == "select";
        if self.hand == Hand::Mouse {
            if chosen {
                field.select_by_label(text).await?;
            } else {
                field.clear().await?;
                field.send_keys(text).await?;
            }
            return Ok(());
        }
        self.go_to(css).await?;
        if chosen {
            return self.choose(text).await;
        }
        self.run("document.activeElement.select()", vec![]).await?;
        self.keys(text).await
    }

    /// Goes down the list that has the focus, as far as a label.
    async fn choose(&self, label: &str) -> anyhow::Result<()> {
        let rest = "const list = document.activeElement; \
             return list.options.length - 1 - list.selectedIndex";
        let here = "return document.activeElement.selectedOptions[0]?.label";
        while self.run(here, vec![]).await? != json!(label) {
            let rest = self.run(rest, vec![]).await?;
            ensure!(rest.as_i64() > Some(0), "the list has no {label} further down");
            self.keys(&String::from(char::from(Key::Down))).await?;
        }
        Ok(())
    }

    async fn go_to(&self, css: &str) -> anyhow::Result<()> {
        let here = "return document.activeElement.matches(arguments[0])";
        for _ in 0..TABS_MAX {
            if self.run(here, vec![json!(css)]).await? == json!(true) {
                let seen = "const style = getComputedStyle(document.activeElement); \
                     return style.outlineStyle !== 'none' || style.boxShadow !== 'none'";
                let seen = self.run(seen, vec![]).await? == json!(true);
                ensure!(seen, "nobody sees that {css} has the focus");
                return Ok(());
            }
            self.keys(&String::from(char::from(Key::Tab))).await?;
        }
        bail!("the tabulator does not reach {css}: {}", self.text().await?)
    }

    async fn keys(&self, keys: &str) -> anyhow::Result<()> {
        let pressed = keys.chars().fold(KeyActions::new("keyboard".to_owned()), |keys, value| {
            keys.then(KeyAction::Down { value }).then(KeyAction::Up { value })
        });
        Ok(self.client.perform_actions(pressed).await?)
    }

    /// Makes the window so wide.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn resize(&self, width: Width) -> anyhow::Result<()> {
        if width == Width::Desktop {
            self.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await?;
            return Ok(self.client.set_window_size(width as u32, 900).await?);
        }
        // A real window cannot be so narrow.
        let width = width as u32;
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": true});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await?;
        Ok(())
    }

    /// Looks at the open page: nothing is wider than the window at any width, and axe-core
    /// finds nothing against WCAG 2.1 AA. Keeps pictures where the environment asks for them.
    ///
    /// # Errors
    /// What was found, and where.
    pub async fn examine(&self, name: &str) -> anyhow::Result<()> {
        for width in [Width::Desktop, Width::Phone, Width::Narrow] {
            self.resize(width).await?;
            self.keep_picture(name, width).await?;
            let over = "return document.documentElement.scrollWidth - window.innerWidth";
            let over = self.run(over, vec![]).await?;
            ensure!(over.as_f64() <= Some(0.0), "{name} at {width:?}: {over} pixels too wide");
            let found = self.violations().await?;
            ensure!(found.is_empty(), "{name} at {width:?}: {found:#?}");
        }
        self.resize(Width::Desktop).await
    }

    async fn violations(&self) -> anyhow::Result<Vec<String>> {
        let path = std::env::var(AXE).context("axe-core is not there: run tests/run")?;
        let axe = std::fs::read_to_string(&path).with_context(|| path.clone())?;
        let run = "const done = arguments[arguments.length - 1]; \
             const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']; \
             window.axe.run(document, {runOnly: {type: 'tag', values: tags}}) \
             .then(found => done(found.violations.map(one => \
             one.id + ': ' + one.help + ' at ' + one.nodes.map(it => it.target).join(', '))), \
             error => done(['axe: ' + error]))";
        let found = until("a page that stays to be examined", async || {
            self.run(&axe, vec![]).await?;
            match self.client.execute_async(run, vec![]).await {
                Err(error) if is_leaving(&error) => Ok(None),
                found => Ok(Some(found?)),
            }
        });
        Ok(serde_json::from_value(found.await?)?)
    }

    async fn keep_picture(&self, name: &str, width: Width) -> anyhow::Result<()> {
        let Some(directory) = std::env::var_os(SHOTS).map(PathBuf::from) else { return Ok(()) };
        if width == Width::Narrow {
            return Ok(());
        }
        tokio::fs::create_dir_all(&directory).await?;
        let whole = json!({"format": "png", "captureBeyondViewport": true});
        let taken = until("a picture", async || {
            Ok(Some(self.devtools("Page.captureScreenshot", whole.clone()).await?))
        });
        let taken = taken.await?;
        let data = taken.get("data").and_then(Value::as_str).context("no picture")?;
        let picture = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, data)?;
        let file = directory.join(format!("{name}-{}.png", width as u32));
        Ok(tokio::fs::write(file, picture).await?)
    }

    async fn devtools(&self, command: &'static str, params: Value) -> anyhow::Result<Value> {
        Ok(self.client.issue_cmd(Devtools { command, params }).await?)
    }

    /// Ends the browser.
    ///
    /// # Errors
    /// It is gone already.
    pub async fn close(self) -> anyhow::Result<()> {
        Ok(self.client.close().await?)
    }
}

/// Whether a command met a page that was giving way to another.
fn is_leaving(error: &CmdError) -> bool {
    error.to_string().contains("aborted by navigation")
}

/// A command of the Chrome DevTools Protocol, through the driver.
#[derive(Debug)]
struct Devtools {
    command: &'static str,
    params: Value,
}

impl WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({"cmd": self.command, "params": self.params});
        (Method::POST, Some(body.to_string()))
    }
}
