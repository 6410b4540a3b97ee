//! Code lists: versioned data files with their source and date (CASEWORK rule 10).
//!
//! The files in `node/core/data` are built in; a newer file of the same form replaces a
//! list without a release. A code that a list does not know is kept and shown as such,
//! never dropped: only the origin of an alert insists on known codes (`crate::alert`). It must
//! have the form of the list's codes all the same ([`CodeForm`]), so that no text passes for one.

mod builtin;
mod form;
mod list;
mod search;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

pub use form::CodeForm;
pub use list::{Code, List, ListError};

/// A language of the labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// Italian, the first language of the desk.
    #[default]
    It,
    /// English.
    En,
}

/// All code lists by name; cheap to clone.
#[derive(Clone, Debug)]
pub struct CodeLists {
    lists: BTreeMap<String, Arc<List>>,
}

impl CodeLists {
    /// The lists that came with this release, parsed at the first call.
    pub fn builtin() -> Self {
        static BUILTIN: LazyLock<CodeLists> = LazyLock::new(|| {
            // A test parses every file, so none is left out here.
            let parsed = builtin::FILES.iter().filter_map(|(name, text)| {
                List::parse(name, text).ok().map(|list| ((*name).to_owned(), Arc::new(list)))
            });
            CodeLists { lists: parsed.collect() }
        });
        BUILTIN.clone()
    }

    /// These lists with one replaced by a newer file.
    ///
    /// # Errors
    /// The operator's fault: no such list, or the file is not of the form that
    /// [`List::parse`] reads.
    pub fn with_overrides(mut self, name: &str, text: &str) -> Result<Self, ListError> {
        let place = self.lists.get_mut(name).ok_or(ListError::NoSuchList)?;
        *place = Arc::new(List::parse(name, text)?);
        Ok(self)
    }

    /// The names of all lists, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lists.keys().map(String::as_str)
    }

    /// One list.
    pub fn list(&self, name: &str) -> Option<&List> {
        self.lists.get(name).map(Arc::as_ref)
    }

    /// Whether a text could be a code of a list, now or in a newer version of it.
    pub fn has_form(&self, list: &str, text: &str) -> bool {
        self.list(list).is_some_and(|list| list.form.fits(text))
    }

    /// One code of one list.
    pub fn lookup(&self, list: &str, code: &str) -> Option<&Code> {
        self.list(list)?.lookup(code)
    }

    /// What people read for a code; an unknown one is shown as such.
    pub fn label(&self, list: &str, code: &str, lang: Lang) -> String {
        match (self.lookup(list, code), lang) {
            (Some(known), _) => known.label(lang).to_owned(),
            (None, Lang::It) => format!("{code} (codice sconosciuto)"),
            (None, Lang::En) => format!("{code} (unknown code)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "# source: Test\n# date: 2026-01-01\n# licence: none\n# version: 2\n\
                         # form: 1-20 a-z\ncode,label_it,label_en\nnew,Nuovo,New\n";

    #[test]
    fn every_file_parses() {
        for (name, text) in builtin::FILES {
            assert_eq!(List::parse(name, text).map(|_| ()), Ok(()), "{name}");
        }
        assert_eq!(CodeLists::builtin().names().count(), builtin::FILES.len());
    }

    #[test]
    fn sizes_are_those_of_the_sources() {
        let lists = CodeLists::builtin();
        let check = |name: &str, size: usize| {
            assert_eq!(lists.list(name).map(|list| list.entries().len()), Some(size), "{name}");
        };
        check("age_band", 8);
        check("ateco", 2210);
        check("ateco_division", 87);
        check("ateco_section", 22);
        check("company_role", 5);
        check("comune", 7904);
        check("control_method", 19);
        // The 249 of ISO 3166-1, and Kosovo under its user-assigned code.
        check("country", 250);
        check("exploitation", 11);
        check("gender", 6);
        check("ilo_indicator", 11);
        check("index_603bis", 4);
        check("language", 416);
        check("organisation_class", 16);
        check("province", 107);
        check("recruitment", 10);
        check("region", 20);
        check("status_decider", 5);
        check("trafficking_status", 3);
        check("workers_band", 3);
        check("world_region", 27);
    }

    #[test]
    fn labels_stand_in_both_languages() {
        let lists = CodeLists::builtin();
        // Proper names are alike in both, and ATECO has Italian titles only.
        let alike =
            ["ateco", "comune", "country", "language", "province", "region", "world_region"];
        for name in lists.names().filter(|name| !alike.contains(name)) {
            for code in lists.list(name).unwrap().entries() {
                assert_ne!(code.label_it, code.label_en, "{name} {}", code.code);
            }
        }
    }

    #[test]
    fn parents_exist() {
        let lists = CodeLists::builtin();
        for name in lists.names() {
            let list = lists.list(name).unwrap();
            for code in list.entries() {
                let Some(parent) = &code.parent else { continue };
                let of = list.parent_list.as_deref().unwrap();
                assert!(lists.lookup(of, parent).is_some(), "{name} {}: {parent}", code.code);
            }
        }
    }

    #[test]
    fn letters_shift_after_section_j() {
        let lists = CodeLists::builtin();
        let check = |division: &str, nace: &str, isic: &str| {
            let list = lists.list("ateco_division").unwrap();
            assert_eq!(list.lookup(division).unwrap().parent.as_deref(), Some(nace), "{division}");
            assert_eq!(list.extra(division, "isic"), Some(isic), "{division}");
        };
        check("01", "A", "A");
        check("60", "J", "J");
        check("62", "K", "J");
        check("64", "L", "K");
        check("78", "O", "N");
        check("88", "R", "Q");
        check("97", "U", "T");
        check("99", "V", "U");
    }

    #[test]
    fn comuni_begin_with_their_province() {
        let lists = CodeLists::builtin();
        for comune in lists.list("comune").unwrap().entries() {
            assert_eq!(comune.parent.as_deref(), comune.code.get(..3), "{}", comune.code);
        }
    }

    #[test]
    fn a_newer_file_replaces_a_list() {
        let lists = CodeLists::builtin().with_overrides("gender", SMALL).unwrap();
        assert_eq!(lists.label("gender", "new", Lang::En), "New");
        assert_eq!(lists.list("gender").unwrap().version, "2");
        assert!(CodeLists::builtin().lookup("gender", "new").is_none());
    }

    #[test]
    fn a_list_of_another_name_is_refused() {
        let refused = CodeLists::builtin().with_overrides("colour", SMALL);
        assert_eq!(refused.err(), Some(ListError::NoSuchList));
    }

    #[test]
    fn labels_and_unknown_codes() {
        let lists = CodeLists::builtin();
        assert_eq!(lists.label("country", "MA", Lang::It), "Marocco");
        assert_eq!(lists.label("country", "MA", Lang::En), "Morocco");
        assert_eq!(lists.label("country", "QQ", Lang::It), "QQ (codice sconosciuto)");
        assert_eq!(lists.label("country", "QQ", Lang::En), "QQ (unknown code)");
        assert_eq!(lists.label("province", "053", Lang::En), "Grosseto");
    }
}
