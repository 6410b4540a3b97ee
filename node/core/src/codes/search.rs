//! Search in labels without regard to case and accents.

use super::Lang;

/// How well an entry matches; less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// The text is the code.
    Code,
    /// The text is the label.
    Label,
    /// The label begins with the text.
    Prefix,
    /// Every word of the text begins a word of the label.
    Words,
    /// Every word of the text begins a word of the label, a search word or the code.
    SearchWords,
    /// The label holds the text somewhere.
    Part,
}

/// What of an entry is searched, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folded {
    code: String,
    label_it: String,
    label_en: String,
    words: String,
}

impl Folded {
    /// Folds code, labels and search words.
    pub(super) fn new(code: &str, label_it: &str, label_en: &str, words: &str) -> Self {
        let [code, label_it, label_en, words] = [code, label_it, label_en, words].map(fold);
        Self { code, label_it, label_en, words }
    }
}

/// A folded search text.
pub(super) struct Query {
    text: String,
}

impl Query {
    /// Folds a search text.
    pub(super) fn new(text: &str) -> Self {
        Self { text: fold(text) }
    }

    /// How an entry matches; `None` when it does not.
    pub(super) fn rank(&self, entry: &Folded, lang: Lang) -> Option<Rank> {
        let text = self.text.as_str();
        let label = match lang {
            Lang::It => &entry.label_it,
            Lang::En => &entry.label_en,
        };
        let begins = |word: &str, among: &str| among.split(' ').any(|one| one.starts_with(word));
        let all_begin = |among: &[&str]| {
            text.split(' ').all(|word| among.iter().any(|among| begins(word, among)))
        };
        if entry.code == text {
            Some(Rank::Code)
        } else if *label == text {
            Some(Rank::Label)
        } else if label.starts_with(text) {
            Some(Rank::Prefix)
        } else if all_begin(&[label]) {
            Some(Rank::Words)
        } else if all_begin(&[label, &entry.words, &entry.code]) {
            Some(Rank::SearchWords)
        } else {
            label.contains(text).then_some(Rank::Part)
        }
    }
}

/// Lower case without accents; all that is no letter or digit becomes one space.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match base(letter) {
            Some(base) => folded.push_str(base),
            // A combining mark, which decomposed text and lower-casing `İ` leave behind.
            None if ('\u{300}'..='\u{36f}').contains(&letter) => {}
            None if letter.is_alphanumeric() => folded.push(letter),
            None if folded.ends_with(' ') || folded.is_empty() => {}
            None => folded.push(' '),
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// The plain letters for an accented lower-case Latin letter.
fn base(letter: char) -> Option<&'static str> {
    Some(match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' => "i",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' => "o",
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
        'ý' | 'ÿ' => "y",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' => "d",
        'ğ' | 'ģ' => "g",
        'ł' | 'ľ' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ť' | 'ţ' | 'ț' => "t",
        'ź' | 'ż' | 'ž' => "z",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::CodeLists;

    /// The first match of a list is the expected code.
    fn check(list: &str, text: &str, lang: Lang, expected: &str) {
        let lists = CodeLists::builtin();
        let found = lists.list(list).unwrap().search(text, lang, 5);
        let codes: Vec<_> = found.iter().map(|code| code.code.as_str()).collect();
        assert_eq!(codes.first(), Some(&expected), "{list} {text:?}: {codes:?}");
    }

    #[test]
    fn what_operators_type() {
        check("comune", "Grosseto", Lang::It, "053011");
        check("comune", "perugia", Lang::It, "054039");
        check("comune", "agliè", Lang::It, "001001");
        check("comune", "AGLIE'", Lang::It, "001001");
        check("comune", "bolzano", Lang::It, "021008");
        check("comune", "castiglione lago", Lang::It, "054009");
        check("province", "reggio emilia", Lang::It, "035");
        check("province", "forli", Lang::It, "040");
        check("ateco", "vigneto", Lang::It, "01.21.0");
        check("ateco", "01.21.00", Lang::It, "01.21.00");
        check("ateco_division", "badante", Lang::It, "88");
        check("ateco_division", "colf", Lang::It, "97");
        check("ateco_division", "construction", Lang::En, "41");
        check("country", "peru", Lang::It, "PE");
        check("country", "cote d'ivoire", Lang::En, "CI");
        check("country", "ma", Lang::It, "MA");
        check("language", "wolof", Lang::It, "wol");
        check("language", "punjabi", Lang::It, "pan");
    }

    #[test]
    fn badante_finds_care_and_households() {
        let lists = CodeLists::builtin();
        let found = lists.list("ateco").unwrap().search("badante", Lang::It, 20);
        assert!(found.iter().any(|code| code.code.starts_with("97.")));
        assert!(found.iter().any(|code| code.code.starts_with("88.1")));
    }

    #[test]
    fn nothing_and_everything() {
        let lists = CodeLists::builtin();
        let list = lists.list("ilo_indicator").unwrap();
        assert!(list.search("zzz", Lang::It, 5).is_empty());
        let codes: Vec<_> = list.search(" ", Lang::It, 2).iter().map(|code| &code.code).collect();
        assert_eq!(codes, ["vulnerability", "deception"]);
    }

    #[test]
    fn ranks() {
        let check = |text: &str, rank: Option<Rank>| {
            let entry = Folded::new("x-1", "Casa di Città", "", "ospizio");
            assert_eq!(Query::new(text).rank(&entry, Lang::It), rank, "{text}");
        };
        check("X 1", Some(Rank::Code));
        check("casa di citta", Some(Rank::Label));
        check("CASA", Some(Rank::Prefix));
        check("città casa", Some(Rank::Words));
        check("ospiz casa", Some(Rank::SearchWords));
        check("itt", Some(Rank::Part));
        check("villa", None);
    }

    #[test]
    fn folding() {
        let check = |text: &str, folded: &str| assert_eq!(fold(text), folded);
        check("  Forlì-Cesena ", "forli cesena");
        check("Valle d'Aosta/Vallée d’Aoste", "valle d aosta vallee d aoste");
        check("cafe\u{301}", "cafe");
        check("İstanbul", "istanbul");
        check("Großglockner", "grossglockner");
        check("", "");
    }
}
