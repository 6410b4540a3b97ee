//! What SQLite and PostgreSQL do not share; everything else is one text for both.

/// The two databases on which a node can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// One file, one process.
    Sqlite,
    /// A server, which several processes may share.
    Postgres,
}

impl Dialect {
    /// Reads it off a connection URL: `sqlite:…`, `postgres:…` or `postgresql:…`.
    pub fn of(url: &str) -> Option<Self> {
        match url.split_once(':')?.0 {
            "sqlite" => Some(Self::Sqlite),
            "postgres" | "postgresql" => Some(Self::Postgres),
            _ => None,
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// The URL as the driver wants it: a SQLite file is made when there is none.
    pub fn driver_url(self, url: &str) -> String {
        match self {
            Self::Sqlite if url.contains("mode=") => url.to_owned(),
            Self::Sqlite if url.contains('?') => format!("{url}&mode=rwc"),
            Self::Sqlite => format!("{url}?mode=rwc"),
            Self::Postgres => url.to_owned(),
        }
    }

    /// Statements that every new connection runs first.
    pub fn session(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &[
                "PRAGMA busy_timeout = 5000",
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = FULL",
                "PRAGMA secure_delete = ON",
                "PRAGMA foreign_keys = ON",
                "PRAGMA temp_store = MEMORY",
            ],
            Self::Postgres => &[
                "SET synchronous_commit = on",
                "SET lock_timeout = '10s'",
                "SET idle_in_transaction_session_timeout = '60s'",
            ],
        }
    }

    /// Statements that run before the migrations.
    ///
    /// The advisory lock lets several processes make the domain at once.
    pub fn prelude(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &[],
            Self::Postgres => &["DO $$ BEGIN
                    PERFORM pg_advisory_xact_lock(7011);
                    IF to_regtype('blob') IS NULL THEN
                        CREATE DOMAIN blob AS bytea;
                    END IF;
                END $$"],
        }
    }

    /// Statements, outside any transaction, after which the table of wrapping keys holds no key
    /// that was deleted. SQLite overwrites what is deleted by itself (`secure_delete`).
    pub fn sweep(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &[],
            Self::Postgres => &["VACUUM FULL wrapping_key"],
        }
    }

    /// Opens a transaction that will write. SQLite takes its write lock at once, for a
    /// transaction that first reads and then writes would fail when another came between.
    pub fn begin_write(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// Opens a transaction that sees one state and does not write.
    pub fn begin_read(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Counts the tables (0 or 1) in which the migrations already applied are noted.
    pub fn count_migration_tables(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'",
            Self::Postgres => {
                "SELECT COUNT(to_regclass('_sqlx_migrations')) FROM (SELECT 1) AS one"
            }
        }
    }

    /// Whether connections may have died unseen while they lay in the pool.
    pub fn connections_break(self) -> bool {
        self == Self::Postgres
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_off_the_url() {
        let check = |url: &str, expected| assert_eq!(Dialect::of(url), expected, "{url}");
        check("sqlite:///var/lib/raccordo/node.db", Some(Dialect::Sqlite));
        check("postgres://node@db/raccordo", Some(Dialect::Postgres));
        check("postgresql:///raccordo?host=/run/postgresql", Some(Dialect::Postgres));
        check("mysql://db/raccordo", None);
        check("/var/lib/raccordo/node.db", None);
    }

    #[test]
    fn sqlite_files_are_made() {
        let check = |url: &str, expected: &str| {
            assert_eq!(Dialect::Sqlite.driver_url(url), expected);
        };
        check("sqlite:///a.db", "sqlite:///a.db?mode=rwc");
        check("sqlite:///a.db?mode=ro", "sqlite:///a.db?mode=ro");
        check("sqlite:///a.db?cache=private", "sqlite:///a.db?cache=private&mode=rwc");
    }
}
