//! How many active alerts there are in each province: a picture of tiles, and the same as a
//! table.

mod tiles;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use self::tiles::{TILES, Tile};
use super::Desk;
use super::frame::Frame;
use super::gate::Visitor;
use super::problem::{Problem, rendered};
use super::words::Words;
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::pictures::{self, ALERTS_MAX, Cell, Provinces, SMALL_CELL};

/// Side of a tile with the gap after it, in the units of the picture.
const SIDE: u16 = 48;

/// A tile as it is drawn.
struct Drawn {
    x: u16,
    y: u16,
    sigla: &'static str,
    count: String,
    /// How dark: `none`, `few`, `some`, `many`, `most`.
    shade: &'static str,
    title: String,
}

/// A province in the table.
struct Line {
    name: String,
    sigla: &'static str,
    region: String,
    count: String,
}

#[derive(Template)]
#[template(path = "map.html")]
struct Page {
    frame: Frame,
    width: u16,
    height: u16,
    tiles: Vec<Drawn>,
    lines: Vec<Line>,
    small: usize,
    more: String,
}

/// The page.
pub(super) async fn page(State(desk): State<Desk>, visitor: Visitor) -> Result<Response, Problem> {
    let words = visitor.words;
    made(&desk.node, &visitor).await.map_err(|fault| Problem::new(words, fault))
}

async fn made(node: &Node, visitor: &Visitor) -> Done<Response> {
    let words = visitor.words;
    let Provinces { cells, more } =
        pictures::provinces(node, &visitor.operator, visitor.used).await?;
    let province = |tile: &Tile| node.lists.label("province", tile.code, words.lang());
    let drawn = |tile: &Tile| {
        let cell = cells.get(tile.code).copied();
        let count = said(words, cell);
        Drawn {
            x: tile.column.saturating_mul(SIDE),
            y: tile.row.saturating_mul(SIDE),
            sigla: tile.sigla,
            title: format!("{}: {count}", province(tile)),
            count: if cell.is_none() { String::new() } else { count },
            shade: shade(cell),
        }
    };
    let line = |tile: &Tile| {
        let cell = cells.get(tile.code).copied()?;
        let code = node.lists.lookup("province", tile.code);
        let region = code.and_then(|code| code.parent.as_deref()).unwrap_or_default();
        let (sigla, count) = (tile.sigla, said(words, Some(cell)));
        let region = node.lists.label("region", region, words.lang());
        Some((
            (std::cmp::Reverse(cell), tile.code),
            Line { name: province(tile), sigla, region, count },
        ))
    };
    let mut lines: Vec<_> = TILES.iter().filter_map(line).collect();
    lines.sort_by_key(|(key, _)| *key);
    let edge = |of: fn(&Tile) -> u16| {
        TILES.iter().map(of).max().unwrap_or(0).saturating_add(1).saturating_mul(SIDE)
    };
    Ok(rendered(&Page {
        frame: Frame::new(visitor, "overview", "/map"),
        width: edge(|tile| tile.column),
        height: edge(|tile| tile.row),
        tiles: TILES.iter().map(drawn).collect(),
        lines: lines.into_iter().map(|(_, line)| line).collect(),
        small: SMALL_CELL,
        more: if more { words.with("map-more", ALERTS_MAX) } else { String::new() },
    }))
}

fn said(words: Words, cell: Option<Cell>) -> String {
    match cell {
        None => words.t("none"),
        Some(Cell::Few) => format!("<{SMALL_CELL}"),
        Some(Cell::Count(count)) => count.to_string(),
    }
}

fn shade(cell: Option<Cell>) -> &'static str {
    match cell {
        None => "none",
        Some(Cell::Few) => "few",
        Some(Cell::Count(..10)) => "some",
        Some(Cell::Count(10..25)) => "many",
        Some(Cell::Count(_)) => "most",
    }
}
