//! What nodes ask of this node as their hub. The caller is whoever's pinned key the
//! connection proved; no message names it.

mod convert;

use std::sync::Arc;

use futures::{Stream, stream};
use raccordo_core::id::NodeId;
use raccordo_core::number::NUMBER_MAX;
use raccordo_core::wire;
use raccordo_proto::hub::v1 as proto;
use raccordo_proto::hub::v1::hub_service_server::HubService;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, async_trait};

use super::{Answer, Answers, stopping};
use crate::app::Node;
use crate::app::fault::{Done, Fault, Whose};
use crate::app::hub::follow::Following;
use crate::app::hub::{
    append, confirm, found_group, key_package_pool, mailbox, offer, restored, seed,
};
use crate::app::successor::MAIL_KIND;
use crate::transport::stream::PeerInfo;
use convert::{bytes, cursors, node_id};

/// The service `raccordo.hub.v1.HubService`.
pub struct HubCalls {
    node: Arc<Node>,
    stop: CancellationToken,
}

impl HubCalls {
    /// Serves until `stop` is cancelled, which ends the subscriptions.
    pub fn new(node: Arc<Node>, stop: CancellationToken) -> Self {
        Self { node, stop }
    }
}

/// Who calls, by the pinned key, and whether its card has expired.
fn anybody<T>(request: &Request<T>) -> Done<(NodeId, bool)> {
    let info = request.extensions().get::<PeerInfo>();
    info.map(|info| (info.node.clone(), info.expired)).ok_or_else(|| {
        let message = "the caller showed no trusted key";
        Fault::new(Whose::Unauthenticated, "no_peer", message)
    })
}

/// The same where an expired card is not enough.
fn caller<T>(request: &Request<T>) -> Done<NodeId> {
    match anybody(request)? {
        (node, false) => Ok(node),
        (_, true) => Err(expired()),
    }
}

fn expired() -> Fault {
    Fault::refused("card_expired", "the caller's card has expired: it may only deliver a new one")
        .hint("raccordo trust rotate; made after the end it is added and verified by phone again")
}

/// After every item of every mailbox.
const NO_MAIL: u64 = NUMBER_MAX;

/// The items, until the first fault or this node's end.
fn told(
    following: Following,
    stop: CancellationToken,
) -> impl Stream<Item = Result<proto::SubscribeResponse, Status>> + Send {
    stream::try_unfold((following, stop), |(mut following, stop)| async move {
        let item = tokio::select! {
            item = following.next() => item?,
            () = stop.cancelled() => return Err(stopping().into()),
        };
        Ok(Some((wire::hub::news_message(item), (following, stop))))
    })
}

#[async_trait]
impl HubService for HubCalls {
    async fn append(
        &self,
        request: Request<proto::AppendRequest>,
    ) -> Answer<proto::AppendResponse> {
        let caller = caller(&request)?;
        let proto::AppendRequest { group_id, entries } = request.into_inner();
        let group = bytes(&group_id, "group_id")?;
        let entries = entries.into_iter().map(convert::handed).collect::<Done<Vec<_>>>()?;
        let appended = append::append(&self.node, &caller, group, entries).await?;
        Ok(Response::new(wire::hub::appended_message(&appended)))
    }

    type SubscribeStream = Answers<proto::SubscribeResponse>;

    async fn subscribe(
        &self,
        request: Request<proto::SubscribeRequest>,
    ) -> Answer<Self::SubscribeStream> {
        let (caller, expired) = anybody(&request)?;
        let proto::SubscribeRequest { groups, mailbox_cursor, checkpoints } = request.into_inner();
        // With an expired card there are only signs of life, on which a new card can come.
        let (groups, mailbox_cursor) = match expired {
            true => (Vec::new(), NO_MAIL),
            false => (cursors(&groups)?, convert::mailbox_cursor(mailbox_cursor)?),
        };
        if !expired {
            let checkpoints = convert::checkpoints(&checkpoints)?;
            restored::shown(&self.node, &caller, &checkpoints).await?;
        }
        let following = Following::new(self.node.clone(), caller, groups, mailbox_cursor)?;
        Ok(Response::new(Box::pin(told(following, self.stop.clone()))))
    }

