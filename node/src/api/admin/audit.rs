//! The audit chain, and the proofs against hubs.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::{Stream, stream};
use raccordo_core::audit::AuditRecord;
use raccordo_proto::admin::v1 as proto;
use raccordo_proto::admin::v1::audit_service_server::AuditService;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, async_trait};

use super::{AdminCalls, administrator};
use crate::api::{Answer, Answers};
use crate::app::Node;
use crate::app::audit_chain::{note_export, page, verify_against, verify_chain};
use crate::app::fault::{Done, Fault};
use crate::app::{audit_heads, honesty};

/// Heads that one call holds against the chain.
const HEADS_MAX: usize = 5_000;

#[async_trait]
impl AuditService for AdminCalls {
    async fn verify_audit(
        &self,
        request: Request<proto::VerifyAuditRequest>,
    ) -> Answer<proto::VerifyAuditResponse> {
        let heads = request.into_inner().heads;
        if heads.len() > HEADS_MAX {
            let message = format!("at most {HEADS_MAX} heads are held against the chain at once");
            return Err(Fault::refused("too_many_heads", message).into());
        }
        let (head, borne_out, passed_over) = match heads.as_slice() {
            [] => (verify_chain(&self.node).await?, 0, 0),
            heads => {
                let held = verify_against(&self.node, heads).await?;
                (held.head, held.borne_out, held.passed_over)
            }
        };
        let (records, head) = (head.sequence, head.hash.to_string());
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (borne_out, passed_over) = (count(borne_out), count(passed_over));
        Ok(Response::new(proto::VerifyAuditResponse { records, head, borne_out, passed_over }))
    }

    type ExportAuditHeadsStream = Answers<proto::ExportAuditHeadsResponse>;

    async fn export_audit_heads(
        &self,
        request: Request<proto::ExportAuditHeadsRequest>,
    ) -> Answer<Self::ExportAuditHeadsStream> {
        let of = request.into_inner().node;
        let of = match of.as_str() {
            "" => None,
            of => Some(of.parse().map_err(Fault::from)?),
        };
        let lines = audit_heads::export(&self.node, of.as_ref()).await?;
        let answer = |line| Ok::<_, Status>(proto::ExportAuditHeadsResponse { line });
        let lines: Vec<_> = lines.into_iter().map(answer).collect();
        Ok(Response::new(Box::pin(stream::iter(lines))))
    }

    async fn export_proofs(
        &self,
        request: Request<proto::ExportProofsRequest>,
    ) -> Answer<proto::ExportProofsResponse> {
        let (actor, asked) = administrator(request)?;
        let proofs = honesty::export(&self.node, actor, &asked.equipe).await?;
        Ok(Response::new(proto::ExportProofsResponse { proofs }))
    }

    type ExportAuditStream = Answers<proto::ExportAuditResponse>;

    async fn export_audit(
        &self,
        request: Request<proto::ExportAuditRequest>,
    ) -> Answer<Self::ExportAuditStream> {
        let (actor, _) = administrator(request)?;
        note_export(&self.node, actor).await?;
        let export = Export {
            node: self.node.clone(),
            stop: self.stop.clone(),
            after: 0,
            ready: VecDeque::new(),
        };
        Ok(Response::new(Box::pin(export.stream())))
    }
}

/// An export under way; it reads when the transport has room for more.
struct Export {
    node: Arc<Node>,
    stop: CancellationToken,
    /// Place of the newest record read.
    after: u64,
    ready: VecDeque<AuditRecord>,
}

impl Export {
    fn stream(self) -> impl Stream<Item = Result<proto::ExportAuditResponse, Status>> + Send {
        stream::try_unfold(self, |mut export| async move {
            let line = export.next().await?;
            Ok(line.map(|line| (proto::ExportAuditResponse { line }, export)))
        })
    }

    async fn next(&mut self) -> Done<Option<String>> {
        if self.stop.is_cancelled() {
            return Err(crate::api::stopping());
        }
        if self.ready.is_empty() {
            self.ready = page(&self.node, self.after).await?.into();
        }
        let Some(record) = self.ready.pop_front() else { return Ok(None) };
        self.after = record.sequence;
        let line = record.to_line().map_err(|cause| Fault::ours("audit_line", cause))?;
        Ok(Some(line))
    }
}
