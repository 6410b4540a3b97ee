//! The register's pages: people with their cases, and companies. What identifies somebody is
//! shown only after a purpose was chosen, and never stands in an address.
//!
//! - one file for each page: [`list`], [`find`], [`add`], [`show`], [`erase`], [`import`]
//! - [`form`]: the fields that identify, to fill in; [`told`]: the same, to read

mod add;
mod erase;
mod find;
mod form;
mod import;
mod list;
mod show;
mod told;
mod upload;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use raccordo_core::object::Kind;
use raccordo_core::register::{Field, RecordKind};

use super::Desk;
use super::inputs::Choice;
use super::words::Words;
use crate::app::Node;
use crate::app::fault::{Done, Fault};

pub(super) use upload::Uploads;

/// What a form that carries a file has beside it.
const AROUND_FILE_BYTES: usize = 64 * 1024;

/// The pages.
pub(super) fn routes() -> Router<Desk> {
    let file = DefaultBodyLimit::max(upload::FILE_BYTES_MAX + AROUND_FILE_BYTES);
    Router::new()
        .route("/register", get(list::page))
        .route("/register/find/{kind}", get(find::page).post(find::find))
        .route("/register/add/{kind}", get(add::page).post(add::add))
        .route("/register/import/{kind}", get(import::page).post(import::send).layer(file))
        .route("/register/import/{kind}/begin", post(import::begin))
        .route("/register/import/{kind}/report", get(import::report))
        .route("/register/{kind}/{id}", get(show::page).post(show::open))
        .route("/register/cases/{id}/change", post(show::change))
        .route("/register/cases/{id}/again", post(show::again))
        .route("/register/{kind}/{id}/erase", get(erase::page).post(erase::erase))
}

/// What an address calls a kind of record.
fn kind_of(text: &str) -> Done<RecordKind> {
    RecordKind::parse(text).ok_or_else(|| Fault::not_found("no_such_page", "no kind has this name"))
}

/// The alerts whose codes a record of this kind has.
fn alert_kind(kind: RecordKind) -> Kind {
    match kind {
        RecordKind::Person => Kind::Case,
        RecordKind::Company => Kind::Company,
    }
}

/// What people call a field.
fn label(words: Words, field: Field) -> String {
    words.t(&format!("record-{}", field.as_str().replace('_', "-")))
}

/// What people call a field by the name in a refusal: of the register or of the codes.
fn label_of(words: Words, name: &str) -> String {
    if let Some(field) = Field::parse(name) {
        return label(words, field);
    }
    let name = name.rsplit('.').next().unwrap_or(name);
    let names = [super::alerts::label_key(name), format!("column-{}", name.replace('_', "-"))];
    names.iter().find_map(|key| words.maybe(key)).unwrap_or_else(|| name.to_owned())
}

/// Why somebody reads, to choose from; nothing is chosen beforehand.
fn purposes(node: &Node, words: Words) -> Vec<Choice> {
    super::inputs::choices(node, words, "purpose", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_name() {
        for field in Field::ALL {
            let key = format!("record-{}", field.as_str().replace('_', "-"));
            assert!(Words::default().maybe(&key).is_some(), "{key}");
            for part in field.parts().iter().filter(|_| field.parts().len() > 1) {
                let key = format!("part-{part}");
                assert!(Words::default().maybe(&key).is_some(), "{key}");
            }
        }
    }
}
