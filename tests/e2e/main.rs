//! Stories of two members and a hub, as real processes on this machine.

#![cfg(test)]

mod alerts;
mod exchange;

use raccordo_tests::federation::{Database, Setting};

macro_rules! on_database {
    ($name:ident, $database:expr; $($file:ident { $($story:ident)+ })+) => {
        mod $name {
            $(mod $file {
                $(#[tokio::test]
                async fn $story() -> anyhow::Result<()> {
                    crate::$file::$story(crate::Setting::on($database)).await
                })+
            })+
        }
    };
}

macro_rules! stories {
    ($($stories:tt)+) => {
        on_database!(sqlite, crate::Database::Sqlite; $($stories)+);
        on_database!(postgres, crate::Database::Postgres; $($stories)+);
    };
}

stories! {
    exchange { two_regions_exchange_alerts }
}
