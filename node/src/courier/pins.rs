//! Keeps the transport's trusted keys equal to the trust list.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::fault::Done;
use crate::app::signals::Topic;
use crate::app::{Node, peers};
use crate::transport::identity::TlsIdentity;
use crate::transport::pin::TrustedPins;

/// How often is looked without a signal: cards expire.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Makes the trusted keys what the trust list says now.
///
/// # Errors
/// The store's; the keys then stay as they were.
pub async fn refresh(node: &Node, trusted: &TrustedPins) -> Done<()> {
    trusted.replace_all(&peers::trusted_pins(node).await?, &peers::expired_pins(node).await?);
    Ok(())
}

/// Follows the trust list, and this node's own cards, until told to stop.
pub(super) async fn run(
    node: Arc<Node>,
    identity: TlsIdentity,
    trusted: TrustedPins,
    stop: CancellationToken,
) {
    let mut changed = node.signals.listen(Topic::Trust);
    loop {
        if let Err(fault) = refresh(&node, &trusted).await {
            tracing::error!(reason = fault.reason, "trusted keys cannot be read");
        }
        let newest = node.identity.newest();
        if let Err(error) = identity.renew(&newest.tls_key, &newest.tls_certificate) {
            tracing::error!(%error, "the new TLS key cannot be used");
        }
        tokio::select! {
            _ = changed.changed() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = stop.cancelled() => return,
        }
    }
}
