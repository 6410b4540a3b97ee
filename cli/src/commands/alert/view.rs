//! Alerts as JSON and as text.

use raccordo_proto::casework::v1::{AlertRecord, Delivery, DeliveryState, SharedAlert};
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::output::{Output, Tone};

/// A line of `alert share`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SharedView {
    id: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
}

impl From<&SharedAlert> for SharedView {
    fn from(shared: &SharedAlert) -> Self {
        let sequence = (shared.sequence != 0).then_some(shared.sequence);
        Self { id: shared.id.clone(), state: state_word(shared.delivery.as_ref()), sequence }
    }
}

/// An alert as `alert list` shows it.
#[derive(Debug, Serialize)]
pub struct AlertView {
    /// UUID.
    pub id: String,
    /// `case` or `company`.
    pub kind: String,
    /// Node id.
    pub origin: String,
    /// Name.
    pub equipe: String,
    /// `active`, `withdrawn` or `expired`.
    pub state: String,
    /// RFC 3339; received alerts only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_at: Option<String>,
    /// How far it has come.
    pub delivery: Option<DeliveryView>,
    /// Canonical JSON without `id`; null once the alert has ended.
    pub body: Value,
}

/// How far an alert has come.
#[derive(Debug, Serialize)]
pub struct DeliveryView {
    state: &'static str,
    delivered: u32,
    members: u32,
}

/// An alert as `alert show` shows it.
#[derive(Debug, Serialize)]
pub struct AlertDetail {
    /// As in the list.
    #[serde(flatten)]
    pub alert: AlertView,
    shared_at: Option<String>,
    sequence: Option<u64>,
    read: u32,
    refusals: Vec<RefusalView>,
    label: Option<Value>,
    author: Option<Value>,
    end_reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct RefusalView {
    member: String,
    reason: String,
}

impl AlertView {
    /// Takes a record as the node holds it.
    ///
    /// # Errors
    /// The body has no JSON form.
    pub fn of(record: AlertRecord) -> Result<Self, Failure> {
        let body = record.body.map(|mut body| {
            body.id.clear();
            json(&body)
        });
        Ok(Self {
            id: record.id,
            kind: record.kind,
            origin: record.origin,
            equipe: record.equipe,
            state: record.state,
            received_at: record.received_at.and_then(|time| rfc3339(time.seconds, time.nanos)),
            delivery: record.delivery.as_ref().map(DeliveryView::from),
            body: body.transpose()?.unwrap_or(Value::Null),
        })
    }

    /// The delivery in words; none of received ones, whose origin follows it.
    pub fn delivery_words(&self) -> Option<String> {
        let own = self.received_at.is_none();
        self.delivery.as_ref().filter(|_| own).map(DeliveryView::words)
    }
}

impl From<&Delivery> for DeliveryView {
    fn from(delivery: &Delivery) -> Self {
        let Delivery { delivered, members, .. } = *delivery;
        Self { state: state_word(Some(delivery)), delivered, members }
    }
}

impl DeliveryView {
    fn words(&self) -> String {
        let Self { state, delivered, members } = self;
        match *state {
            "delivered" => format!("delivered {delivered} of {members}"),
            other => format!("{other}, delivered {delivered} of {members}"),
        }
    }
}

impl AlertDetail {
    /// Takes a record as the node holds it.
    ///
    /// # Errors
    /// A part has no JSON form.
    pub fn of(mut record: AlertRecord) -> Result<Self, Failure> {
        let delivery = record.delivery.clone().unwrap_or_default();
        let refusals = delivery.refusals.into_iter();
        let end_reason = std::mem::take(&mut record.end_reason);
        Ok(Self {
            shared_at: record.shared_at.take().and_then(|time| rfc3339(time.seconds, time.nanos)),
            sequence: (record.sequence != 0).then_some(record.sequence),
            read: delivery.read,
            refusals: refusals
                .map(|refusal| RefusalView { member: refusal.member, reason: refusal.reason })
                .collect(),
            label: record.label.take().map(|label| json(&label)).transpose()?,
            author: record.author.take().map(|author| json(&author)).transpose()?,
            end_reason: (!end_reason.is_empty()).then_some(end_reason),
            alert: AlertView::of(record)?,
        })
    }

