//! The words of the pages: Italian, or English where somebody chose it.

use std::borrow::{Borrow, Cow};
use std::collections::HashMap;

use axum::Form;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader, langid, static_loader};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use raccordo_core::codes::Lang;
use raccordo_core::time::Instant;
use serde::Deserialize;

use super::gate;

static_loader! {
    static PAGES = {
        locales: "./words",
        fallback_language: "it",
        // Isolation marks would stand between digits in tests and in copied text.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

static ITALIAN: LanguageIdentifier = langid!("it");
static ENGLISH: LanguageIdentifier = langid!("en");
const COOKIE: &str = "language";

/// The words of one language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Words(Lang);

impl Words {
    /// Those that somebody chose, else Italian: the desk speaks Italian first.
    pub fn of(headers: &HeaderMap) -> Self {
        match gate::cookie(headers, COOKIE) {
            Some("en") => Self(Lang::En),
            _ => Self(Lang::It),
        }
    }

    /// For the labels of codes.
    pub fn lang(self) -> Lang {
        self.0
    }

    /// `it` or `en`.
    pub fn tag(self) -> &'static str {
        match self.0 {
            Lang::It => "it",
            Lang::En => "en",
        }
    }

    /// A text without a value in it.
    pub fn t(self, key: &str) -> String {
        PAGES.lookup(self.id(), key)
    }

    /// A text with a value called `it`.
    pub fn with(self, key: &str, value: impl ToString) -> String {
        let values = HashMap::from([(Cow::Borrowed("it"), FluentValue::from(value.to_string()))]);
        PAGES.lookup_with_args(self.id(), key, &values)
    }

    /// A text with two values, called `it` and `of`.
    pub fn both(self, key: &str, it: impl ToString, of: impl ToString) -> String {
        let value = |value: String| FluentValue::from(value);
        let values = HashMap::from([
            (Cow::Borrowed("it"), value(it.to_string())),
            (Cow::Borrowed("of"), value(of.to_string())),
        ]);
        PAGES.lookup_with_args(self.id(), key, &values)
    }

    /// A text with a number called `count`, which decides singular and plural.
    pub fn count(self, key: &str, count: impl Borrow<usize>) -> String {
        let count = FluentValue::from(*count.borrow());
        let values = HashMap::from([(Cow::Borrowed("count"), count)]);
        PAGES.lookup_with_args(self.id(), key, &values)
    }

    /// A text that may be missing.
    pub fn maybe(self, key: &str) -> Option<String> {
        PAGES.try_lookup(self.id(), key)
    }

    /// An instant as people in Italy write it, `22/11/2026, 14:05`.
    pub fn instant(self, at: Instant) -> String {
        let Ok(stamp) = Timestamp::from_millisecond(at.0) else { return String::new() };
        let zone = TimeZone::get("Europe/Rome").unwrap_or(TimeZone::UTC);
        stamp.to_zoned(zone).strftime("%d/%m/%Y, %H:%M").to_string()
    }

    /// A date or month of an alert, `2026-11-22` or `2026-11`, as people in Italy write it.
    pub fn date(self, text: &str) -> String {
        let mut parts: Vec<&str> = text.split('-').collect();
        parts.reverse();
        parts.join("/")
    }

    fn id(self) -> &'static LanguageIdentifier {
        match self.0 {
            Lang::It => &ITALIAN,
            Lang::En => &ENGLISH,
        }
    }
}

/// What the switch of the language sends.
#[derive(Deserialize)]
pub(super) struct Choice {
    language: String,
    #[serde(default)]
    next: String,
}

/// Remembers the language in this browser.
pub(super) async fn choose(Form(choice): Form<Choice>) -> Response {
    let tag = if choice.language == "en" { "en" } else { "it" };
    let kept =
        format!("{COOKIE}={tag}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=31536000");
    let next = Redirect::to(gate::own_path(&choice.next));
    ([(header::SET_COOKIE, kept)], next).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const IT: &str = include_str!("../../words/it/desk.ftl");
    const EN: &str = include_str!("../../words/en/desk.ftl");

    fn keys(text: &str) -> BTreeSet<&str> {
        let named = text.lines().filter(|line| line.starts_with(char::is_alphabetic));
        named.filter_map(|line| line.split_once(" =")).map(|(key, _)| key).collect()
    }

    #[test]
    fn both_languages_have_the_same_texts() {
        assert_eq!(keys(IT), keys(EN));
        assert!(keys(IT).len() > 50);
    }

    #[test]
    fn every_text_of_a_template_exists() {
        let known = keys(IT);
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
        for file in std::fs::read_dir(directory).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for call in ["words.t(\"", "words.with(\"", "words.both(\"", "words.count(\""] {
                for rest in text.split(call).skip(1) {
                    let key = rest.split('"').next().unwrap();
                    assert!(known.contains(key), "{key}");
                }
            }
        }
    }

    #[test]
    fn numbers_and_dates() {
        let (it, en) = (Words(Lang::It), Words(Lang::En));
        assert_eq!(it.date("2026-11-22"), "22/11/2026");
        assert_eq!(it.date("2026-11"), "11/2026");
        assert_eq!(it.instant(Instant(1_795_352_700_000)), "22/11/2026, 14:05");
        assert_ne!(it.t("today"), en.t("today"));
        assert_ne!(it.count("alerts-count", 1), it.count("alerts-count", 2));
    }
}
