//! Numbers of callers, bounded where a call is read.

use raccordo_core::number;

use crate::app::fault::{Done, Fault};

/// The number of a field.
///
/// # Errors
/// `out_of_range` above [`number::NUMBER_MAX`].
pub fn bounded(told: u64, field: &str) -> Done<u64> {
    number::bounded(told).ok_or_else(|| {
        Fault::usage("out_of_range", format!("the number {field} is out of range"))
            .hint(format!("at most {}", number::NUMBER_MAX))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_bound_the_field_is_named() {
        assert_eq!(bounded(number::NUMBER_MAX, "line"), Ok(number::NUMBER_MAX));
        let fault = bounded(1 << 63, "line").unwrap_err();
        assert_eq!((fault.reason, fault.message.contains("line")), ("out_of_range", true));
    }
}
