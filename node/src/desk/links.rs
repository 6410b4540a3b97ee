//! Which cases and companies hang together across regions: a picture, and the same as a table.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use raccordo_core::id::NodeId;
use raccordo_core::object::Kind;

use super::Desk;
use super::frame::Frame;
use super::gate::Visitor;
use super::problem::{Problem, rendered};
use super::words::Words;
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::pictures::{self, Bond, Knot, Web};

/// Links that are drawn; the table has all.
const DRAWN_MAX: usize = 60;
/// Between two columns, in the units of the picture.
const COLUMN: usize = 260;
/// Between two rows.
const ROW: usize = 60;
/// Above the first row.
const TOP: usize = 80;

/// A case or company as it is drawn.
struct Drawn {
    x: usize,
    y: usize,
    company: bool,
    name: String,
}

/// A line between two.
struct Line {
    path: String,
    /// `linked`, `asked` or `names`.
    style: &'static str,
}

/// A link in the table.
struct Told {
    from: String,
    from_path: String,
    to: String,
    to_path: String,
    why: String,
    why_path: String,
}

#[derive(Template)]
#[template(path = "links.html")]
struct Page {
    frame: Frame,
    width: usize,
    height: usize,
    /// Regions with the middle of their columns.
    columns: Vec<(usize, String)>,
    knots: Vec<Drawn>,
    lines: Vec<Line>,
    told: Vec<Told>,
    more: bool,
}

/// The page.
pub(super) async fn page(State(desk): State<Desk>, visitor: Visitor) -> Result<Response, Problem> {
    let words = visitor.words;
    made(&desk.node, &visitor).await.map_err(|fault| Problem::new(words, fault))
}

async fn made(node: &Node, visitor: &Visitor) -> Done<Response> {
    let words = visitor.words;
    let web = pictures::links(node, &visitor.operator, visitor.used).await?;
    let own = &node.identity.node;
    let told = web.links.iter().filter_map(|link| {
        let (from, to) = (web.knots.get(link.from)?, web.knots.get(link.to)?);
        let (why, why_path) = match &link.bond {
            Bond::Match(id, state) => {
                (words.t(&format!("match-{}", state.replace('_', "-"))), format!("/matches/{id}"))
            }
            Bond::Names => (words.t("link-names"), String::new()),
        };
        let (from_path, to_path) = (path(from), path(to));
        let (from, to) = (named(words, own, from), named(words, own, to));
        Some(Told { from, from_path, to, to_path, why, why_path })
    });
    let told = told.collect();
    let Picture { width, height, columns, knots, lines } = drawn(words, own, &web);
    let frame = Frame::new(visitor, "overview", "/links");
    Ok(rendered(&Page { frame, width, height, columns, knots, lines, told, more: web.more }))
}

fn path(knot: &Knot) -> String {
    if knot.shared { format!("/alerts/{}", knot.object) } else { String::new() }
}

/// What a case or company is called where several regions' stand: kind, the beginning of the
/// id, and whose.
fn named(words: Words, own: &NodeId, knot: &Knot) -> String {
    let whose = if knot.origin == *own { words.t("ours") } else { knot.origin.to_string() };
    format!("{} · {whose}", short(words, knot))
}

fn short(words: Words, knot: &Knot) -> String {
    let id = knot.object.to_string();
    let kind = words.t(if knot.kind == Kind::Company { "kind-company" } else { "kind-case" });
    format!("{kind} {}", id.get(..8).unwrap_or_default())
}

/// What is drawn.
struct Picture {
    width: usize,
    height: usize,
    columns: Vec<(usize, String)>,
    knots: Vec<Drawn>,
    lines: Vec<Line>,
}

