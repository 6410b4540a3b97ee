//! Peers and their cards.

use raccordo_core::id::NodeId;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::trust::state::TrustChange;
use raccordo_proto::admin::v1 as proto;
use raccordo_proto::admin::v1::trust_service_server::TrustService;
use tonic::{Request, Response, async_trait};

use super::{AdminCalls, administrator};
use crate::api::Answer;
use crate::app::audit::Actor;
use crate::app::fault::{Done, Fault};
use crate::app::init::NewTls;
use crate::app::peers::{self, Peer};
use crate::app::rotate::{self, Order};
use crate::transport::identity::{IdentityError, TlsKey};

#[async_trait]
impl TrustService for AdminCalls {
    async fn export_card(
        &self,
        _: Request<proto::ExportCardRequest>,
    ) -> Answer<proto::ExportCardResponse> {
        let card_file = self.node.identity.card().to_file();
        Ok(Response::new(proto::ExportCardResponse { card_file }))
    }

    async fn add_peer(
        &self,
        request: Request<proto::AddPeerRequest>,
    ) -> Answer<proto::AddPeerResponse> {
        let (actor, asked) = administrator(request)?;
        let card = SignedCard::from_file(&asked.card_file);
        let card = card.map_err(|error| peers::card_fault(&error))?;
        let peer = Some(message(&peers::add(&self.node, actor, card).await?));
        Ok(Response::new(proto::AddPeerResponse { peer }))
    }

    async fn list_peers(
        &self,
        _: Request<proto::ListPeersRequest>,
    ) -> Answer<proto::ListPeersResponse> {
        let peers = peers::list(&self.node).await?.iter().map(message).collect();
        Ok(Response::new(proto::ListPeersResponse { peers }))
    }

    async fn show_peer(
        &self,
        request: Request<proto::ShowPeerRequest>,
    ) -> Answer<proto::ShowPeerResponse> {
        let id = node_id(&request.into_inner().id)?;
        let peer = Some(message(&peers::show(&self.node, &id).await?));
        Ok(Response::new(proto::ShowPeerResponse { peer }))
    }

    async fn verify_peer(
        &self,
        request: Request<proto::VerifyPeerRequest>,
    ) -> Answer<proto::VerifyPeerResponse> {
        let (actor, asked) = administrator(request)?;
        let id = node_id(&asked.id)?;
        let peer = peers::verify(&self.node, actor, &id, &asked.code).await?;
        Ok(Response::new(proto::VerifyPeerResponse { peer: Some(message(&peer)) }))
    }

    async fn suspend_peer(
        &self,
        request: Request<proto::SuspendPeerRequest>,
    ) -> Answer<proto::SuspendPeerResponse> {
        let (actor, asked) = administrator(request)?;
        let peer = self.change(actor, &asked.id, TrustChange::Suspend, &asked.reason).await?;
        Ok(Response::new(proto::SuspendPeerResponse { peer: Some(peer) }))
    }

    async fn revoke_peer(
        &self,
        request: Request<proto::RevokePeerRequest>,
    ) -> Answer<proto::RevokePeerResponse> {
        let (actor, asked) = administrator(request)?;
        let peer = self.change(actor, &asked.id, TrustChange::Revoke, &asked.reason).await?;
        Ok(Response::new(proto::RevokePeerResponse { peer: Some(peer) }))
    }

    async fn rotate_card(
        &self,
        request: Request<proto::RotateCardRequest>,
    ) -> Answer<proto::RotateCardResponse> {
        let (actor, asked) = administrator(request)?;
        let given = |text: String| (!text.is_empty()).then_some(text);
        let tls = (!asked.keep_keys).then(|| self.fresh_tls()).transpose();
        let order = Order {
            tls: tls.map_err(|error| Fault::ours("tls_key", error))?,
            name: given(asked.name),
            ipa_code: given(asked.ipa_code)
                .map(|code| if code == "-" { String::new() } else { code }),
            hub_endpoint: given(asked.hub_endpoint),
            serial: (asked.serial > 0).then_some(asked.serial),
        };
        let card = rotate::rotate(&self.node, actor, order).await?;
        Ok(Response::new(proto::RotateCardResponse {
            card_serial: card.card().serial,
            expires_ms: card.card().valid_until.0,
            card_file: card.to_file(),
        }))
    }
}

impl AdminCalls {
    /// A new key, wrapped for the transport.
    fn fresh_tls(&self) -> Result<NewTls, IdentityError> {
        let signing = IdentityKey::random(&*self.node.entropy);
        let made = TlsKey::for_peers(&self.node.identity.node, &signing)?;
        Ok(NewTls { signing, key: made.pkcs8.reveal().clone(), certificate: made.certificate })
    }

    async fn change(
        &self,
        actor: Actor,
        id: &str,
        change: TrustChange,
        reason: &str,
    ) -> Done<proto::Peer> {
        let peer = peers::change(&self.node, actor, &node_id(id)?, change, reason).await?;
        Ok(message(&peer))
    }
}

fn node_id(text: &str) -> Done<NodeId> {
    Ok(text.parse()?)
}

fn message(peer: &Peer) -> proto::Peer {
    let card = peer.card.card();
    proto::Peer {
        id: peer.row.node.to_string(),
        name: card.name.clone(),
        state: peer.shown_state().to_owned(),
        code: peer.code.clone(),
        card_serial: card.serial,
        expires_ms: card.valid_until.0,
        hub_endpoint: card.hub_endpoint.clone().unwrap_or_default(),
        reason: peer.row.reason.clone(),
        ipa_code: card.ipa_code.clone().unwrap_or_default(),
        vouched_by: peer.vouched_by.iter().map(ToString::to_string).collect(),
    }
}
