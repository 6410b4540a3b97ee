//! A real browser: Debian's Chromium, driven over WebDriver (W3C, 2018) as a person would.
//!
//! - [`Chromium`]: the driver's process, which ends with all its browsers when it is dropped
//! - [`Window`]: one person's browser window, with a profile of its own

mod window;

use std::process::Stdio;

use anyhow::Context as _;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

pub use self::window::{Hand, Width, Window};

/// What the driver says once it listens; the port follows.
const STARTED: &str = "was started successfully on port ";

/// Whether pages may run scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scripts {
    /// As in most offices.
    On,
    /// Forbidden by the browser.
    Off,
}

/// A driver for any number of windows.
pub struct Chromium {
    address: String,
    _driver: Child,
}

impl Chromium {
    /// Starts one, on a port that the system chooses, in a process namespace of its own: all
    /// browsers end with it, however it ends. Needs root.
    ///
    /// # Errors
    /// Says what is not installed.
    pub async fn start() -> anyhow::Result<Self> {
        let words = ["--pdeathsig=KILL", "--", "unshare", "--pid", "--mount-proc", "--fork"];
        let mut driver = Command::new("setpriv")
            .args(words)
            .args(["--kill-child=KILL", "chromedriver", "--port=0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start chromedriver")?;
        let output = driver.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let port = loop {
            let line = lines.next_line().await?;
            let line = line.context("chromedriver ends at once: is chromium-driver installed?")?;
            if let Some((_, port)) = line.split_once(STARTED) {
                break port.trim_end_matches('.').to_owned();
            }
        };
        // It must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { address: format!("http://127.0.0.1:{port}"), _driver: driver })
    }

    /// Opens a window for one person, at a desk.
    ///
    /// # Errors
    /// Chromium does not start.
    pub async fn window(&self, base: &str, scripts: Scripts, hand: Hand) -> anyhow::Result<Window> {
        let content = if scripts == Scripts::On { 1 } else { 2 };
        let options = json!({
            "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                "--lang=it"],
            "prefs": {
                "intl.accept_languages": "it",
                "profile.managed_default_content_settings.javascript": content,
            },
        });
        let mut capabilities = Capabilities::new();
        capabilities.insert("browserName".to_owned(), json!("chrome"));
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client: Client = builder.capabilities(capabilities).connect(&self.address).await?;
        Window::new(client, base, hand).await
    }
}
