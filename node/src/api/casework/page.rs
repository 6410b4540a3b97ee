//! Lists alerts in pages that fit into one message.

use prost::Message;
use raccordo_core::number;
use raccordo_core::object::State;
use raccordo_proto::casework::v1::{AlertRecord, ListAlertsRequest, ListAlertsResponse};

use super::record;
use crate::app::Node;
use crate::app::alerts::{self, AlertView, Listing, Place, Query};
use crate::app::directory::Operator;
use crate::app::fault::{Done, Fault};
use crate::transport::limits::CALL_MESSAGE_BYTES_MAX;

/// Alerts of a page where the caller says nothing.
const SIZE_DEFAULT: u32 = 200;
/// Most alerts of a page.
const SIZE_MAX: u32 = 1_000;
/// Most bytes of a page's alerts; the rest of the message needs some too.
const BYTES_MAX: usize = CALL_MESSAGE_BYTES_MAX - (64 << 10);

/// What is asked for.
///
/// # Errors
/// `bad_id`, `unknown_state`, `bad_page_token`.
pub fn query(asked: ListAlertsRequest) -> Done<Query> {
    let ListAlertsRequest { equipe, from, state, page_size, page_token } = asked;
    let origin = (!from.is_empty()).then(|| from.parse()).transpose()?;
    let known = state.is_empty() || state.parse::<State>().is_ok();
    if !known {
        return Err(Fault::usage("unknown_state", "an alert has no such state")
            .hint("active, withdrawn or expired"));
    }
    let size = if page_size == 0 { SIZE_DEFAULT } else { page_size.min(SIZE_MAX) };
    let state = (!state.is_empty()).then_some(state);
    let query = Query { equipe, origin, state, after: position(&page_token)?, limit: size };
    Ok(query)
}

/// The position after which a page begins. A token is the decimal position of the newest
/// alert before it.
pub(super) fn position(token: &str) -> Done<u64> {
    if token.is_empty() {
        return Ok(0);
    }
    let read = token.bytes().all(|byte| byte.is_ascii_digit()).then(|| token.parse().ok());
    read.flatten().and_then(number::bounded).ok_or_else(|| {
        Fault::usage("bad_page_token", "the page token is not one that this node gave")
            .hint("take `next_page_token` of the answer before, or leave it empty")
    })
}

/// Reads one page.
///
/// # Errors
/// Those of [`alerts::list`].
pub async fn read(node: &Node, operator: &Operator, query: &Query) -> Done<ListAlertsResponse> {
    let mut page = Page::default();
    let next = alerts::list(node, operator, query, Listing::Page, |view| page.add(view)).await?;
    Ok(page.answer(next))
}

/// A page being filled.
#[derive(Default)]
struct Page {
    bytes: usize,
    alerts: Vec<AlertRecord>,
}

impl Page {
    /// Adds alerts until they are too many bytes; one has its place always.
    fn add(&mut self, view: AlertView) -> Place {
        let alert = record::alert(view);
        // With its key and length.
        let bytes = alert.encoded_len() + 8;
        if self.bytes + bytes > BYTES_MAX && !self.alerts.is_empty() {
            return Place::Full;
        }
        self.bytes += bytes;
        self.alerts.push(alert);
        Place::Shown
    }

    fn answer(self, next: Option<u64>) -> ListAlertsResponse {
        let next_page_token = next.map(|position| position.to_string()).unwrap_or_default();
        ListAlertsResponse { alerts: self.alerts, next_page_token }
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::view;
    use super::*;

    #[test]
    fn page_tokens_are_positions() {
        let check = |token, expected: Option<u64>| {
            let read = position(token);
            assert_eq!(read.as_ref().ok().copied(), expected, "{token:?}");
            if let Err(fault) = read {
                assert_eq!(fault.reason, "bad_page_token");
            }
        };
        check("", Some(0));
        check("17", Some(17));
        check("9007199254740991", Some(number::NUMBER_MAX));
        check("9007199254740992", None);
        check("18446744073709551615", None);
        check("18446744073709551616", None);
        check("+1", None);
        check("-1", None);
        check("abc", None);
    }

    #[test]
    fn questions_are_read() {
        let check = |asked: ListAlertsRequest, expected: Result<u32, &str>| {
            let read = query(asked).map(|query| query.limit).map_err(|fault| fault.reason);
            assert_eq!(read, expected);
        };
        let asked = ListAlertsRequest::default;
        check(asked(), Ok(200));
        check(ListAlertsRequest { page_size: 7, ..asked() }, Ok(7));
        check(ListAlertsRequest { page_size: 5_000, ..asked() }, Ok(1_000));
        check(ListAlertsRequest { state: "expired".into(), ..asked() }, Ok(200));
        check(ListAlertsRequest { state: "lost".into(), ..asked() }, Err("unknown_state"));
        check(ListAlertsRequest { from: "umbria".into(), ..asked() }, Ok(200));
        check(ListAlertsRequest { from: "Umbria!".into(), ..asked() }, Err("bad_id"));
        check(ListAlertsRequest { page_token: "x".into(), ..asked() }, Err("bad_page_token"));
    }

    fn large(position: u64, bytes: usize) -> AlertView {
        let mut view = view();
        view.row.position = position;
        view.row.end_reason = "x".repeat(bytes);
        view
    }

    #[test]
    fn a_page_fits_into_a_message() {
        let mut page = Page::default();
        assert_eq!(page.add(large(1, 2 << 20)), Place::Shown);
        assert_eq!(page.add(large(2, 1 << 20)), Place::Shown);
        assert_eq!(page.add(large(3, 1 << 20)), Place::Full);
        let answer = page.answer(Some(2));
        assert!(answer.encoded_len() <= CALL_MESSAGE_BYTES_MAX);
        assert_eq!((answer.alerts.len(), answer.next_page_token.as_str()), (2, "2"));
    }

    #[test]
    fn one_alert_always_fits() {
        let mut page = Page::default();
        assert_eq!(page.add(large(1, 5 << 20)), Place::Shown);
        assert_eq!(page.add(large(2, 1)), Place::Full);
        assert_eq!(page.answer(None).next_page_token, "");
    }
}
