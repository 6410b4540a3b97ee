//! What a failing database says, in the store's words.

use sqlx::migrate::MigrateError;

use crate::store::StoreError;

/// The cause without any bound value: PostgreSQL names values in the class "data
/// exception" (22), of which only the code is passed on.
pub(super) fn unavailable(error: sqlx::Error) -> StoreError {
    let cause = match &error {
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
    };
    StoreError::Unavailable(cause)
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
