//! Alerts, deliveries and équipes as messages of `casework/v1`.

use pbjson_types::Timestamp;
use raccordo_core::envelope::{Author, Label};
use raccordo_core::id::NodeId;
use raccordo_core::time::Instant;
use raccordo_proto::alert::v1 as alert_proto;
use raccordo_proto::casework::v1 as proto;

use crate::app::alerts::{AlertHead, AlertView};
use crate::app::delivery::{Delivery, State};
use crate::app::pacts::Standing;
use crate::app::share::Violation;
use crate::app::status::EquipeStatus;
use crate::store::object::ObjectRow;

/// An alert as this node holds it.
pub fn alert(view: AlertView) -> proto::AlertRecord {
    let AlertView { row, equipe, share, author, delivery } = view;
    let (label, body) = share.map(|share| (share.label, share.alert)).unzip();
    proto::AlertRecord {
        body: body.map(|body| alert_proto::Alert { id: String::new(), ..body }),
        label: label.map(self::label),
        author: author.map(self::author),
        ..head(AlertHead { row, equipe, delivery })
    }
}

/// An alert without what it says.
pub fn head(head: AlertHead) -> proto::AlertRecord {
    let AlertHead { row, equipe, delivery } = head;
    proto::AlertRecord {
        id: row.object.to_string(),
        kind: row.kind,
        origin: row.origin.to_string(),
        equipe,
        state: row.state,
        shared_at: Some(timestamp(row.shared_at)),
        received_at: row.received_at.map(timestamp),
        delivery: Some(self::delivery(&delivery)),
        body: None,
        label: None,
        author: None,
        sequence: row.sequence.0,
        end_reason: row.end_reason,
    }
}

/// How far an own alert has come.
pub fn shared(head: &AlertHead) -> proto::SharedAlert {
    proto::SharedAlert {
        id: head.row.object.to_string(),
        delivery: Some(delivery(&head.delivery)),
        sequence: head.row.sequence.0,
        already_shared: false,
    }
}

/// An alert that has just been stored here.
pub fn queued(row: &ObjectRow, members: usize) -> proto::SharedAlert {
    let delivery = proto::Delivery {
        state: proto::DeliveryState::Queued.into(),
        members: count(members),
        ..proto::Delivery::default()
    };
    proto::SharedAlert {
        id: row.object.to_string(),
        delivery: Some(delivery),
        sequence: row.sequence.0,
        already_shared: false,
    }
}

/// One invalid field.
pub fn violation(violation: Violation) -> proto::FieldViolation {
    let Violation { index, error } = violation;
    proto::FieldViolation {
        index: count(index),
        field: error.field,
        reason: error.reason.as_str().to_owned(),
        message: error.message,
    }
}

/// An équipe as operators may know it.
pub fn summary(equipe: &EquipeStatus, pacts: &[Standing]) -> proto::EquipeSummary {
    let pact = pacts.iter().find(|pact| pact.row.lineage == equipe.row.lineage);
    let purposes = pact.map(|pact| pact.proposal.pact.terms().purposes.clone());
    proto::EquipeSummary {
        name: equipe.row.name.clone(),
        lineage: equipe.row.lineage.to_string(),
        members: equipe.members.iter().map(|member| member.node.to_string()).collect(),
        sending: equipe.sending.clone(),
        purposes: purposes.unwrap_or_default(),
    }
}

/// The state on the wire.
pub fn delivery_state(state: State) -> proto::DeliveryState {
    match state {
        State::Queued => proto::DeliveryState::Queued,
        State::Accepted => proto::DeliveryState::Accepted,
        State::Delivered => proto::DeliveryState::Delivered,
        State::Read => proto::DeliveryState::Read,
    }
}

fn delivery(delivery: &Delivery) -> proto::Delivery {
    let refusal = |(member, reason): &(NodeId, String)| proto::MemberRefusal {
        member: member.to_string(),
        reason: reason.clone(),
    };
    proto::Delivery {
        state: delivery_state(delivery.state).into(),
        delivered: count(delivery.delivered),
        members: count(delivery.members),
        read: count(delivery.read),
        refusals: delivery.refusals.iter().map(refusal).collect(),
    }
}

fn label(label: Label) -> alert_proto::Label {
    alert_proto::Label {
        purpose: label.purpose,
        recipient_classes: label.recipient_classes,
        expires_at_ms: label.expires_at.0,
        onward_sharing: label.onward_sharing,
    }
}

fn author(author: Author) -> alert_proto::Author {
    alert_proto::Author {
        operator_id: author.operator.to_string(),
        role: author.role,
        organisation_id: author.organisation.to_string(),
        organisation_class: author.organisation_class,
    }
}

