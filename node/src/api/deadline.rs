//! How long a caller waits for an answer.

use std::time::Duration;

use tonic::metadata::MetadataMap;

/// Metadata key of the caller's deadline (gRPC over HTTP/2, "Timeout").
const KEY: &str = "grpc-timeout";
/// What is left of the deadline for the answer's way, at least.
const MARGIN_MIN: Duration = Duration::from_millis(50);
/// As above, at most.
const MARGIN_MAX: Duration = Duration::from_secs(1);

/// How long a method may wait so that its answer still arrives in time; none where the
/// caller set no deadline or wrote it in a form that gRPC does not know.
pub fn patience(metadata: &MetadataMap) -> Option<Duration> {
    let limit = parse(metadata.get(KEY)?.to_str().ok()?)?;
    let margin = (limit / 10).clamp(MARGIN_MIN, MARGIN_MAX);
    Some(limit.saturating_sub(margin))
}

/// At most eight digits and a unit.
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let form = (1..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count: u64 = form.then(|| digits.parse().ok()).flatten()?;
    Some(match unit {
        "H" => Duration::from_secs(count.saturating_mul(3600)),
        "M" => Duration::from_secs(count.saturating_mul(60)),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_as_grpc_writes_them() {
        let check = |text, expected| assert_eq!(parse(text), expected, "{text:?}");
        check("2H", Some(Duration::from_secs(7200)));
        check("3M", Some(Duration::from_secs(180)));
        check("30S", Some(Duration::from_secs(30)));
        check("250m", Some(Duration::from_millis(250)));
        check("7u", Some(Duration::from_micros(7)));
        check("99999999n", Some(Duration::from_nanos(99_999_999)));
        check("123456789n", None);
        check("S", None);
        check("", None);
        check("-1S", None);
        check("1s", None);
        check("1é", None);
    }

    #[test]
    fn the_answer_has_time_to_arrive() {
        let check = |text: &str, expected_ms: u64| {
            let mut metadata = MetadataMap::new();
            metadata.insert(KEY, text.parse().unwrap());
            assert_eq!(patience(&metadata), Some(Duration::from_millis(expected_ms)), "{text}");
        };
        check("100S", 99_000);
        check("2S", 1_800);
        check("100m", 50);
        check("10m", 0);
        assert_eq!(patience(&MetadataMap::new()), None);
    }
}
