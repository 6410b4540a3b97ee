//! Waiting for what other processes do: asks until the answer is there, or a deadline.

use std::time::{Duration, Instant};

use anyhow::bail;

/// Longest wait for what other processes do.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// Between two questions. Nothing rests on its length.
const BETWEEN: Duration = Duration::from_millis(20);

/// Asks until the answer is some; failed questions are asked again.
///
/// # Errors
/// Nothing came of it within [`PATIENCE`]; with the newest failure.
pub async fn until<T>(
    what: &str,
    mut ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let asked = ask().await;
        match asked {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) if Instant::now() > deadline => bail!("waited in vain for {what}"),
            Err(error) if Instant::now() > deadline => {
                return Err(error.context(format!("waited in vain for {what}")));
            }
            Ok(None) | Err(_) => pause().await,
        }
    }
}

/// Waits a little before asking again.
pub async fn pause() {
    tokio::time::sleep(BETWEEN).await;
}
