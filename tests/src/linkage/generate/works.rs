//! Companies of whom nobody is real, as two offices write them down: with and without legal form,
//! sites beside seats, sister companies, sole traders, contractors of like names.
//!
//! Of 1,000 lines 550 have a partita IVA, 200 a REA number, 850 a place; a third of the second
//! office's places are a site elsewhere. One of twelve is a sister: the same name with another
//! number and another word. All rates are assumptions.

use std::collections::BTreeMap;

use anyhow::Context as _;
use raccordo_core::normal::company_number::partita_iva;

use super::PLACES;
use super::dice::Dice;
use super::names;

const COLUMNS: [&str; 5] = ["id", "company", "vat_number", "rea", "place"];
const TRADES: [&str; 16] = [
    "Tessitura",
    "Confezioni",
    "Edil",
    "Azienda Agricola",
    "Lavanderia",
    "Logistica",
    "Autotrasporti",
    "Impresa Edile",
    "Vivai",
    "Conceria",
    "Pulizie",
    "Cooperativa Servizi",
    "Pelletteria",
    "Ristorante",
    "Officina",
    "Costruzioni",
];
const WORDS: [&str; 16] = [
    "Aurora", "Moderna", "Toscana", "Italia", "Nuova", "Europa", "Tirreno", "Stella", "Sole",
    "Valle", "Verde", "Pino", "Rapida", "Centro", "Global", "Service",
];
const FORMS: [&str; 12] = [
    "S.r.l.",
    "srl",
    "SRL",
    "S.r.l.s.",
    "S.n.c.",
    "snc",
    "S.a.s.",
    "soc. coop.",
    "S.p.A.",
    "",
    "",
    "in liquidazione",
];

struct Firm {
    name: String,
    number: String,
    rea: String,
    seat: &'static str,
    site: &'static str,
}

fn number(dice: &Dice) -> String {
    let start = format!("0{}", dice.digits(9));
    let all = (0..10).map(|check| format!("{start}{check}"));
    all.into_iter().find(|number| partita_iva(number).is_ok()).unwrap_or_default()
}

fn family(dice: &Dice) -> &'static str {
    let country = match dice.below(10) {
        0..7 => &names::ITALY,
        7 => &names::CHINA,
        _ => &names::BANGLADESH,
    };
    dice.frequent(country.families).split('|').next().unwrap_or_default()
}

fn firm(dice: &Dice) -> Firm {
    let trade = dice.frequent(&TRADES);
    let name = match dice.below(10) {
        // A sole trader, or a firm under its owner's name.
        0..4 => format!("{trade} {}", family(dice)),
        4..7 => format!("{trade} {}", dice.frequent(&WORDS)),
        7 => format!("{trade} {} di {}", dice.frequent(&WORDS), family(dice)),
        8 => format!("{trade} F.lli {} & C.", family(dice)),
        _ => format!("{} {}", dice.frequent(&WORDS), dice.one(&WORDS)),
    };
    let rea = format!("{}-{}", dice.one(&["FI", "PO", "PG", "MI", "PR"]), dice.digits(6));
    let (seat, site) = (dice.frequent(PLACES), dice.frequent(PLACES));
    Firm { name, number: number(dice), rea, seat, site }
}

fn firms(dice: &Dice, count: usize) -> Vec<Firm> {
    let mut all: Vec<Firm> = Vec::new();
    while all.len() < count {
        let one = firm(dice);
        if dice.happens(80) && all.len() + 1 < count {
            let name = format!("{} {}", one.name, dice.one(&WORDS));
            all.push(Firm { name, seat: one.seat, ..firm(dice) });
        }
        all.push(one);
    }
    all
}

fn written(dice: &Dice, name: &str) -> String {
    let mut words: Vec<String> = name.split(' ').map(str::to_owned).collect();
    if dice.happens(100) {
        words.reverse();
    }
    if let Some(word) = words.iter_mut().find(|word| word.len() > 5).filter(|_| dice.happens(60)) {
        word.remove(3);
    }
    let name = words.join(" ");
    let name = if dice.happens(300) { name.to_uppercase() } else { name };
    format!("{name} {}", dice.one(&FORMS)).trim().to_owned()
}

fn row(dice: &Dice, id: String, firm: &Firm, second: bool) -> [String; 5] {
    let kept = |rate: usize, value: &str| match dice.happens(rate) {
        true => value.to_owned(),
        false => String::new(),
    };
    let place = if second && dice.happens(330) { firm.site } else { firm.seat };
    let name = written(dice, &firm.name);
    [id, name, kept(550, &firm.number), kept(200, &firm.rea), kept(850, place)]
}

/// Two offices and the truth, as [`super::generate`] gives them.
///
/// # Errors
/// None that a table in memory has.
pub(super) fn files(
    dice: &Dice,
    count: usize,
    shared: usize,
) -> anyhow::Result<BTreeMap<&'static str, Vec<u8>>> {
    let firms = firms(dice, 2 * count - shared);
    let table = || csv::Writer::from_writer(Vec::new());
    let (mut left, mut right, mut truth) = (table(), table(), table());
    left.write_record(COLUMNS)?;
    right.write_record(COLUMNS)?;
    truth.write_record(["left", "right"])?;
    for (at, firm) in firms.iter().take(count).enumerate() {
        left.write_record(row(dice, format!("a{at}"), firm, false))?;
    }
    for (at, firm) in firms.iter().skip(count - shared).enumerate() {
        right.write_record(row(dice, format!("b{at}"), firm, true))?;
        if at < shared {
            truth.write_record([format!("a{}", count - shared + at), format!("b{at}")])?;
        }
    }
    let bytes = |table: csv::Writer<Vec<u8>>| table.into_inner().context("a table in memory");
    let files =
        [("left.csv", bytes(left)?), ("right.csv", bytes(right)?), ("truth.csv", bytes(truth)?)];
    Ok(files.into())
}
