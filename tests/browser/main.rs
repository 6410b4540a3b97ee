//! The desks of two regions in a real browser: the story of an alert and of a match, with the
//! mouse, with keys alone, and without scripts; every page under axe-core; and what a peer
//! writes, which stays text.
//!
//! `RACCORDO_TEST_SCREENSHOTS=DIRECTORY` keeps a picture of every page.

#![cfg(test)]

mod pages;
mod payloads;
mod story;

use raccordo_tests::chromium::{Hand, Scripts};
use raccordo_tests::federation::{Database, Setting};

#[tokio::test]
async fn the_story_on_sqlite() -> anyhow::Result<()> {
    story::from_desk_to_desk(Setting::on(Database::Sqlite), Scripts::On, Hand::Mouse).await
}

#[tokio::test]
async fn the_story_on_postgres() -> anyhow::Result<()> {
    story::from_desk_to_desk(Setting::on(Database::Postgres), Scripts::On, Hand::Mouse).await
}

#[tokio::test]
async fn the_story_with_keys_alone() -> anyhow::Result<()> {
    story::from_desk_to_desk(Setting::on(Database::Sqlite), Scripts::On, Hand::Keyboard).await
}

#[tokio::test]
async fn the_story_without_scripts() -> anyhow::Result<()> {
    story::from_desk_to_desk(Setting::on(Database::Postgres), Scripts::Off, Hand::Mouse).await
}

#[tokio::test]
async fn the_region_s_identity() -> anyhow::Result<()> {
    story::signed_in_at_the_region(Setting::on(Database::Sqlite)).await
}

#[tokio::test]
async fn every_page_is_for_everybody() -> anyhow::Result<()> {
    pages::examined(Setting::on(Database::Sqlite)).await
}

#[tokio::test]
async fn what_peers_write_stays_text() -> anyhow::Result<()> {
    payloads::stay_text(Setting::on(Database::Sqlite)).await
}