pub(super) fn timestamp(at: Instant) -> Timestamp {
    // Below a second, so that it always fits.
    let nanos = i32::try_from(at.0.rem_euclid(1000) * 1_000_000).unwrap_or_default();
    Timestamp { seconds: at.0.div_euclid(1000), nanos }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub mod tests {
    use raccordo_core::alert::{FieldError, Reason};
    use raccordo_core::envelope::Share;
    use raccordo_core::id::{
        EnvelopeId, LineageId, ObjectId, OperatorId, OrganisationId, Sequence,
    };

    use super::*;

    /// An alert that was received.
    pub fn view() -> AlertView {
        let row = ObjectRow {
            object: ObjectId::try_from([3; 16].as_slice()).unwrap(),
            position: 4,
            lineage: LineageId([1; 16]),
            kind: "case".into(),
            origin: "umbria".parse().unwrap(),
            version: 1,
            state: "active".into(),
            envelope: EnvelopeId([2; 16]),
            sequence: Sequence(7),
            shared_at: Instant(1_500),
            received_at: Some(Instant(2_000)),
            expires_at: Instant(9_000),
            wrapped_key: vec![1],
            sealed_share: vec![2],
            sealed_author: vec![3],
            end_reason: String::new(),
        };
        let label = Label {
            purpose: "protection".into(),
            recipient_classes: vec!["access_point".into()],
            expires_at: Instant(9_000),
            onward_sharing: false,
        };
        let alert = alert_proto::Alert {
            id: row.object.to_string(),
            expires_on: "2026-12-01".into(),
            body: Some(alert_proto::alert::Body::CaseAlert(alert_proto::CaseAlert::default())),
        };
        let author = Author {
            operator: OperatorId::try_from([8; 16].as_slice()).unwrap(),
            role: "frontline".into(),
            organisation: OrganisationId::try_from([9; 16].as_slice()).unwrap(),
            organisation_class: "access_point".into(),
        };
        let delivery = Delivery {
            state: State::Delivered,
            delivered: 2,
            members: 2,
            read: 1,
            refusals: vec![("lazio".parse().unwrap(), "unknown_body".into())],
        };
        let share = Some(Share { label, alert });
        AlertView { row, equipe: "tu".into(), share, author: Some(author), delivery }
    }

    #[test]
    fn a_record_holds_the_body_without_its_id() {
        let record = alert(view());
        let body = record.body.unwrap();
        assert_eq!((body.id.as_str(), body.expires_on.as_str()), ("", "2026-12-01"));
        assert!(body.body.is_some());
        assert_eq!(record.id, "03030303-0303-0303-0303-030303030303");
        assert_eq!(record.label.unwrap().expires_at_ms, 9_000);
        assert_eq!(record.author.unwrap().organisation_class, "access_point");
        assert_eq!((record.sequence, record.state.as_str()), (7, "active"));
        assert_eq!(record.shared_at, Some(Timestamp { seconds: 1, nanos: 500_000_000 }));
        let delivery = record.delivery.unwrap();
        assert_eq!(delivery.state(), proto::DeliveryState::Delivered);
        assert_eq!((delivery.delivered, delivery.members, delivery.read), (2, 2, 1));
        assert_eq!(delivery.refusals[0].member, "lazio");
    }

    #[test]
    fn a_tombstone_has_no_body() {
        let mut ended = AlertView { share: None, author: None, ..view() };
        ended.row.end_reason = "error".into();
        let record = alert(ended);
        assert!(record.body.is_none() && record.label.is_none() && record.author.is_none());
        assert_eq!(record.end_reason, "error");
    }

    #[test]
    fn times_before_1970_round_down() {
        assert_eq!(timestamp(Instant(-1)), Timestamp { seconds: -1, nanos: 999_000_000 });
        assert_eq!(timestamp(Instant(0)), Timestamp { seconds: 0, nanos: 0 });
    }

    #[test]
    fn violations_keep_place_field_and_reason() {
        let error = FieldError {
            field: "caseAlert.ageBand".into(),
            reason: Reason::UnknownCode,
            message: "not in the list".into(),
        };
        let told = violation(Violation { index: 2, error });
        assert_eq!((told.index, told.field.as_str()), (2, "caseAlert.ageBand"));
        assert_eq!(
            (told.reason.as_str(), told.message.as_str()),
            ("unknown_code", "not in the list")
        );
    }

    #[test]
    fn what_was_just_stored_is_queued_to_all() {
        let shared = queued(&view().row, 5);
        let delivery = shared.delivery.unwrap();
        assert_eq!(delivery.state(), proto::DeliveryState::Queued);
        assert_eq!((delivery.delivered, delivery.members), (0, 5));
    }
}
