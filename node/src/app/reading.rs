//! Who has read what: bodies, and whom to call, are handed out once the reading is in the audit,
//! one record for a page or a batch, with what was asked and the ids of all that was shown
//! (DESIGN §10). If the record cannot be written, nothing is handed out.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use raccordo_core::account::IDLE_MAX;
use raccordo_core::id::OperatorId;
use raccordo_core::time::Instant;

use super::Node;
use super::account::session::Use;
use super::audit::record;
use super::directory::Operator;
use super::fault::Done;

/// How long a page that reads itself again shows the same without another record: as long as a
/// session lives that nobody uses.
const AGAIN: Duration = IDLE_MAX;
/// Things of which is remembered that an operator was shown them, at most.
const SHOWN_MAX: usize = 5_000;

/// Something that is shown: its id, and which state of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// As the record names it.
    pub id: String,
    /// Another one for another state.
    pub version: u64,
}

/// A page or a batch.
#[derive(Debug)]
pub struct Reading<'r> {
    /// `alert.list`, for example.
    pub action: &'static str,
    /// Of what: an équipe's lineage, or the node.
    pub subject: &'r str,
    /// What was asked: codes and ids; what is empty was not asked.
    pub asked: Vec<(&'static str, String)>,
    /// What is shown. Of nothing there is no record.
    pub items: Vec<Item>,
    /// Whether a person asks, or a page that reads itself again.
    pub used: Use,
}

/// What operators were shown a moment ago.
#[derive(Debug, Default)]
pub struct Memory(Mutex<BTreeMap<OperatorId, Shown>>);

/// By action and id: the state, and when it was recorded.
type Shown = BTreeMap<(&'static str, String), (u64, Instant)>;

impl Memory {
    /// Leaves out what is in a record already.
    fn news(&self, operator: OperatorId, reading: &Reading<'_>, now: Instant) -> Vec<Item> {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = shown.get(&operator);
        let is_known = |item: &Item| {
            let before = known.and_then(|known| known.get(&(reading.action, item.id.clone())));
            before.is_some_and(|(version, at)| *version == item.version && now.since(*at) < AGAIN)
        };
        reading.items.iter().filter(|item| !is_known(item)).cloned().collect()
    }

    fn remember(&self, operator: OperatorId, action: &'static str, items: &[Item], now: Instant) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for of in shown.values_mut() {
            of.retain(|_, (_, at)| now.since(*at) < AGAIN);
        }
        shown.retain(|_, of| !of.is_empty());
        let own = shown.entry(operator).or_default();
        for item in items.iter().take(SHOWN_MAX.saturating_sub(own.len())) {
            own.insert((action, item.id.clone()), (item.version, now));
        }
    }
}

/// Puts a reading into the audit. Of a page that reads itself again only what it did not show
/// before is recorded.
///
/// # Errors
/// The store's; then nothing may be shown.
pub async fn note(node: &Node, operator: &Operator, mut reading: Reading<'_>) -> Done<()> {
    let now = node.clock.now();
    if reading.used == Use::Background {
        reading.items = node.reading.news(operator.id, &reading, now);
    }
    if reading.items.is_empty() {
        return Ok(());
    }
    let Reading { action, subject, asked, items, .. } = reading;
    let ids: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
    let ids = ids.join(" ");
    let mut detail: Vec<(&str, &str)> =
        asked.iter().map(|(key, value)| (*key, value.as_str())).collect();
    detail.retain(|(_, value)| !value.is_empty());
    detail.push(("ids", ids.as_str()));
    let mut tx = node.store.write().await?;
    record(node, &mut *tx, operator.actor(), action, subject, &detail).await?;
    tx.commit().await?;
    node.reading.remember(operator.id, action, &items, now);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: &str, version: u64) -> Item {
        Item { id: id.to_owned(), version }
    }

    fn reading(items: &[Item]) -> Reading<'static> {
        Reading {
            action: "alert.list",
            subject: "",
            asked: Vec::new(),
            items: items.to_vec(),
            used: Use::Background,
        }
    }

    #[test]
    fn a_page_that_reads_itself_again_shows_the_same_for_a_while() {
        let memory = Memory::default();
        let anna = OperatorId::try_from([1; 16].as_slice()).unwrap();
        let bruno = OperatorId::try_from([2; 16].as_slice()).unwrap();
        let at = |minutes: i64| Instant(minutes * 60_000);
        let page = [item("a", 1), item("b", 1)];
        memory.remember(anna, "alert.list", &page, at(0));
        let news = |who, items: &[Item], minutes| memory.news(who, &reading(items), at(minutes));
        assert_eq!(news(anna, &page, 14), []);
        assert_eq!(news(anna, &[item("a", 2), item("c", 1)], 14), [item("a", 2), item("c", 1)]);
        assert_eq!(news(anna, &page, 15), page);
        assert_eq!(news(bruno, &page, 0), page);
        let other = Reading { action: "alert.watch", ..reading(&page) };
        assert_eq!(memory.news(anna, &other, at(0)), page);
    }

    #[test]
    fn memory_is_bounded() {
        let memory = Memory::default();
        let anna = OperatorId::try_from([1; 16].as_slice()).unwrap();
        let many: Vec<Item> = (0..2 * SHOWN_MAX).map(|id| item(&id.to_string(), 1)).collect();
        memory.remember(anna, "alert.list", &many, Instant(0));
        let kept = |memory: &Memory| memory.0.lock().unwrap().values().map(BTreeMap::len).sum();
        let before: usize = kept(&memory);
        assert_eq!(before, SHOWN_MAX);
        let later = Instant(0).plus(AGAIN);
        memory.remember(anna, "alert.list", &many[..1], later);
        let after: usize = kept(&memory);
        assert_eq!(after, 1);
    }
}
