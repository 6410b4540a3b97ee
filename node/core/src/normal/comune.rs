//! Comuni, whose ISTAT codes change while the place stays.
//!
//! A comune that moves to another province gets another ISTAT code; its cadastral code
//! (Belfiore) stays. Nodes may have lists of different dates, so that the cadastral code is
//! what they compare. A code that the list does not know is kept as it is: it meets others
//! that do not know it either.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::plain;
use crate::codes::CodeLists;

/// The comuni of one dated list, by code and name.
#[derive(Clone, Debug)]
pub struct Comuni {
    as_of: Option<Date>,
    /// By ISTAT code, 6 digits.
    by_istat: BTreeMap<String, String>,
    /// Cadastral codes by name and by `name|sign of the province`.
    by_name: BTreeMap<String, Vec<String>>,
}

impl Comuni {
    /// From the code lists `comune` and `province`, whose date is theirs.
    pub fn new(lists: &CodeLists) -> Self {
        let mut comuni = Self { as_of: None, by_istat: BTreeMap::new(), by_name: BTreeMap::new() };
        let Some(list) = lists.list("comune") else { return comuni };
        comuni.as_of = Some(list.date);
        for comune in list.entries() {
            let Some(cadastral) = list.extra(&comune.code, "belfiore") else { continue };
            comuni.by_istat.insert(comune.code.clone(), cadastral.to_owned());
            let province = comune.parent.as_deref().unwrap_or_default();
            let sign = lists.list("province").and_then(|list| list.extra(province, "sign"));
            // Names of two languages stand as `Bolzano/Bozen`.
            for name in comune.label_it.split('/') {
                let name = plain::words(name).join(" ");
                let with_sign = format!("{name}|{}", sign.unwrap_or_default());
                for key in [name, with_sign] {
                    comuni.by_name.entry(key).or_default().push(cadastral.to_owned());
                }
            }
        }
        comuni
    }

    /// The date of the list.
    pub fn as_of(&self) -> Option<Date> {
        self.as_of
    }

    /// The normal form of an ISTAT code (6 digits) or a cadastral code (a letter and three
    /// digits): `048017` and `d612` → `D612` (Firenze). None for what has neither form.
    pub fn code(&self, text: &str) -> Option<String> {
        let code = plain::compact(text);
        if code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(self.by_istat.get(&code).cloned().unwrap_or(code));
        }
        let (letter, digits) = code.split_at_checked(1)?;
        let cadastral = letter.bytes().all(|byte| byte.is_ascii_uppercase())
            && digits.len() == 3
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        cadastral.then_some(code)
    }

    /// The normal form of a comune's name, with its province's sign where there are several:
    /// `Forlì`, `Samone (TN)`. None for unknown or ambiguous names, which people look up.
    pub fn named(&self, text: &str) -> Option<String> {
        let (name, sign) = match text.trim().strip_suffix(')').and_then(|t| t.rsplit_once('(')) {
            Some((name, sign)) => (name, Some(plain::compact(sign))),
            None => (text, None),
        };
        let name = plain::words(name).join(" ");
        let key = sign.map_or(name.clone(), |sign| format!("{name}|{sign}"));
        match self.by_name.get(&key)?.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comuni() -> Comuni {
        Comuni::new(&CodeLists::builtin())
    }

    #[test]
    fn codes() {
        let comuni = comuni();
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(comuni.code(text).as_deref(), expected, "{text}");
        };
        check("048017", Some("D612"));
        check(" d612 ", Some("D612"));
        check("001001", Some("A074"));
        check("999999", Some("999999"));
        check("Z999", Some("Z999"));
        check("48017", None);
        check("DD12", None);
        check("", None);
        assert_eq!(comuni.as_of().map(|date| date.to_string()).as_deref(), Some("2020-01-01"));
    }

    #[test]
    fn names() {
        let comuni = comuni();
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(comuni.named(text).as_deref(), expected, "{text}");
        };
        check("Firenze", Some("D612"));
        check("FIRENZE (FI)", Some("D612"));
        check("Firenze (PI)", None);
        check("forli'", Some("D704"));
        check("Forlì", Some("D704"));
        check("Reggio nell'Emilia", Some("H223"));
        check("Bolzano", Some("A952"));
        // There are two, one in Trentino and one in Piemonte.
        check("Samone", None);
        check("Samone (TN)", Some("H754"));
        check("Atlantide", None);
        check("", None);
    }

    #[test]
    fn a_moved_comune_stays_itself() {
        // The list of another date gives Firenze another province and code.
        let moved = "# source: T\n# date: 2027-01-01\n# licence: none\n# version: 2\n\
                     # form: 6 0-9\n# parent: province\ncode,label_it,label_en,parent,belfiore\n\
                     053099,Firenze,,053,D612\n";
        let later = CodeLists::builtin().with_overrides("comune", moved).unwrap();
        let later = Comuni::new(&later);
        assert_eq!(later.code("053099"), comuni().code("048017"));
        assert_eq!(later.named("Firenze"), comuni().named("Firenze"));
    }
}
