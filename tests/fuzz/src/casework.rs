//! What operators' systems and administrators' tools send: every request as protobuf, and the
//! JSON of files with cases and companies.

use prost::Message;
use raccordo_proto::casework::v1 as proto;

use super::{choice, fixture};

type Kind = fn(&[u8]) -> bool;

macro_rules! messages {
    ($($Message:ident)*) => {
        [$(|bytes| proto::$Message::decode(bytes).is_ok_and(|message| {
            let written = message.encode_to_vec();
            let again = proto::$Message::decode(written.as_slice());
            assert_eq!(again.map(|it| it == message), Ok(true));
            true
        })),*]
    };
}

const REQUESTS: [Kind; 24] = messages![
    ShareAlertsRequest ListAlertsRequest ShowAlertRequest WatchAlertsRequest WithdrawAlertRequest
    AwaitDeliveryRequest ListMatchesRequest GetMatchRequest ConfirmMatchRequest DenyMatchRequest
    UnlinkMatchRequest AnswerMatchRequest WatchMatchesRequest AddStopValuesRequest
    RemoveStopValueRequest AddCaseRequest ListCasesRequest FindCasesRequest ShowCaseRequest
    ChangeCaseRequest AddCompanyRequest FindCompaniesRequest ShowImportRequest
    ImportRecordsRequest
];

/// A byte for the request, then its bytes; from 128 on JSON.
pub fn run(data: &[u8]) -> bool {
    let Some((kind, bytes)) = choice(data) else { return false };
    match kind {
        0..=127 => REQUESTS[usize::from(kind) % REQUESTS.len()](bytes),
        kind if kind % 2 == 0 => json::<proto::AddCaseRequest>(bytes),
        _ => json::<proto::AddCompanyRequest>(bytes),
    }
}

fn json<M>(bytes: &[u8]) -> bool
where
    M: serde::Serialize + serde::de::DeserializeOwned + PartialEq,
{
    let Ok(message) = serde_json::from_slice::<M>(bytes) else { return false };
    let written = serde_json::to_string(&message).expect("a message has a JSON form");
    // Nothing of it is shown: what it holds identifies people.
    assert!(serde_json::from_str::<M>(&written).is_ok_and(|again| again == message));
    true
}

pub fn examples() -> Vec<Vec<u8>> {
    let alerts = fixture::alerts();
    let share = proto::ShareAlertsRequest { alerts, ..Default::default() };
    let case = r#"{"person":{"names":[{"family":"Rossi","given":"Ada"}],"birthDates":["1985-12-31"],"fiscalCodes":["RSSMRA85T10A562S"],"phones":["055123"]}}"#;
    let company = r#"{"company":{"names":["Alfa srl"],"vatNumbers":["00743110157"]}}"#;
    let with = |kind: u8, bytes: &[u8]| [&[kind], bytes].concat();
    vec![with(0, &share.encode_to_vec()), with(128, case.as_bytes()), with(129, company.as_bytes())]
}
