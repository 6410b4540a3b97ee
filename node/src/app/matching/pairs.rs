//! What this node and each peer share.

use raccordo_core::id::LineageId;

/// Context under which a half is sealed, `own` or `theirs`.
pub(in crate::app) fn context(lineage: LineageId, peer: &str, half: &str) -> String {
    format!("pair/{lineage}/{peer}/{half}")
}
