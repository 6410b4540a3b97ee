//! The équipes of which this node is a member.

use raccordo_proto::admin::v1 as proto;
use raccordo_proto::admin::v1::equipe_service_server::EquipeService;
use tonic::{Request, Response, async_trait};

use super::{AdminCalls, administrator};
use crate::api::Answer;
use crate::app::changes::{self, Wanted};
use crate::app::fault::{Done, Fault};
use crate::app::status::{EquipeStatus, MemberStatus};
use crate::app::{found, pacts, status, succeed, term, update_keys, work};
use crate::store::equipe::AlarmRow;

#[async_trait]
impl EquipeService for AdminCalls {
    async fn create_equipe(
        &self,
        request: Request<proto::CreateEquipeRequest>,
    ) -> Answer<proto::CreateEquipeResponse> {
        let (actor, asked) = administrator(request)?;
        let lineage = found::create(&self.node, actor, &asked.equipe).await?;
        let made = status::equipe(&self.node, &lineage.to_string()).await?;
        let equipe = Some(equipe_status(&made));
        Ok(Response::new(proto::CreateEquipeResponse { equipe }))
    }

    async fn change_membership(
        &self,
        request: Request<proto::ChangeMembershipRequest>,
    ) -> Answer<proto::ChangeMembershipResponse> {
        let (actor, asked) = administrator(request)?;
        let wanted = wanted(asked.change(), &asked.party)?;
        let pending =
            changes::begin(&self.node, actor, &asked.equipe, wanted, &asked.reason).await?;
        let pact = Some(super::pact::change(&self.node, &pending));
        Ok(Response::new(proto::ChangeMembershipResponse { pact }))
    }

    async fn move_hub(
        &self,
        request: Request<proto::MoveHubRequest>,
    ) -> Answer<proto::MoveHubResponse> {
        let (actor, asked) = administrator(request)?;
        let parse = |id: &String| id.parse().map_err(Fault::from);
        let without = asked.without.iter().map(parse).collect::<Done<_>>()?;
        let wanted = term::Wanted { to: parse(&asked.to)?, lost: asked.lost, without };
        let pending = term::begin(&self.node, actor, &asked.equipe, wanted, &asked.reason).await?;
        let pact = Some(super::pact::change(&self.node, &pending));
        Ok(Response::new(proto::MoveHubResponse { pact }))
    }

    async fn succeed_equipe(
        &self,
        request: Request<proto::SucceedEquipeRequest>,
    ) -> Answer<proto::SucceedEquipeResponse> {
        let (actor, asked) = administrator(request)?;
        let parse = |id: &String| id.parse().map_err(Fault::from);
        let without = asked.without.iter().map(parse).collect::<Done<_>>()?;
        let to = Some(&asked.to).filter(|to| !to.is_empty()).map(parse).transpose()?;
        let suite = Some(asked.ciphersuite.as_str()).filter(|name| !name.is_empty());
        let suite = suite.map(pacts::suite).transpose()?;
        let wanted = succeed::Wanted { to, without, suite };
        let pending =
            succeed::begin(&self.node, actor, &asked.equipe, wanted, &asked.reason).await?;
        let pact = Some(super::pact::change(&self.node, &pending));
        Ok(Response::new(proto::SucceedEquipeResponse { pact }))
    }

    async fn update_keys(
        &self,
        request: Request<proto::UpdateKeysRequest>,
    ) -> Answer<proto::UpdateKeysResponse> {
        let (actor, asked) = administrator(request)?;
        update_keys::update_keys(&self.node, actor, &asked.equipe).await?;
        Ok(Response::new(proto::UpdateKeysResponse {}))
    }

    async fn list_equipes(
        &self,
        _: Request<proto::ListEquipesRequest>,
    ) -> Answer<proto::ListEquipesResponse> {
        let told = status::status(&self.node).await?;
        let equipes = told.equipes.iter().map(equipe_status).collect();
        Ok(Response::new(proto::ListEquipesResponse { equipes }))
    }

    async fn show_equipe(
        &self,
        request: Request<proto::ShowEquipeRequest>,
    ) -> Answer<proto::ShowEquipeResponse> {
        let told = status::equipe(&self.node, &request.into_inner().equipe).await?;
        let pact = work::open_pact(&self.node, &told.row)?.summary();
        let equipe = Some(equipe_status(&told));
        Ok(Response::new(proto::ShowEquipeResponse { equipe, pact }))
    }
}

