//! What pictures show of the alerts that an operator may read: how many there are in each
//! province, and which cases and companies hang together across regions.
//!
//! Reading for a picture is not opening an alert: nothing is told to its origin, and no more
//! than codes and ids leave this module. It is in the audit all the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use raccordo_core::id::{NodeId, ObjectId};
use raccordo_core::matching::life::MatchId;
use raccordo_core::object::Kind;

use super::Node;
use super::account::session::Use;
use super::alerts;
use super::directory::Operator;
use super::fault::Done;
use super::gists::{Gist, LOOK_MAX};
use super::matching::list::{self, MatchView};
use super::reading::{self, Item, Reading};

/// Alerts that a picture looks at: the newest.
pub const ALERTS_MAX: u32 = LOOK_MAX;
/// Matches that a picture shows: the newest.
const MATCHES_MAX: u32 = 500;
/// Links that a picture shows.
const LINKS_MAX: usize = 500;

/// Counts below this are not told (CASEWORK rule 8).
pub const SMALL_CELL: usize = 5;

/// How many active alerts there are somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// Some, and fewer than [`SMALL_CELL`].
    Few,
    /// So many.
    Count(usize),
}

/// Counts by code of the province; where there is none, nothing stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provinces {
    /// By code. There are no sums, from which a small cell could be worked out.
    pub cells: BTreeMap<String, Cell>,
    /// Whether there are older alerts that are not counted.
    pub more: bool,
}

/// Active alerts by province, as far as the operator may read them.
///
/// # Errors
/// `role_not_allowed`.
pub async fn provinces(node: &Node, operator: &Operator, used: Use) -> Done<Provinces> {
    let (gists, more) = alerts::said_by_all(node, operator).await?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for gist in &gists {
        let (province, comune) = (gist.first("province"), gist.first("comune"));
        let code = if province.is_empty() { comune.get(..3) } else { Some(province) };
        if let Some(code) = code.filter(|code| !code.is_empty()) {
            let count = counts.entry(code.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
    }
    // Of a count of many no alert is named: which they are cannot be seen from it.
    let version = u64::try_from(gists.len()).unwrap_or(u64::MAX);
    let items = vec![Item { id: "provinces".to_owned(), version }];
    note(node, operator, "alert.map", items, used).await?;
    let cells = counts.into_iter().map(|(code, count)| (code, cell(count))).collect();
    Ok(Provinces { cells, more })
}

fn cell(count: usize) -> Cell {
    if count < SMALL_CELL { Cell::Few } else { Cell::Count(count) }
}

/// A case or company in a picture of links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knot {
    /// The object that stands for it.
    pub object: ObjectId,
    /// What it is.
    pub kind: Kind,
    /// Whose.
    pub origin: NodeId,
    /// Whether its alert can be opened here.
    pub shared: bool,
}

/// Why two hang together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bond {
    /// They may be, or are, the same: the match and its state.
    Match(MatchId, String),
    /// The case's alert names the company's.
    Names,
}

/// Two that hang together, by their places among the knots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// From here,
    pub from: usize,
    /// to there,
    pub to: usize,
    /// because.
    pub bond: Bond,
}

/// What hangs together.
#[derive(Clone, Debug, Default)]
pub struct Web {
    /// All that have a link.
    pub knots: Vec<Knot>,
    /// The links.
    pub links: Vec<Link>,
    /// Whether there are more than these.
    pub more: bool,
    /// Where each stands among the knots.
    places: BTreeMap<ObjectId, usize>,
}

impl Web {
    fn knot(&mut self, knot: Knot) -> usize {
        let next = self.knots.len();
        let place = *self.places.entry(knot.object).or_insert(next);
        if place == next {
            self.knots.push(knot);
        }
        place
    }

    fn link(&mut self, from: Knot, to: Knot, bond: Bond) {
        if self.links.len() >= LINKS_MAX {
            self.more = true;
            return;
        }
        let (from, to) = (self.knot(from), self.knot(to));
        self.links.push(Link { from, to, bond });
    }
}

/// Matches of own records that the operator meets and that nobody has denied, and the companies
/// that case alerts name.
///
/// # Errors
/// `role_not_allowed`.
pub async fn links(node: &Node, operator: &Operator, used: Use) -> Done<Web> {
    let (gists, _) = alerts::said_by_all(node, operator).await?;
    let look = list::Look { limit: MATCHES_MAX, used, ..list::Look::default() };
    let (matches, next) = list::newest(node, operator, look).await?;
    let own = &node.identity.node;
    let web = woven(own, &gists, &matches, next.is_some());
    let shown = web.knots.iter().filter(|knot| knot.shared);
    let items = shown.map(|knot| Item { id: knot.object.to_string(), version: 1 }).collect();
    note(node, operator, "alert.links", items, used).await?;
    Ok(web)
}

async fn note(
    node: &Node,
    operator: &Operator,
    action: &'static str,
    items: Vec<Item>,
    used: Use,
) -> Done<()> {
    let subject = node.identity.node.as_str();
    let reading = Reading { action, subject, asked: Vec::new(), items, used };
    reading::note(node, operator, reading).await
}

fn woven(own: &NodeId, gists: &[Arc<Gist>], matches: &[MatchView], more: bool) -> Web {
    let mut web = Web { more, ..Web::default() };
    let known: BTreeMap<ObjectId, &Arc<Gist>> =
        gists.iter().map(|gist| (gist.object, gist)).collect();
    let knot = |object: ObjectId, kind: Kind, origin: &NodeId| Knot {
        object,
        kind,
        origin: origin.clone(),
        shared: known.contains_key(&object),
    };
    for view in matches {
        let row = &view.row;
        if row.state.starts_with("denied") || row.state.starts_with("unlinked") {
            continue;
        }
        let kind = if view.kind == "company" { Kind::Company } else { Kind::Case };
        let from = knot(row.ours, kind, own);
        let to = knot(row.theirs, kind, &row.counterpart);
        web.link(from, to, Bond::Match(row.id, row.state.clone()));
    }
    for gist in gists {
        let named = gist.said("companyRefs").iter().filter_map(|id| id.parse::<ObjectId>().ok());
        for company in named {
            let Some(found) = known.get(&company) else { continue };
            let from = knot(gist.object, Kind::Case, &gist.origin);
            web.link(from, knot(company, Kind::Company, &found.origin), Bond::Names);
        }
    }
    web
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cells_are_not_told() {
        assert_eq!(cell(1), Cell::Few);
        assert_eq!(cell(4), Cell::Few);
        assert_eq!(cell(5), Cell::Count(5));
    }

    #[test]
    fn one_knot_for_one_object_and_no_more_links_than_fit() {
        let object = |number: usize| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            ObjectId(uuid::Uuid::from_bytes(bytes))
        };
        let knot = |number: usize| Knot {
            object: object(number),
            kind: Kind::Case,
            origin: "umbria".parse().unwrap(),
            shared: true,
        };
        let mut web = Web::default();
        for number in 0..LINKS_MAX {
            web.link(knot(0), knot(number + 1), Bond::Names);
        }
        assert_eq!((web.knots.len(), web.more), (LINKS_MAX + 1, false));
        web.link(knot(0), knot(1), Bond::Names);
        assert!(web.more && web.links.len() == LINKS_MAX);
    }
}
