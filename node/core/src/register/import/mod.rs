//! Records of a file: what its columns mean, and what a line says. Where a file comes from, and
//! how it is taken apart into lines and cells, is not decided here.

mod columns;
mod row;
mod text;

pub use columns::{Columns, Target, tidied};
pub use row::{Row, Rows};
pub use text::{BadTable, Line, lines, separator, windows_1252};

/// Why the columns of a file are no records. No variant holds a header: a file without one
/// begins with somebody's data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// These columns, by number from 1, have no known meaning.
    #[error("columns have no known meaning")]
    Unknown(Vec<usize>),
    /// Something is said of a column that is not there, or twice of one.
    #[error("a mapping names a column that is not there, or two name the same one")]
    NoSuchColumn,
    /// Two columns hold what a record has once.
    #[error("two columns are `{0}`")]
    Twice(&'static str),
    /// No column identifies anybody.
    #[error("no column identifies anybody")]
    Nobody,
}