fn wanted(change: proto::MembershipChange, party: &str) -> Done<Wanted> {
    use proto::MembershipChange as Asked;
    Ok(match change {
        Asked::Remove => Wanted::Remove(party.parse()?),
        Asked::Leave => Wanted::Leave,
        Asked::Suspend => Wanted::Suspend(party.parse()?),
        Asked::Ratify => Wanted::Ratify(party.parse()?),
        Asked::Return => Wanted::Return(party.parse()?),
        Asked::Unspecified => {
            return Err(Fault::usage("malformed", "no change is named")
                .hint("remove, leave, suspend, ratify or return"));
        }
    })
}

/// An équipe as status shows it.
pub fn equipe_status(told: &EquipeStatus) -> proto::EquipeStatus {
    let row = &told.row;
    proto::EquipeStatus {
        name: row.name.clone(),
        lineage: row.lineage.to_string(),
        group_id: row.group.to_string(),
        epoch: row.epoch.0,
        authenticator: hex::encode(&row.authenticator),
        sequence: row.sequence.0,
        head: row.head.to_string(),
        statement_version: told.statement_version,
        members: told.members.iter().map(member_status).collect(),
        hub: Some(proto::HubStatus {
            id: row.hub.to_string(),
            term: told.term,
            connected: told.link.connected,
            lag: told.lag,
            problem: told.link.told(),
        }),
        outbox: told.outbox,
        set_aside: told.set_aside,
        sending: told.sending.clone(),
        alarms: told.alarms.iter().map(AlarmRow::words).collect(),
        state: row.state.clone(),
        next: told.next.clone(),
        keys: told.keys.iter().map(super::keys::key_status).collect(),
    }
}

fn member_status(member: &MemberStatus) -> proto::MemberStatus {
    proto::MemberStatus {
        id: member.node.to_string(),
        trust: member.trust.to_owned(),
        delivered_sequence: member.delivered.0,
        last_seen_ms: member.last_seen.0,
        joined: member.joined,
        silent: member.silent,
    }
}

#[cfg(test)]
mod tests {
    use raccordo_core::alarm::AlarmCode;
    use raccordo_core::id::{Digest, Epoch, GroupId, LineageId, Sequence};
    use raccordo_core::time::Instant;

    use super::*;
    use crate::app::alarms::NewAlarm;
    use crate::app::status::Link;
    use crate::store::equipe::EquipeRow;

    fn told() -> EquipeStatus {
        let lineage = LineageId([1; 16]);
        let row = EquipeRow {
            lineage,
            name: "tu".into(),
            group: GroupId([2; 32]),
            suite: 1,
            state: "active".into(),
            version: 7,
            statement: Vec::new(),
            sealed_pact: Vec::new(),
            hub: "relay".parse().unwrap(),
            sequence: Sequence(12),
            head: Digest([3; 32]),
            accepted_at: Instant(5),
            epoch: Epoch(4),
            authenticator: vec![0xab, 0xcd],
            checkpoint: Vec::new(),
            checkpoint_signature: Vec::new(),
            next_number: 1,
            receipt_due: Sequence(0),
            receipt_sent: Sequence(0),
        };
        let member = MemberStatus {
            node: "umbria".parse().unwrap(),
            trust: "verified",
            delivered: Sequence(11),
            last_seen: Instant(9),
            joined: true,
            silent: true,
        };
        EquipeStatus {
            row,
            statement_version: 2,
            members: vec![member],
            term: 3,
            link: Link { problem: "refused".into(), hint: "wait".into(), ..Link::default() },
            lag: 5,
            outbox: 6,
            set_aside: 8,
            sending: "held: founding".into(),
            alarms: vec![NewAlarm::new(AlarmCode::LogForked, "seen").row(lineage, Instant(5))],
            next: "wait".into(),
            keys: Vec::new(),
        }
    }

    #[test]
    fn a_status_is_told_in_full() {
        let message = equipe_status(&told());
        assert_eq!(message.authenticator, "abcd");
        assert_eq!(message.head, "03".repeat(32));
        assert_eq!(message.lineage, "01".repeat(16));
        assert_eq!((message.epoch, message.sequence, message.statement_version), (4, 12, 2));
        assert_eq!((message.outbox, message.set_aside, message.state.as_str()), (6, 8, "active"));
        assert_eq!(
            (message.next.as_str(), &message.alarms[..]),
            ("wait", &["log_forked: seen".to_owned()][..])
        );
        let hub = message.hub.unwrap();
        assert_eq!((hub.id.as_str(), hub.term, hub.lag, hub.connected), ("relay", 3, 5, false));
        assert_eq!(hub.problem, "refused: wait");
        let member = &message.members[0];
        assert_eq!((member.id.as_str(), member.trust.as_str()), ("umbria", "verified"));
        assert_eq!((member.delivered_sequence, member.last_seen_ms), (11, 9));
        assert!(member.joined && member.silent);
    }
}