    async fn confirm(
        &self,
        request: Request<proto::ConfirmRequest>,
    ) -> Answer<proto::ConfirmResponse> {
        let caller = caller(&request)?;
        let proto::ConfirmRequest { groups, mailbox_cursor } = request.into_inner();
        let groups = cursors(&groups)?;
        let mailbox_cursor = convert::mailbox_cursor(mailbox_cursor)?;
        confirm::confirm(&self.node, &caller, &groups, mailbox_cursor).await?;
        Ok(Response::new(proto::ConfirmResponse {}))
    }

    async fn offer_equipe(
        &self,
        request: Request<proto::OfferEquipeRequest>,
    ) -> Answer<proto::OfferEquipeResponse> {
        let caller = caller(&request)?;
        let offered = convert::offer(&request.into_inner())?;
        let state = offer::offer(&self.node, &caller, offered).await?;
        Ok(Response::new(proto::OfferEquipeResponse { state }))
    }

    async fn found_group(
        &self,
        request: Request<proto::FoundGroupRequest>,
    ) -> Answer<proto::FoundGroupResponse> {
        let caller = caller(&request)?;
        let proto::FoundGroupRequest { group_id, lineage, group_info } = request.into_inner();
        let (lineage, group) = (bytes(&lineage, "lineage")?, bytes(&group_id, "group_id")?);
        found_group::found_group(&self.node, &caller, lineage, group, group_info).await?;
        Ok(Response::new(proto::FoundGroupResponse {}))
    }

    async fn seed_group(
        &self,
        request: Request<proto::SeedGroupRequest>,
    ) -> Answer<proto::SeedGroupResponse> {
        let caller = caller(&request)?;
        let page = convert::seed(request.into_inner())?;
        let seeded = seed::seed(&self.node, &caller, page).await?;
        Ok(Response::new(wire::seed::seeded_message(seeded)))
    }

    async fn deposit_key_packages(
        &self,
        request: Request<proto::DepositKeyPackagesRequest>,
    ) -> Answer<proto::DepositKeyPackagesResponse> {
        let caller = caller(&request)?;
        let deposits = convert::deposits(request.into_inner())?;
        let single_use = key_package_pool::deposit(&self.node, &caller, deposits).await?;
        Ok(Response::new(proto::DepositKeyPackagesResponse { single_use }))
    }

    async fn claim_key_packages(
        &self,
        request: Request<proto::ClaimKeyPackagesRequest>,
    ) -> Answer<proto::ClaimKeyPackagesResponse> {
        let caller = caller(&request)?;
        let asked = request.into_inner();
        let lineage = bytes(&asked.lineage, "lineage")?;
        let suite = convert::suite(asked.ciphersuite)?;
        let parties = convert::parties(&asked.parties)?;
        let claimed =
            key_package_pool::claim(&self.node, &caller, lineage, suite, &parties).await?;
        Ok(Response::new(convert::claim_response(claimed)))
    }

    async fn fetch_tree(
        &self,
        request: Request<proto::FetchTreeRequest>,
    ) -> Answer<proto::FetchTreeResponse> {
        let caller = caller(&request)?;
        let proto::FetchTreeRequest { group_id, epoch } = request.into_inner();
        let group = bytes(&group_id, "group_id")?;
        let epoch = convert::tree_epoch(epoch)?;
        let ratchet_tree = key_package_pool::fetch_tree(&self.node, &caller, group, epoch).await?;
        Ok(Response::new(proto::FetchTreeResponse { ratchet_tree }))
    }

    async fn post(&self, request: Request<proto::PostRequest>) -> Answer<proto::PostResponse> {
        let (caller, is_expired) = anybody(&request)?;
        let proto::PostRequest { recipient, item_id, kind, payload } = request.into_inner();
        if is_expired && kind != MAIL_KIND {
            return Err(expired().into());
        }
        let recipient = node_id(&recipient, "recipient")?;
        let item = bytes(&item_id, "item_id")?;
        mailbox::post(&self.node, &caller, &recipient, item, &kind, payload).await?;
        Ok(Response::new(proto::PostResponse {}))
    }
}
