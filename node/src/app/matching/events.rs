//! Events of matches.

use raccordo_core::id::EnvelopeId;

/// Context under which an own event is sealed until the log shows it.
pub(in crate::app) fn context(envelope: EnvelopeId) -> String {
    format!("match-event/{envelope}")
}
