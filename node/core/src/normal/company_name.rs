//! Names of companies, without what registers add to them.

use std::collections::BTreeSet;

use super::plain;
use crate::secret::Secret;

/// Legal forms, states and additions, longest first; each is words that stand together.
const LEFT_OUT: &[&[&str]] = &[
    &["SOCIETA", "A", "RESPONSABILITA", "LIMITATA", "SEMPLIFICATA"],
    &["IN", "AMMINISTRAZIONE", "STRAORDINARIA"],
    &["SOCIETA", "A", "RESPONSABILITA", "LIMITATA"],
    &["SOCIETA", "COOPERATIVA", "PER", "AZIONI"],
    &["IN", "LIQUIDAZIONE", "COATTA", "AMMINISTRATIVA"],
    &["SOCIETA", "IN", "ACCOMANDITA", "SEMPLICE"],
    &["SOCIETA", "IN", "NOME", "COLLETTIVO"],
    &["IN", "LIQUIDAZIONE", "GIUDIZIALE"],
    &["IN", "CONCORDATO", "PREVENTIVO"],
    &["SOCIETA", "COOPERATIVA", "AGRICOLA"],
    &["SOCIETA", "COOPERATIVA", "SOCIALE"],
    &["A", "RESPONSABILITA", "LIMITATA"],
    &["SOC", "COOP", "AGRICOLA"],
    &["SOC", "COOP", "SOCIALE"],
    &["SOCIETA", "PER", "AZIONI"],
    &["CON", "SOCIO", "UNICO"],
    &["CON", "UNICO", "SOCIO"],
    &["SOC", "AGRICOLA"],
    &["SOCIETA", "AGRICOLA"],
    &["SOCIETA", "COOPERATIVA"],
    &["SOCIETA", "SEMPLICE"],
    &["SOCIETA", "CONSORTILE"],
    &["IMPRESA", "INDIVIDUALE"],
    &["DITTA", "INDIVIDUALE"],
    &["IN", "CONCORDATO"],
    &["IN", "LIQUIDAZIONE"],
    &["IN", "LIQ"],
    &["IN", "FALLIMENTO"],
    &["A", "SOCIO", "UNICO"],
    &["SOCIO", "UNICO"],
    &["SOC", "COOP"],
    &["ARL"],
    &["COOP"],
    &["DITTA"],
    &["FALLIMENTO"],
    &["IMPRESA"],
    &["SAPA"],
    &["SAS"],
    &["SC"],
    &["SCARL"],
    &["SCPA"],
    &["SCRL"],
    &["SCS"],
    &["SNC"],
    &["SOC"],
    &["SOCIETA"],
    &["SPA"],
    &["SRL"],
    &["SRLS"],
    &["SRLU"],
    &["SS"],
    &["STP"],
    &["UNIPERSONALE"],
];

/// Stands for the sign `&`.
const AND: &str = "ET";

/// Short forms that stand for a word of the name.
const SPELT_OUT: &[(&str, &str)] = &[
    ("AGR", "AGRICOLA"),
    ("AZ", "AZIENDA"),
    ("AUTOTRASP", "AUTOTRASPORTI"),
    ("COSTR", "COSTRUZIONI"),
    ("FLLI", "FRATELLI"),
    ("GEN", "GENERALI"),
];

/// A company's name: capitals, legal forms and states left out, words sorted and each once.
/// `Tessitura F.lli Rossi & C. S.n.c. in liquidazione` → `FRATELLI ROSSI TESSITURA`;
/// `AZ. AGR. «Il Pino» soc. agr. a r.l.` → `AGRICOLA AZIENDA IL PINO`. None if nothing or a
/// single letter remains.
pub fn company_name(text: &str) -> Option<Secret<String>> {
    let words = plain::words(&text.replace('&', &format!(" {AND} ")));
    let words = spelt_out(joined(&words));
    let mut kept: BTreeSet<String> = BTreeSet::new();
    let mut rest = words.as_slice();
    while let Some((word, after)) = rest.split_first() {
        let starts = |phrase: &&&[&str]| {
            phrase.len() <= rest.len() && phrase.iter().zip(rest).all(|(one, two)| one == two)
        };
        match LEFT_OUT.iter().filter(starts).max_by_key(|phrase| phrase.len()) {
            Some(phrase) => rest = rest.get(phrase.len()..).unwrap_or_default(),
            None => {
                kept.insert(word.clone());
                rest = after;
            }
        }
    }
    let name = kept.into_iter().collect::<Vec<_>>().join(" ");
    (name.len() >= 2).then(|| Secret::new(name))
}

