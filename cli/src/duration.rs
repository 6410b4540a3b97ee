//! Spans of time as people write them: `30s`, `2m`, `500ms`, `1h`.

use std::time::Duration;

/// Reads a whole number with its unit: `ms`, `s`, `m` or `h`.
///
/// # Errors
/// A sentence for the command line when the text is anything else or too large.
pub fn parse(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let number: u64 = digits.parse().map_err(|_| explain(text))?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(explain(text)),
    };
    number.checked_mul(factor).map(Duration::from_millis).ok_or_else(|| explain(text))
}

/// The largest unit in which the span is a whole number.
pub fn show(span: Duration) -> String {
    let millis = span.as_millis();
    match millis {
        0 => "0s".to_owned(),
        _ if millis.is_multiple_of(3_600_000) => format!("{}h", millis / 3_600_000),
        _ if millis.is_multiple_of(60_000) => format!("{}m", millis / 60_000),
        _ if millis.is_multiple_of(1_000) => format!("{}s", millis / 1_000),
        _ => format!("{millis}ms"),
    }
}

fn explain(text: &str) -> String {
    format!("`{text}` is no span of time; write for example 500ms, 30s, 2m or 1h")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, millis: Option<u64>) {
        assert_eq!(parse(text).ok(), millis.map(Duration::from_millis), "{text}");
    }

    #[test]
    fn units() {
        check("500ms", Some(500));
        check("30s", Some(30_000));
        check("2m", Some(120_000));
        check("1h", Some(3_600_000));
        check("0s", Some(0));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "1.5s",
            "30 s",
            "1d",
            "99999999999999999999s",
            "9999999999999999999h",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn shown_as_written() {
        for text in ["500ms", "30s", "2m", "1h", "0s", "90s"] {
            assert_eq!(show(parse(text).unwrap()), text);
        }
    }
}
