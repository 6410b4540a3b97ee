//! People and companies weighed, from what was written down to grades.

use std::collections::BTreeSet;

use super::facts::{BirthKnown, Facts};
use super::family::{Company, Evidence, Family, Person};
use super::frequency::Frequencies;
use super::grade::grade;
use super::name::Name;
use super::{sound, weight};
use crate::matching::grade::Grade;
use crate::normal::birth::Birth;
use crate::normal::stop_list::{Stop, StopList};
use crate::normal::{document, phone};
use crate::secret::Secret;

fn person(name: &str, born: &str) -> Person {
    Person {
        names: Name::parse(name).into_iter().collect(),
        births: Birth::parse(born).into_iter().collect(),
        ..Person::default()
    }
}

fn with_phone(name: &str, born: &str, number: &str) -> Person {
    Person { phones: phone::all(number), ..person(name, born) }
}

fn of_group(name: &str, born: &str, citizenship: &str) -> Person {
    let citizenships = vec![citizenship.to_owned()];
    Person { citizenships, ..person(name, born) }
}

/// What of one's evidence the other has too.
fn agreeing<'e>(own: &'e [Evidence], other: &[Evidence]) -> Vec<&'e Evidence> {
    let same =
        |one: &&Evidence| other.iter().any(|it| (it.family, &it.value) == (one.family, &one.value));
    own.iter().filter(same).collect()
}

fn weighed(own: &Person, other: &Person, frequencies: &Frequencies) -> weight::Weight {
    let stops = StopList::default();
    let (ours, theirs) = (own.evidence(&stops), other.evidence(&stops));
    let agreeing = agreeing(&ours, &theirs);
    let facts = (Facts::of_person(own, &stops), Facts::of_person(other, &stops));
    weight::person(own, &agreeing, facts, frequencies)
}

/// Of registers that have two thousand records together, where nothing has been counted.
fn check(own: &Person, other: &Person, expected: Grade) {
    let weight = weighed(own, other, &Frequencies::default());
    assert_eq!(grade(&weight, 2_000), expected, "{weight:?}");
}

#[test]
fn spellings_of_one_sound_have_one_code() {
    let same = |spellings: &[&str]| {
        let codes: Vec<String> = spellings.iter().map(|it| sound::code(it)).collect();
        assert!(codes.windows(2).all(|two| two[0] == two[1]), "{spellings:?} {codes:?}");
    };
    same(&["HOSSAIN", "HOSEN", "HUSSEIN", "HUSSAIN"]);
    same(&["YOUSSEF", "YUSUF", "JUSUF", "IUSUF"]);
    same(&["DIALLO", "JALLOW", "DIALO"]);
    same(&["MOHAMED", "MUHAMMAD", "MOHAMMED"]);
    same(&["OUALI", "WALI"]);
    same(&["RACHID", "RASHID"]);
    same(&["SHEVCHENKO", "CHEVTCHENKO", "SCHEWTSCHENKO"]);
    same(&["YANA", "IANA", "JANA"]);
    same(&["KHALIL", "HALIL"]);
    assert_ne!(sound::code("ROSSI"), sound::code("RUSSOTTO"));
    // Short names keep their vowels: Hu Wei and Ho Yao are not one person.
    assert_ne!(sound::code("WEI"), sound::code("YAO"));
    assert_ne!(sound::code("LI"), sound::code("LU"));
    assert_eq!(sound::code("\u{e9}"), "");
}

#[test]
fn the_same_name_and_date_is_a_candidate_and_namesakes_are_not() {
    let kamal = person("Md Kamal Hossain", "1990-03-04");
    check(&kamal, &person("Hosen Kamal", "1990-04-03"), Grade::A);
    // A year alone, or a day alone, is a namesake's.
    check(&kamal, &person("Kamal Hossain", "1971-08-20"), Grade::C);
    check(&kamal, &person("Kamal Hossain", "1990-08-20"), Grade::B);
    check(&kamal, &person("Rafiq Miah", "1990-03-04"), Grade::C);
}

#[test]
fn a_date_that_many_have_says_little() {
    let mut frequencies = Frequencies::default();
    for at in 0..1_000 {
        let born = if at % 4 == 0 { "1990-01-01" } else { "1990-03-04" };
        frequencies.add_person(&person("Anna Bianchi", born));
    }
    let bits = |born: &str| {
        let one = person("Md Kamal Hossain", born);
        weighed(&one, &one, &frequencies).parts["day"]
    };
    assert!(bits("1990-01-01") < 2.5, "{}", bits("1990-01-01"));
    assert!(bits("1990-05-07") > 8.0, "{}", bits("1990-05-07"));
}