/// A column for each region, our own first; in each its cases and companies, one below the
/// other.
fn drawn(words: Words, own: &NodeId, web: &Web) -> Picture {
    let links = web.links.get(..DRAWN_MAX.min(web.links.len())).unwrap_or_default();
    let drawn = |place: usize| links.iter().any(|link| link.from == place || link.to == place);
    let mut regions: Vec<&NodeId> = web.knots.iter().map(|knot| &knot.origin).collect();
    regions.sort_by_key(|region| (*region != own, *region));
    regions.dedup();
    let mut rows = vec![0_usize; regions.len()];
    let middle = |column: usize| column.saturating_mul(COLUMN).saturating_add(COLUMN / 2);
    let mut places: Vec<Option<(usize, usize, usize)>> = Vec::new();
    let mut knots = Vec::new();
    for (at, knot) in web.knots.iter().enumerate() {
        let column = regions.iter().position(|region| **region == knot.origin);
        let place = column.filter(|_| drawn(at)).and_then(|column| {
            let row = rows.get_mut(column)?;
            let y = row.saturating_mul(ROW).saturating_add(TOP);
            *row = row.saturating_add(1);
            Some((column, middle(column), y))
        });
        if let Some((_, x, y)) = place {
            let (company, name) = (knot.kind == Kind::Company, short(words, knot));
            knots.push(Drawn { x, y, company, name });
        }
        places.push(place);
    }
    let at = |place: usize| places.get(place).copied().flatten();
    let lines = links.iter().filter_map(|link| {
        let path = curve(at(link.from)?, at(link.to)?);
        let style = match &link.bond {
            Bond::Match(_, state) if state == "linked" => "linked",
            Bond::Match(..) => "asked",
            Bond::Names => "names",
        };
        Some(Line { path, style })
    });
    let lines = lines.collect();
    let longest = rows.iter().max().copied().unwrap_or(0);
    let columns = regions.iter().enumerate().map(|(column, region)| {
        let name = if *region == own { words.t("ours") } else { region.to_string() };
        (middle(column), name)
    });
    Picture {
        width: regions.len().max(1).saturating_mul(COLUMN),
        height: longest.saturating_mul(ROW).saturating_add(TOP),
        columns: columns.collect(),
        knots,
        lines,
    }
}

/// A curve between two places; within one column it goes round what stands between.
fn curve(from: (usize, usize, usize), to: (usize, usize, usize)) -> String {
    let ((one, x, y), (other, to_x, to_y)) = (from, to);
    let bend = if one == other {
        let aside = x.saturating_sub(COLUMN / 3);
        (aside, aside)
    } else {
        let middle = x.saturating_add(to_x) / 2;
        (middle, middle)
    };
    format!("M {x} {y} C {} {y}, {} {to_y}, {to_x} {to_y}", bend.0, bend.1)
}

#[cfg(test)]
mod tests {
    use raccordo_core::id::ObjectId;
    use raccordo_core::matching::life::MatchId;

    use super::*;
    use crate::app::pictures::Link;

    fn knot(number: u8, kind: Kind, origin: &str) -> Knot {
        let object = ObjectId(uuid::Uuid::from_bytes([number; 16]));
        Knot { object, kind, origin: origin.parse().unwrap(), shared: true }
    }

    #[test]
    fn our_own_stand_first_and_each_has_its_place() {
        let own: NodeId = "toscana".parse().unwrap();
        let id = MatchId(raccordo_core::id::Digest([1; 32]));
        let mut web = Web::default();
        web.knots = vec![
            knot(1, Kind::Case, "lombardia"),
            knot(2, Kind::Case, "toscana"),
            knot(3, Kind::Company, "toscana"),
        ];
        web.links = vec![
            Link { from: 1, to: 0, bond: Bond::Match(id, "linked".to_owned()) },
            Link { from: 1, to: 2, bond: Bond::Names },
        ];
        let picture = drawn(Words::default(), &own, &web);
        let names: Vec<_> = picture.columns.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["noi", "lombardia"]);
        let places: Vec<_> = picture.knots.iter().map(|knot| (knot.x, knot.y)).collect();
        assert_eq!(places, [(390, 80), (130, 80), (130, 140)]);
        let styles: Vec<_> = picture.lines.iter().map(|line| line.style).collect();
        assert_eq!(styles, ["linked", "names"]);
        assert_eq!((picture.width, picture.height), (520, 200));
    }
}