/// Letters that stand alone side by side are one short form: `S R L` → `SRL`. Words for `and`
/// go, and with them the partners of `& C.`
fn joined(words: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut letters = String::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let partners = words.peek().is_some_and(|next| *next == "C");
        if word == AND || (word == "E" && (partners || letters.is_empty())) {
            words.next_if(|_| partners);
            out.extend((!letters.is_empty()).then(|| std::mem::take(&mut letters)));
        } else if word.len() == 1 || (letters == "A" && word == "RL") {
            letters.push_str(word);
        } else {
            out.extend((!letters.is_empty()).then(|| std::mem::take(&mut letters)));
            out.push(word.clone());
        }
    }
    out.extend((!letters.is_empty()).then_some(letters));
    out
}

fn spelt_out(words: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in words {
        if word == "LLI" && out.last().is_some_and(|last| last == "F") {
            out.pop();
            out.push("FRATELLI".to_owned());
            continue;
        }
        let long = SPELT_OUT.iter().find(|(short, _)| *short == word);
        out.push(long.map_or(word, |(_, long)| (*long).to_owned()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Option<&str>) {
        let found = company_name(text);
        assert_eq!(found.as_ref().map(|name| name.reveal().as_str()), expected, "{text}");
    }

    #[test]
    fn names() {
        check(
            "Tessitura F.lli Rossi & C. S.n.c. in liquidazione",
            Some("FRATELLI ROSSI TESSITURA"),
        );
        check("TESSITURA FRATELLI ROSSI SNC", Some("FRATELLI ROSSI TESSITURA"));
        check("AZ. AGR. «Il Pino» soc. agr. a r.l.", Some("AGRICOLA AZIENDA IL PINO"));
        check("Azienda Agricola Il Pino S.R.L.", Some("AGRICOLA AZIENDA IL PINO"));
        check("Rossi S.p.A.", Some("ROSSI"));
        check("Rossi Società per Azioni", Some("ROSSI"));
        check("Rossi società a responsabilità limitata semplificata", Some("ROSSI"));
        check("ROSSI S.R.L. UNIPERSONALE", Some("ROSSI"));
        check("Rossi srl con socio unico", Some("ROSSI"));
        check("Fallimento Rossi srl", Some("ROSSI"));
        check("Soc. Coop. Soc. La Rosa", Some("LA ROSA"));
        check("Società cooperativa sociale La Rosa", Some("LA ROSA"));
        check("Ditta individuale Hu Wei", Some("HU WEI"));
        check("Confezioni Hu Wei di Hu Wei", Some("CONFEZIONI DI HU WEI"));
        check("Verde e Rossi s.a.s.", Some("ROSSI VERDE"));
        check("Verde & Rossi s.a.s. di Ali & C.", Some("ALI DI ROSSI VERDE"));
        check("Fratelli Rossi e C. s.n.c.", Some("FRATELLI ROSSI"));
        check("C.E.D. srl", Some("CED"));
        check("A.B.C. srl", Some("ABC"));
        check("S.r.l.", None);
        check("", None);
        check("& C.", None);
    }

    proptest! {
        #[test]
        fn a_normal_form_has_no_form_and_is_its_own(name in "[B-Z][a-z]{3,8}( [B-Z][a-z]{3,8}){0,2}") {
            let plain = company_name(&name);
            for form in ["s.r.l.", "SPA", "S.n.c. in liquidazione", "soc. coop. a r.l.", "S.A.S. & C."] {
                let formed = company_name(&format!("{name} {form}"));
                prop_assert_eq!(&formed, &plain);
            }
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,40}") {
            let _ = company_name(&text);
        }
    }
}