#[test]
fn frequent_names_weigh_less_within_their_group() {
    let mut frequencies = Frequencies::default();
    for at in 0..600 {
        let (name, country) = match at % 3 {
            0 => ("Gurpreet Singh", "IN"),
            1 => ("Mario Rossi", "IT"),
            _ => ("Oksana Shevchuk", "UA"),
        };
        frequencies.add_person(&of_group(name, "1985-07-09", country));
    }
    let name = |who: &Person| weighed(who, who, &frequencies).parts["name"];
    let one = of_group("Gurpreet Singh", "1985-07-09", "IN");
    let other = of_group("Ahmed Bouzid", "1985-07-09", "MA");
    assert!(name(&one) < 4.0 && name(&other) > 15.0, "{} {}", name(&one), name(&other));
}

#[test]
fn kin_share_phones_and_are_never_grade_a() {
    let one = with_phone("Kamal Hossain", "1990-03-04", "333 1234567");
    let brother = with_phone("Rafiq Hossain", "1994-08-20", "333 1234567");
    let weight = weighed(&one, &brother, &Frequencies::default());
    assert!(weight.kin, "{weight:?}");
    assert!(grade(&weight, 2) < Grade::A);
    let unknown = with_phone("Hossain", "", "333 1234567");
    assert!(grade(&weighed(&one, &unknown, &Frequencies::default()), 2) < Grade::A);
}

#[test]
fn an_identifier_is_grade_a_and_another_code_is_another_person() {
    let with = |code: &str, born: &str| Person {
        codici_fiscali: crate::normal::codice_fiscale::CodiceFiscale::parse(code)
            .into_iter()
            .collect(),
        ..person("Mario Rossi", born)
    };
    let one = with("RSSMRA85T10A562S", "1985-12-10");
    check(&one, &with("rss mra 85t10 a562s", "1985-01-01"), Grade::A);
    let apart = weighed(&one, &with("MRTMTT25D09F205Z", "1985-12-10"), &Frequencies::default());
    let unknown = weighed(&one, &person("Mario Rossi", "1985-12-10"), &Frequencies::default());
    assert!(apart.bits + 5.0 < unknown.bits, "{apart:?} {unknown:?}");
    // The date in the code is a birth date too.
    check(&with("RSSMRA85T10A562S", ""), &person("Mario Rossi", "1985-12-10"), Grade::A);
}

#[test]
fn a_passport_without_its_country_is_weaker_evidence() {
    let with = |country: &str| Person {
        passports: document::passport(country, "AB1234567").into_iter().collect(),
        passport_numbers: document::permit("AB1234567").into_iter().collect(),
        ..Person::default()
    };
    check(&with("BD"), &with("BD"), Grade::A);
    let weight = weighed(&with("BD"), &with(""), &Frequencies::default());
    assert!(!weight.identified && weight.bits > 10.0, "{weight:?}");
}

#[test]
fn every_fact_has_a_byte_of_its_own() {
    let known: Vec<Facts> = (0..=u8::MAX).filter_map(Facts::of_byte).collect();
    assert_eq!(known.len(), 192);
    let bytes: BTreeSet<u8> = known.iter().map(|facts| facts.byte()).collect();
    assert_eq!(bytes.len(), known.len());
    assert!(known.iter().all(|facts| Facts::of_byte(facts.byte()) == Some(*facts)));
    assert_eq!(Facts::of_byte(0b1100_0000), None);
}

#[test]
fn facts_leave_out_what_is_stopped_and_1_january() {
    let mut one = with_phone("Kamal Hossain", "1990-01-01", "333 1234567");
    one.places.push(Secret::new("D612".to_owned()));
    let facts = Facts::of_person(&one, &StopList::default());
    assert_eq!((facts.birth, facts.phone, facts.place), (BirthKnown::Year, true, true));
    let mut stops = StopList::default();
    stops.add(Stop::Phone, &Secret::new("+393331234567".to_owned()));
    stops.add(Stop::Place, &Secret::new("D612".to_owned()));
    let facts = Facts::of_person(&one, &stops);
    assert_eq!((facts.phone, facts.place, facts.parts), (false, false, 2));
}

#[test]
fn a_guessed_year_and_an_unknown_day_cost_less_than_another_date() {
    let bits = |one: &str, other: &str| {
        let of = |born| of_group("Kamal Hossain", born, "BD");
        weighed(&of(one), &of(other), &Frequencies::default()).bits
    };
    // 1 January stands for an unknown day: with it no day disagrees.
    assert!(bits("1990-01-01", "1990-05-07") > bits("1990-08-20", "1990-05-07") + 3.0);
    // Of people whose days nobody knows years are guessed.
    assert!(bits("1990-01-01", "1992-01-01") > bits("1990-03-04", "1992-08-20") + 2.0);
    assert!(bits("1990-01-01", "1991-01-01") > bits("1990-01-01", "1993-01-01"));
}

