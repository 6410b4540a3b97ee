//! Keys for tokens: shown, and replaced.

use raccordo_proto::admin::v1 as proto;
use raccordo_proto::admin::v1::key_service_server::KeyService;
use tonic::{Request, Response, async_trait};

use super::{AdminCalls, administrator};
use crate::api::Answer;
use crate::app::pseudonym::rekey;
use crate::app::pseudonym::show::{self, CeremonyStatus, KeyStatus};

#[async_trait]
impl KeyService for AdminCalls {
    async fn show_keys(
        &self,
        request: Request<proto::ShowKeysRequest>,
    ) -> Answer<proto::ShowKeysResponse> {
        let shown = show::show(&self.node, &request.into_inner().equipe).await?;
        let keys = shown.iter().map(key_status).collect();
        Ok(Response::new(proto::ShowKeysResponse { keys }))
    }

    async fn replace_keys(
        &self,
        request: Request<proto::ReplaceKeysRequest>,
    ) -> Answer<proto::ReplaceKeysResponse> {
        let (actor, asked) = administrator(request)?;
        let request = rekey::rekey(&self.node, actor, &asked.equipe).await?;
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Response::new(proto::ReplaceKeysResponse {
            from_ms: request.from.0,
            asked: count(request.asked),
            needed: count(request.needed),
        }))
    }
}

/// The key of a class as status shows it.
pub(super) fn key_status(key: &KeyStatus) -> proto::KeyStatus {
    proto::KeyStatus {
        class: key.class.name().to_owned(),
        key_epoch: key.key_epoch,
        generation: key.generation,
        threshold: u32::from(key.threshold),
        holders: key.holders.iter().map(ToString::to_string).collect(),
        own_share: key.own_share,
        since_ms: key.since.0,
        renewal: key.renewal.clone(),
        ceremony: key.ceremony.as_ref().map(ceremony),
        used: key.used,
        limit: key.limit,
        records_wanted: key.wanted,
        records_asked: key.asked,
        renewal_asked: key.renewal_asked,
        asked_by: key.asked_by.iter().map(ToString::to_string).collect(),
        asked_needed: u32::try_from(key.asked_needed).unwrap_or(u32::MAX),
    }
}

fn ceremony(told: &CeremonyStatus) -> proto::KeyCeremony {
    let faults = told.faults.iter();
    proto::KeyCeremony {
        state: told.state.clone(),
        phase: told.phase.to_owned(),
        until_ms: told.until.0,
        missing: told.missing.iter().map(ToString::to_string).collect(),
        faults: faults.map(|(node, why)| (node.to_string(), (*why).to_owned())).collect(),
        failure: told.failure.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use raccordo_core::pseudonym::key::Class;
    use raccordo_core::time::Instant;

    use super::*;

    #[test]
    fn a_key_is_told_in_full() {
        let umbria: raccordo_core::id::NodeId = "umbria".parse().unwrap();
        let message = key_status(&KeyStatus {
            class: Class::Company,
            key_epoch: 1,
            generation: 2,
            threshold: 3,
            holders: vec![umbria.clone()],
            own_share: true,
            since: Instant(4),
            renewal: "lost".into(),
            renewal_asked: true,
            asked_by: [umbria.clone()].into(),
            asked_needed: 2,
            ceremony: Some(CeremonyStatus {
                state: "running".into(),
                phase: "dealing",
                until: Instant(5),
                missing: vec![umbria.clone()],
                faults: BTreeMap::from([(umbria, "dealing_proof")]),
                failure: "none".into(),
            }),
            limit: 6,
            used: 7,
            wanted: 8,
            asked: 9,
        });
        assert_eq!((message.class.as_str(), message.own_share), ("company", true));
        assert_eq!((message.key_epoch, message.generation, message.threshold), (1, 2, 3));
        assert_eq!((message.limit, message.used), (6, 7));
        assert_eq!((message.records_wanted, message.records_asked), (8, 9));
        assert_eq!((message.since_ms, message.renewal.as_str()), (4, "lost"));
        assert_eq!((message.renewal_asked, message.asked_needed), (true, 2));
        assert_eq!(message.asked_by, ["umbria"]);
        assert_eq!(message.holders, ["umbria"]);
        let ceremony = message.ceremony.unwrap();
        assert_eq!((ceremony.state.as_str(), ceremony.phase.as_str()), ("running", "dealing"));
        assert_eq!((ceremony.until_ms, ceremony.failure.as_str()), (5, "none"));
        assert_eq!(ceremony.missing, ["umbria"]);
        assert_eq!(ceremony.faults["umbria"], "dealing_proof");
    }
}
