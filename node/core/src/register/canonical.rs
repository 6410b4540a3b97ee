//! The one form of a value under which it is looked up.

use super::{Entry, Field};
use crate::normal::codice_fiscale::CodiceFiscale;
use crate::normal::company_name::company_name;
use crate::normal::{company_number, phone};
use crate::secret::Secret;

/// The canonical form of a value for the local index, which finds what is written alike up
/// to case, spacing and order of names; `None` where nothing is left to be looked up.
///
/// - Names (of persons: all parts together): lower case by Unicode, words ascending, one space
///   between. `ROSSI  Mario` and `Mario Rossi` are one.
/// - Addresses, employers, names of companies: lower case, one space between words.
/// - Codes, numbers and dates: capitals, letters and digits only. Of a document, only the
///   number.
/// - Codici fiscali, partite IVA, REA numbers, phones and names of companies that have a
///   normal form ([`crate::normal`]): that form, so that the register finds what matching
///   takes for the same.
pub fn canonical(entry: &Entry) -> Option<Secret<String>> {
    if let Some(normal) = normal(entry) {
        return Some(normal);
    }
    let text = match entry.field {
        Field::Name => {
            let both = Secret::new(format!("{} {}", entry.part(0), entry.part(1)));
            let folded = Secret::new(both.reveal().to_lowercase());
            let mut words: Vec<&str> = folded.reveal().split_whitespace().collect();
            words.sort_unstable();
            words.join(" ")
        }
        Field::Document => compact(entry.part(1)),
        Field::Address => {
            let street = folded(entry.part(0));
            // A comune alone identifies nobody.
            if street.is_empty() { street } else { format!("{street} {}", entry.part(1)) }
        }
        field if field.is_code() => compact(entry.part(0)),
        _ => folded(entry.part(0)),
    };
    let text = Secret::new(text);
    (!text.reveal().is_empty()).then_some(text)
}

fn normal(entry: &Entry) -> Option<Secret<String>> {
    let value = entry.part(0);
    match entry.field {
        Field::FiscalCode => CodiceFiscale::parse(value).ok().map(|code| code.value().clone()),
        Field::VatNumber => company_number::partita_iva(value).ok(),
        Field::ReaNumber => company_number::rea(value).ok(),
        Field::Phone => phone::e164(value).ok(),
        Field::CompanyName => company_name(value),
        _ => None,
    }
}

fn folded(text: &str) -> String {
    let lower = Secret::new(text.to_lowercase());
    lower.reveal().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn compact(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(field: Field, parts: &[&str], expected: Option<&str>) {
        let entry = Entry::new(field, parts.iter().map(|part| (*part).to_owned()));
        let found = canonical(&entry);
        assert_eq!(found.as_ref().map(|text| text.reveal().as_str()), expected, "{parts:?}");
    }

    #[test]
    fn what_is_written_alike_is_one() {
        check(Field::Name, &["ROSSI", "Mario"], Some("mario rossi"));
        check(Field::Name, &["  mario   rossi ", ""], Some("mario rossi"));
        check(Field::Name, &["D'Angelo", "ZOË"], Some("d'angelo zoë"));
        check(Field::FiscalCode, &["rssmra 85t10 a562s"], Some("RSSMRA85T10A562S"));
        check(Field::FiscalCode, &["RSSMRA85T10A56NH"], Some("RSSMRA85T10A562S"));
        check(Field::FiscalCode, &["rssmra85t10a562x"], Some("RSSMRA85T10A562X"));
        check(Field::VatNumber, &["IT 00743110157"], Some("00743110157"));
        check(Field::VatNumber, &["it 1"], Some("IT1"));
        check(Field::Phone, &["+39 055/123.456"], Some("+39055123456"));
        check(Field::Phone, &["055 123456"], Some("+39055123456"));
        check(Field::Phone, &["12"], Some("12"));
        check(Field::BirthDate, &["1985-03-02"], Some("19850302"));
        check(Field::Document, &["passport", "YA 12-34", "BD"], Some("YA1234"));
        check(Field::ReaNumber, &["fi 123456"], Some("FI-123456"));
        check(Field::CompanyName, &["Alfa  S.R.L."], Some("ALFA"));
        check(Field::CompanyName, &["ALFA srl in liquidazione"], Some("ALFA"));
        check(Field::Address, &["Via  Roma 1", "048017"], Some("via roma 1 048017"));
    }

    #[test]
    fn nothing_is_looked_up_by_nothing() {
        check(Field::Phone, &[" - "], None);
        check(Field::Name, &["", " "], None);
        check(Field::Address, &["", "048017"], None);
    }
}
