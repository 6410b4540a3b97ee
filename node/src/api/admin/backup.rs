//! Backups.

use futures::{Stream, stream};
use raccordo_core::backup::{BackupKey, Costs};
use raccordo_core::secret::Secret;
use raccordo_proto::admin::v1 as proto;
use raccordo_proto::admin::v1::backup_service_server::BackupService;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, async_trait};

use super::{AdminCalls, administrator};
use crate::api::{Answer, Answers};
use crate::app::backup::create::Backup;
use crate::app::fault::{Done, Fault};

#[async_trait]
impl BackupService for AdminCalls {
    type CreateBackupStream = Answers<proto::CreateBackupResponse>;

    async fn create_backup(
        &self,
        request: Request<proto::CreateBackupRequest>,
    ) -> Answer<Self::CreateBackupStream> {
        let (actor, asked) = administrator(request)?;
        let key = derive(self, Secret::new(asked.passphrase)).await?;
        let backup = Backup::begin(self.node.clone(), actor, &key).await?;
        let pieces = Pieces { backup, stop: self.stop.clone() };
        Ok(Response::new(Box::pin(pieces.stream())))
    }
}

/// Deriving takes a good part of a second, and stops nobody else.
async fn derive(calls: &AdminCalls, passphrase: Secret<String>) -> Done<BackupKey> {
    let entropy = calls.node.entropy.clone();
    let derived = tokio::task::spawn_blocking(move || {
        BackupKey::new(&*entropy, &passphrase, Costs::RECOMMENDED)
    });
    let derived = derived.await.map_err(|cause| Fault::ours("backup_key", cause))?;
    Ok(derived?)
}

/// A backup under way; it reads when the transport has room for more.
struct Pieces {
    backup: Backup,
    stop: CancellationToken,
}

impl Pieces {
    fn stream(self) -> impl Stream<Item = Result<proto::CreateBackupResponse, Status>> + Send {
        stream::try_unfold(self, |mut pieces| async move {
            let bytes = pieces.next().await?;
            Ok(bytes.map(|bytes| (proto::CreateBackupResponse { bytes }, pieces)))
        })
    }

    async fn next(&mut self) -> Done<Option<Vec<u8>>> {
        if self.stop.is_cancelled() {
            return Err(crate::api::stopping());
        }
        self.backup.next().await
    }
}
