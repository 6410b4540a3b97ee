//! The migrations, built into the program.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Number, name and text, ascending. What has been released is never changed.
const TEXTS: &[(i64, &str, &str)] = &[
    (1, "node", include_str!("../migrations/0001_node.sql")),
    (2, "equipe", include_str!("../migrations/0002_equipe.sql")),
    (3, "hub", include_str!("../migrations/0003_hub.sql")),
    (4, "membership", include_str!("../migrations/0004_membership.sql")),
    (5, "rejoin", include_str!("../migrations/0005_rejoin.sql")),
    (6, "honesty", include_str!("../migrations/0006_honesty.sql")),
    (7, "term", include_str!("../migrations/0007_term.sql")),
    (8, "succession", include_str!("../migrations/0008_succession.sql")),
    (10, "register", include_str!("../migrations/0010_register.sql")),
    (11, "keys", include_str!("../migrations/0011_keys.sql")),
    (12, "matching", include_str!("../migrations/0012_matching.sql")),
    (13, "void", include_str!("../migrations/0013_void.sql")),
    (15, "account", include_str!("../migrations/0015_account.sql")),
    (17, "desk", include_str!("../migrations/0017_desk.sql")),
    (18, "email_notice", include_str!("../migrations/0018_email_notice.sql")),
    (19, "successor", include_str!("../migrations/0019_successor.sql")),
    (20, "pages", include_str!("../migrations/0020_pages.sql")),
    (21, "pool_given", include_str!("../migrations/0021_pool_given.sql")),
];

/// Number of the newest migration.
pub(super) fn newest() -> i64 {
    TEXTS.iter().map(|(number, ..)| *number).max().unwrap_or(0)
}

/// The migrations up to a number.
pub(super) fn migrator(newest: i64) -> Migrator {
    let wanted = TEXTS.iter().filter(|(number, ..)| *number <= newest);
    let migrations = wanted.map(|&(number, name, text)| {
        let sql = text.into_sql_str();
        Migration::new(number, Cow::Borrowed(name), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(migrations.collect())
}
