//! Sends the e-mail that there is something new. It says nothing else: neither what, nor how
//! much, nor from whom.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::Node;
use crate::app::account::email_notice;
use crate::app::signals::Topic;
use crate::transport::email::Mailer;

/// How often is looked whether somebody is to be told, besides at every change.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Changes within this time are told once.
const TOGETHER: Duration = Duration::from_secs(1);
const SUBJECT: &str = "Raccordo";

/// How people are told.
pub struct EmailNotices {
    /// Who takes the mail.
    pub mailer: Mailer,
    /// Shortest time between two notices to one person.
    pub every: Duration,
    /// Where people open the desk.
    pub desk: String,
}

/// Tells whoever is to be told, until `stop` is cancelled.
pub(super) async fn run(node: Arc<Node>, notices: EmailNotices, stop: CancellationToken) {
    let mut changes = node.signals.listen(Topic::Objects);
    loop {
        let changed = async {
            tokio::select! {
                _ = changes.changed() => tokio::time::sleep(TOGETHER).await,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            changes.mark_unchanged();
        };
        tokio::select! {
            () = changed => {}
            () = stop.cancelled() => return,
        }
        tell(&node, &notices).await;
    }
}

async fn tell(node: &Node, notices: &EmailNotices) {
    let due = match email_notice::due(node, notices.every).await {
        Ok(due) => due,
        Err(fault) => {
            tracing::error!(reason = fault.reason, error = %fault, "cannot see who is to be told");
            return;
        }
    };
    let text = format!(
        "C'è qualcosa di nuovo in Raccordo.\n{desk}\n\n--\nThere is something new in Raccordo.\n",
        desk = notices.desk
    );
    for one in due {
        // The next look tries again.
        if let Err(error) = notices.mailer.send(one.address.reveal(), SUBJECT, &text).await {
            tracing::warn!(%error, "a notice could not be sent");
            continue;
        }
        if let Err(fault) = email_notice::told(node, one).await {
            tracing::error!(reason = fault.reason, error = %fault, "a notice is not noted");
        }
    }
}
