//! What a failing database says, in the store's words.

use std::io::ErrorKind;

use sqlx::migrate::MigrateError;

use crate::store::StoreError;
use crate::store::ailment::{Ailing, Ailment, Vitals};

/// The cause without any bound value: PostgreSQL names values in the class "data
/// exception" (22), of which only the code is passed on.
pub(super) fn unavailable(error: sqlx::Error) -> StoreError {
    let ailment = ailment(&error);
    let cause = cause(error);
    match ailment {
        Some(Ailment::Unreachable) | None => StoreError::Unavailable(cause),
        Some(ailment) => StoreError::Ailing { ailment, cause },
    }
}

/// Of a statement on a table: a value that does not fit is its teller's fault, and says nothing
/// of the database.
pub(super) fn of_statement(vitals: &Vitals, table: &'static str, error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|error| error.code());
    if code.is_some_and(|code| is_unfit(&code)) {
        return StoreError::Unfit(table);
    }
    noted(vitals, error)
}

/// PostgreSQL: "data exception" and "program limit exceeded", as of a key too long for an index.
/// SQLite: SQLITE_TOOBIG and SQLITE_MISMATCH.
fn is_unfit(code: &str) -> bool {
    match code.len() {
        5 => code.starts_with("22") || code == "54000",
        _ => code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 18 | 20)),
    }
}

/// The same as [`unavailable`], noted for those who ask how the database is.
pub(super) fn noted(vitals: &Vitals, error: sqlx::Error) -> StoreError {
    let ailment = ailment(&error);
    let told = unavailable(error);
    if let Some(ailment) = ailment {
        let cause = match &told {
            StoreError::Unavailable(cause) | StoreError::Ailing { cause, .. } => cause.clone(),
            _ => String::new(),
        };
        vitals.note(Ailing { ailment, cause });
    }
    told
}

fn cause(error: sqlx::Error) -> String {
    match &error {
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            if code.len() == 5 && code.starts_with("22") {
                format!("error {code}")
            } else {
                format!("{} (error {code})", database.message())
            }
        }
        sqlx::Error::Io(io) => io.to_string(),
        sqlx::Error::PoolTimedOut => "no connection became free in time".to_owned(),
        sqlx::Error::PoolClosed => "closed".to_owned(),
        sqlx::Error::WorkerCrashed => "the database thread has ended".to_owned(),
        sqlx::Error::Tls(tls) => format!("TLS: {tls}"),
        sqlx::Error::Configuration(_) => "the database URL is malformed".to_owned(),
        sqlx::Error::Encode(_) | sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => {
            "a value does not fit its column".to_owned()
        }
        other => other.to_string(),
    }
}

fn ailment(error: &sqlx::Error) -> Option<Ailment> {
    match error {
        sqlx::Error::Database(database) => of_code(&database.code().unwrap_or_default()),
        sqlx::Error::Io(io) => Some(match io.kind() {
            ErrorKind::StorageFull => Ailment::Full,
            ErrorKind::ReadOnlyFilesystem => Ailment::ReadOnly,
            _ => Ailment::Unreachable,
        }),
        sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => Some(Ailment::Unreachable),
        _ => None,
    }
}

/// By SQLite's extended result code (its low byte is the primary one,
/// <https://sqlite.org/rescode.html>), or PostgreSQL's SQLSTATE (its appendix A).
fn of_code(code: &str) -> Option<Ailment> {
    if code.len() == 5 {
        return match code {
            "53100" => Some(Ailment::Full),
            "58030" => Some(Ailment::Disk),
            "25006" => Some(Ailment::ReadOnly),
            "XX001" | "XX002" => Some(Ailment::Damaged),
            "57P01" | "57P02" | "57P03" | "57P05" => Some(Ailment::Unreachable),
            _ if code.starts_with("08") => Some(Ailment::Unreachable),
            _ => None,
        };
    }
    // SQLITE_IOERR_CORRUPTFS.
    const CORRUPT_FS: u32 = 10 | (33 << 8);
    let extended: u32 = code.parse().ok()?;
    match extended & 0xff {
        13 => Some(Ailment::Full),
        // SQLITE_IOERR_SHMSIZE: the index of the log cannot grow.
        _ if extended == 10 | (19 << 8) => Some(Ailment::Full),
        _ if extended == CORRUPT_FS => Some(Ailment::Damaged),
        10 => Some(Ailment::Disk),
        // SQLITE_READONLY, SQLITE_PERM; then SQLITE_CANTOPEN.
        8 | 3 => Some(Ailment::ReadOnly),
        14 => Some(Ailment::Unreachable),
        11 | 26 => Some(Ailment::Damaged),
        _ => None,
    }
}

/// What a migration met.
pub(super) fn migration(error: MigrateError, known: i64) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            unavailable(error)
        }
        MigrateError::VersionMissing(found) if found > known => StoreError::Newer { found, known },
        other => StoreError::Unavailable(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, expected: Option<Ailment>) {
        assert_eq!(of_code(code), expected, "{code}");
    }

    #[test]
    fn codes_of_both_databases() {
        check("13", Some(Ailment::Full));
        check("53100", Some(Ailment::Full));
        // SQLITE_IOERR_FSYNC, SQLITE_IOERR_READ.
        check("1034", Some(Ailment::Disk));
        check("266", Some(Ailment::Disk));
        check("58030", Some(Ailment::Disk));
        check("8458", Some(Ailment::Damaged));
        check("4874", Some(Ailment::Full));
        // SQLITE_READONLY_DIRECTORY.
        check("1544", Some(Ailment::ReadOnly));
        check("25006", Some(Ailment::ReadOnly));
        check("11", Some(Ailment::Damaged));
        check("26", Some(Ailment::Damaged));
        check("XX001", Some(Ailment::Damaged));
        check("57P01", Some(Ailment::Unreachable));
        check("08006", Some(Ailment::Unreachable));
        check("5", None);
        check("22003", None);
        check("", None);
    }

    #[test]
    fn codes_of_values_that_do_not_fit() {
        let check = |code, unfit| assert_eq!(is_unfit(code), unfit, "{code}");
        check("22003", true);
        check("22021", true);
        check("54000", true);
        check("53100", false);
        check("18", true);
        check("20", true);
        check("13", false);
        check("", false);
    }
}
