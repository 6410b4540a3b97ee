//! A browser without scripts: keeps cookies, follows nothing by itself, and sends forms as
//! browsers do.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};

/// What a page answered.
#[derive(Debug)]
pub struct Page {
    /// The status (RFC 9110 §15).
    pub status: u16,
    /// Where it leads, if anywhere.
    pub location: String,
    /// The policy for what the page may load.
    pub policy: String,
    /// Its text.
    pub text: String,
}

impl Page {
    /// The text between two marks, the first time they stand there.
    ///
    /// # Errors
    /// They do not.
    pub fn between(&self, before: &str, after: &str) -> anyhow::Result<&str> {
        let (_, rest) = self.text.split_once(before).with_context(|| format!("no {before}"))?;
        Ok(rest.split_once(after).with_context(|| format!("no {after}"))?.0)
    }
}

/// One person's browser.
pub struct Browser {
    agent: ureq::Agent,
    base: String,
    name: String,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// A browser at a desk, which calls itself so.
    pub fn new(base: &str, name: &str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
        let (base, name) = (base.to_owned(), name.to_owned());
        Self { agent: config.build().into(), base, name, cookies: BTreeMap::new() }
    }

    /// What it knows of the desk, as another browser would have it.
    pub fn stolen_by(&self, name: &str) -> Self {
        let mut other = Self::new(&self.base, name);
        other.cookies.clone_from(&self.cookies);
        other
    }

    /// Opens a page.
    ///
    /// # Errors
    /// The desk does not answer.
    pub async fn open(&mut self, path: &str) -> anyhow::Result<Page> {
        let request = self.agent.get(format!("{}{path}", self.base));
        let request = request.header("user-agent", &self.name).header("cookie", self.cookie());
        let answer = tokio::task::spawn_blocking(move || request.call()).await??;
        self.read(answer).await
    }

    /// Sends a form from a page of the desk.
    ///
    /// # Errors
    /// The desk does not answer.
    pub async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Page> {
        self.send_from("same-origin", path, fields).await
    }

    /// Sends a form from a page of whoever.
    ///
    /// # Errors
    /// The desk does not answer.
    pub async fn send_from(
        &mut self,
        site: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> anyhow::Result<Page> {
        let body = serde_urlencoded::to_string(fields)?;
        let request = self.agent.post(format!("{}{path}", self.base));
        let request = request
            .header("user-agent", &self.name)
            .header("cookie", self.cookie())
            .header("sec-fetch-site", site)
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = tokio::task::spawn_blocking(move || request.send(body)).await??;
        self.read(answer).await
    }

    /// Sends a form, and opens the page where it leads.
    ///
    /// # Errors
    /// It leads nowhere.
    pub async fn follow(&mut self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Page> {
        let answer = self.send(path, fields).await?;
        if answer.location.is_empty() {
            bail!("{} leads nowhere: {}", answer.status, answer.text);
        }
        self.open(&answer.location).await
    }

    fn cookie(&self) -> String {
        let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    async fn read(&mut self, answer: ureq::http::Response<ureq::Body>) -> anyhow::Result<Page> {
        let (parts, mut body) = answer.into_parts();
        for line in parts.headers.get_all("set-cookie") {
            let pair = line.to_str()?.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').context("a cookie without value")?;
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let header = |name: &str| {
            let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let text = tokio::task::spawn_blocking(move || body.read_to_string()).await??;
        Ok(Page {
            status: parts.status.as_u16(),
            location: header("location"),
            policy: header("content-security-policy"),
            text,
        })
    }
}
