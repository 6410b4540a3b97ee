//! Who the managers of a linked match are.

use raccordo_core::id::OperatorId;
use raccordo_core::matching::life::MatchId;

/// Context under which the counterpart's manager is sealed.
pub(in crate::app) fn context(id: MatchId) -> String {
    format!("match-contact/{id}")
}

/// Context under which an operator's phone is sealed.
pub(in crate::app) fn phone_context(operator: OperatorId) -> String {
    format!("operator-phone/{operator}")
}