    /// The alert for people.
    pub fn describe(&self, out: &Output) -> String {
        let AlertView { id, kind, origin, equipe, state, received_at, body, .. } = &self.alert;
        let state = out.paint(state, Tone::of(state));
        let mut text = format!("{id}  {kind}  {state}\nfrom {origin} in {equipe}\n");
        let mut line = |label: &str, value: Option<String>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                text.push_str(&format!("{label} {value}\n"));
            }
        };
        line("shared", self.shared_at.clone());
        line("received", received_at.clone());
        line("delivery:", self.alert.delivery_words());
        line("ended:", self.end_reason.clone());
        for RefusalView { member, reason } in &self.refusals {
            line("not processed by", Some(format!("{member}: {reason}")));
        }
        for (_, fields) in body.as_object().into_iter().flatten() {
            text.push_str(&body_lines(fields));
        }
        text
    }
}

fn body_lines(fields: &Value) -> String {
    let mut text = String::from("\n");
    for (name, value) in fields.as_object().into_iter().flatten() {
        let shown = match value {
            Value::String(one) => one.clone(),
            Value::Array(many) if name == "tags" => format!("{} tags", many.len()),
            Value::Array(many) => {
                let words =
                    many.iter().map(|one| one.as_str().map_or(one.to_string(), str::to_owned));
                words.collect::<Vec<_>>().join(", ")
            }
            other => other.to_string(),
        };
        text.push_str(&format!("  {name:<20} {shown}\n"));
    }
    text
}

fn json(message: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(message)
        .map_err(|error| Failure::internal(format!("cannot show the alert: {error}")))
}

/// The word for how far an alert has come.
fn state_word(delivery: Option<&Delivery>) -> &'static str {
    match delivery.map(Delivery::state) {
        Some(DeliveryState::Accepted) => "accepted",
        Some(DeliveryState::Delivered) => "delivered",
        Some(DeliveryState::Read) => "read",
        Some(DeliveryState::Queued | DeliveryState::Unspecified) | None => "queued",
    }
}

/// A protobuf timestamp in UTC; none where it is out of range.
pub fn rfc3339(seconds: i64, nanos: i32) -> Option<String> {
    jiff::Timestamp::new(seconds, nanos).ok().map(|time| time.to_string())
}

#[cfg(test)]
mod tests {
    use raccordo_proto::alert::v1::{Alert, CaseAlert, alert};

    use super::*;

    fn record() -> AlertRecord {
        let case = CaseAlert { severity: "high".to_owned(), ..CaseAlert::default() };
        let body = Alert {
            id: "a".to_owned(),
            body: Some(alert::Body::CaseAlert(case)),
            ..Alert::default()
        };
        let delivery = Delivery {
            state: DeliveryState::Delivered.into(),
            delivered: 2,
            members: 2,
            ..Delivery::default()
        };
        AlertRecord {
            id: "a".to_owned(),
            kind: "case".to_owned(),
            origin: "toscana".to_owned(),
            equipe: "tu".to_owned(),
            state: "active".to_owned(),
            delivery: Some(delivery),
            body: Some(body),
            sequence: 7,
            ..AlertRecord::default()
        }
    }

    #[test]
    fn alerts_have_the_contract_s_shape() {
        let expected = serde_json::json!({
            "id": "a", "kind": "case", "origin": "toscana", "equipe": "tu", "state": "active",
            "delivery": {"state": "delivered", "delivered": 2, "members": 2},
            "body": {"caseAlert": {"severity": "high"}}
        });
        let json = serde_json::to_value(AlertView::of(record()).unwrap()).unwrap();
        assert_eq!(json, expected);
    }

    #[test]
    fn received_and_ended_alerts() {
        let mut ended = AlertRecord { body: None, delivery: None, ..record() };
        ended.end_reason = "consent_withdrawn".to_owned();
        let json = serde_json::to_value(AlertDetail::of(ended).unwrap()).unwrap();
        assert_eq!(json["body"], Value::Null);
        assert_eq!(json["end_reason"], "consent_withdrawn");
        assert_eq!(rfc3339(1_790_000_000, 5_000_000).unwrap(), "2026-09-21T14:13:20.005Z");
    }

    #[test]
    fn shared_lines_have_a_sequence_once_known() {
        let mut shared = SharedAlert { id: "a".to_owned(), ..SharedAlert::default() };
        let line = |shared: &SharedAlert| serde_json::to_string(&SharedView::from(shared)).unwrap();
        assert_eq!(line(&shared), r#"{"id":"a","state":"queued"}"#);
        shared.sequence = 7;
        shared.delivery = record().delivery;
        assert_eq!(line(&shared), r#"{"id":"a","state":"delivered","sequence":7}"#);
    }

    #[test]
    fn details_read_well() {
        let text = AlertDetail::of(record()).unwrap().describe(&Output::new(true));
        assert_eq!(
            text,
            "a  case  active\nfrom toscana in tu\ndelivery: delivered 2 of 2\n\n  severity             high\n"
        );
    }
}