#[test]
fn of_whom_no_date_is_known_is_found_by_names_and_citizenship() {
    let dated = of_group("Imasuen Osaretin", "1990-05-07", "NG");
    let undated = of_group("Osaretin Imasuen", "", "NG");
    for (one, other) in [(&dated, &undated), (&undated, &dated)] {
        let weight = weighed(one, other, &Frequencies::default());
        assert!(weight.bits > 18.0 && !weight.parts.contains_key("year"), "{weight:?}");
        assert!(weight.kin);
    }
}

#[test]
fn two_names_of_one_people_are_less_than_twice_the_evidence() {
    let mut frequencies = Frequencies::default();
    for at in 0..1_000 {
        let (name, country) = match at % 10 {
            0 => ("Gurpreet Singh Gill", "IN"),
            _ => ("Mario Rossi", "IT"),
        };
        frequencies.add_person(&of_group(name, "1985-07-09", country));
    }
    let one = person("Gurpreet Gill", "1985-08-20");
    let weight = weighed(&one, &one, &frequencies);
    let apart: f64 = ["name", "year", "day"].iter().map(|it| weight.parts[it]).sum();
    assert!(weight.bits + 2.0 < apart, "{weight:?}");
}

/// What an insider pays who knows the rules, and asks for everything that a named person may have.
#[test]
fn sweeps_cost_what_the_documents_say() {
    let asked = |people: &mut dyn Iterator<Item = Person>, family: Family| -> usize {
        let evidence = people.flat_map(|person| person.evidence(&StopList::default()));
        let values = evidence.filter(|one| one.family == family);
        values.map(|one| one.value.reveal().clone()).collect::<BTreeSet<String>>().len()
    };
    let named = |born: String| of_group("Kamal Hossain", &born, "BD");
    let years = || (1950..2008).map(|year| named(year.to_string()));
    let days = || {
        let all = (1..=12).flat_map(|month| (1..=31).map(move |day| (month, day)));
        let dates = all.map(|(month, day)| format!("2004-{month:02}-{day:02}"));
        dates.filter(|date| Birth::parse(date).is_ok()).map(named)
    };
    let costs = [
        ("a named person, all years", asked(&mut years(), Family::NamesYear), 58),
        ("a named person, all days", asked(&mut days(), Family::NamesDay), 300),
        ("a name, all dates of a year", asked(&mut days(), Family::NameBirth) / 2, 300),
        // Who has no date is asked for in all windows, and nobody needs fewer.
        (
            "a named person of known citizenship",
            asked(&mut [named(String::new())].into_iter(), Family::NamesYearsGroup),
            17,
        ),
    ];
    for (what, cost, expected) in costs {
        // A day's budget of weak tokens, of an example pact.
        println!("{what}: {cost} tokens, {} a day", 600 / cost);
        assert_eq!(cost, expected, "{what}");
    }
    // No family lists everybody by a date or a citizenship alone.
    let nameless = Person { names: Vec::new(), ..named("1990-03-04".to_owned()) };
    assert!(nameless.evidence(&StopList::default()).is_empty());
}

#[test]
fn records_have_few_tokens() {
    let mut full = of_group("Md Kamal Hossain", "1990-03-04", "BD");
    full.phones = phone::all("333 1234567");
    full.places.push(Secret::new("D612".to_owned()));
    let evidence = full.evidence(&StopList::default());
    assert!(evidence.len() <= 16, "{}", evidence.len());
    let families: Vec<Family> = evidence.iter().map(|one| one.family).collect();
    assert!(families.is_sorted());
}

#[test]
fn companies_are_known_by_number_and_asked_about_by_name() {
    let company = |name: &str, place: &str, number: &str| Company {
        names: crate::normal::company_name::company_name(name).into_iter().collect(),
        places: vec![Secret::new(place.to_owned())],
        numbers: crate::normal::company_number::partita_iva(number).into_iter().collect(),
        ..Company::default()
    };
    let check = |one: &Company, other: &Company, expected: Grade| {
        let stops = StopList::default();
        let (ours, theirs) = (one.evidence(&stops), other.evidence(&stops));
        let agreeing = agreeing(&ours, &theirs);
        let facts = (Facts::of_company(one), Facts::of_company(other));
        let weight = weight::company(&agreeing, facts, &Frequencies::default());
        assert_eq!(grade(&weight, 500), expected, "{weight:?}");
    };
    let one = company("Tessitura Bisenzio S.r.l.", "D612", "00743110157");
    check(&one, &company("TESSITURA BISENZIO srl in liquidazione", "G999", "743110157"), Grade::A);
    check(&one, &company("Tessitura Bisenzio", "D612", ""), Grade::B);
    // The same name elsewhere is a question, as is another number.
    check(&one, &company("Tessitura Bisenzio", "H501", ""), Grade::C);
    check(&one, &company("Tessitura Bisenzio", "D612", "12345678903"), Grade::C);
}
