//! Families of evidence: what tokens are made of, for people and companies.
//!
//! Sounds forgive spelling, beginnings forgive what sounds do not; both with a date or a place,
//! since a part of a name alone tells nobody apart. Beginnings raised recall on FEBRL 3 from
//! 0.78 to 0.82 (names and date) and from 0.92 to 0.94 (with place) at a precision of 0.999.

use std::collections::BTreeSet;
use std::fmt;

use super::birth::Birth;
use super::codice_fiscale::CodiceFiscale;
use super::name::Name;
use super::stop_list::{Hidden, Stop, StopList};
use crate::pseudonym::key::Class;
use crate::secret::Secret;

/// The most pieces of evidence of one record; what is over is left out, weakest families
/// first.
pub const EVIDENCE_MAX: usize = 40;

/// What a token was made of. The name is part of the PRF's input, and what two managers see
/// of an agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// A person's lasting codice fiscale.
    CodiceFiscale,
    /// A person's provisional codice fiscale.
    ProvisionalCodiceFiscale,
    /// A residence permit.
    Permit,
    /// A passport with its country.
    Passport,
    /// A phone.
    Phone,
    /// One part of a name by its sound, with a full date of birth.
    NameBirth,
    /// One part of a name by its first letters, with a full date of birth.
    NameStartBirth,
    /// Two parts of a name by their sound, with a place.
    NamesPlace,
    /// Two parts of a name by their first letters, with a place.
    NameStartsPlace,
    /// A full date of birth, with a place.
    BirthPlace,
    /// One part of a name by its sound, with an employer.
    NameEmployer,
    /// Two parts of a name by their sound, with a year of birth.
    NamesYear,
    /// A company's partita IVA or codice fiscale.
    CompanyNumber,
    /// A company's REA number.
    Rea,
    /// A company's name, with a comune.
    CompanyNamePlace,
}

impl Family {
    /// Every family, strongest first within its class.
    pub const ALL: [Self; 15] = [
        Self::CodiceFiscale,
        Self::ProvisionalCodiceFiscale,
        Self::Permit,
        Self::Passport,
        Self::Phone,
        Self::NameBirth,
        Self::NameStartBirth,
        Self::NamesPlace,
        Self::NameStartsPlace,
        Self::BirthPlace,
        Self::NameEmployer,
        Self::NamesYear,
        Self::CompanyNumber,
        Self::Rea,
        Self::CompanyNamePlace,
    ];

    /// The name in inputs and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::CodiceFiscale => "codice_fiscale",
            Self::ProvisionalCodiceFiscale => "provisional_codice_fiscale",
            Self::Permit => "permit",
            Self::Passport => "passport",
            Self::Phone => "phone",
            Self::NameBirth => "name_birth",
            Self::NameStartBirth => "name_start_birth",
            Self::NamesPlace => "names_place",
            Self::NameStartsPlace => "name_starts_place",
            Self::BirthPlace => "birth_place",
            Self::NameEmployer => "name_employer",
            Self::NamesYear => "names_year",
            Self::CompanyNumber => "company_number",
            Self::Rea => "rea",
            Self::CompanyNamePlace => "company_name_place",
        }
    }

    /// The family of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// Whose key makes its tokens, and whose budget they are charged to.
    pub fn class(self) -> Class {
        match self {
            Self::CodiceFiscale
            | Self::ProvisionalCodiceFiscale
            | Self::Permit
            | Self::Passport
            | Self::Phone => Class::PersonStrong,
            Self::NameBirth
            | Self::NameStartBirth
            | Self::NamesPlace
            | Self::NameStartsPlace
            | Self::BirthPlace
            | Self::NameEmployer
            | Self::NamesYear => Class::PersonWeak,
            Self::CompanyNumber | Self::Rea | Self::CompanyNamePlace => Class::Company,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One piece of evidence: a family and a normalised value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Of what kind.
    pub family: Family,
    /// The value, as it goes into the PRF.
    pub value: Secret<String>,
}

/// What is known of a person: each as often as it was ever seen, aliases among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Lasting and provisional codici fiscali.
    pub codici_fiscali: Vec<CodiceFiscale>,
    /// Permits (`document::permit`).
    pub permits: Vec<Secret<String>>,
    /// Passports (`document::passport`).
    pub passports: Vec<Secret<String>>,
    /// Phones (`phone::e164`).
    pub phones: Vec<Secret<String>>,
    /// Names and aliases.
    pub names: Vec<Name>,
    /// Dates of birth, as documents say them.
    pub births: Vec<Birth>,
    /// Where the person lives or has lived: comuni (`Comuni::code`), or postal codes.
    pub places: Vec<Secret<String>>,
    /// Employers: their numbers (`company_number`), or names with comune
    /// ([`name_with_place`]).
    pub employers: Vec<Secret<String>>,
}

impl Person {
    /// All evidence, each once, at most [`EVIDENCE_MAX`]. What the stop-list names makes none.
    pub fn evidence(&self, stops: &StopList) -> Vec<Evidence> {
        let mut gathered = Gathered::new(stops);
        for code in &self.codici_fiscali {
            let family = match code {
                CodiceFiscale::Lasting(_) => Family::CodiceFiscale,
                CodiceFiscale::Provisional(_) => Family::ProvisionalCodiceFiscale,
            };
            gathered.add(family, code.value().reveal());
        }
        for (family, values) in [
            (Family::Permit, &self.permits),
            (Family::Passport, &self.passports),
            (Family::Phone, &self.phones),
        ] {
            values.iter().for_each(|value| gathered.add(family, value.reveal()));
        }
        self.births.iter().for_each(|birth| self.born(birth, &mut gathered));
        for place in self.places(stops) {
            for name in &self.names {
                let sounds = name.telling_pairs();
                sounds.for_each(|pair| gathered.join(Family::NamesPlace, &pair, place));
                let starts = name.start_pairs();
                starts.for_each(|pair| gathered.join(Family::NameStartsPlace, &pair, place));
            }
        }
        for employer in &self.employers {
            if !stops.has(Stop::Employer, employer.reveal()) {
                let parts = self.names.iter().flat_map(Name::sounds);
                parts.for_each(|part| gathered.pair(Family::NameEmployer, part, employer));
            }
        }
        gathered.finish()
    }

    fn born(&self, birth: &Birth, gathered: &mut Gathered<'_>) {
        let year = birth.year();
        for name in &self.names {
            name.pairs().for_each(|pair| gathered.join(Family::NamesYear, &pair, &year));
        }
        let Some(full) = birth.full() else { return };
        for name in &self.names {
            name.sounds().for_each(|part| gathered.pair(Family::NameBirth, part, &full));
            name.starts().for_each(|part| gathered.pair(Family::NameStartBirth, part, &full));
        }
        for place in self.places(gathered.stops) {
            gathered.join(Family::BirthPlace, &full, place);
        }
    }

    fn places(&self, stops: &StopList) -> impl Iterator<Item = &Secret<String>> {
        self.places.iter().filter(|place| !stops.has(Stop::Place, place.reveal()))
    }
}

/// What is known of a company. A sole trader is a person besides: its codice fiscale of 16
/// characters belongs into [`Person`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Company {
    /// Partite IVA and numeric codici fiscali (`company_number::partita_iva`).
    pub numbers: Vec<Secret<String>>,
    /// REA numbers (`company_number::rea`).
    pub rea: Vec<Secret<String>>,
    /// Names (`company_name::company_name`) with comuni ([`name_with_place`]).
    pub names: Vec<Secret<String>>,
}

impl Company {
    /// All evidence, each once, at most [`EVIDENCE_MAX`].
    pub fn evidence(&self, stops: &StopList) -> Vec<Evidence> {
        let mut gathered = Gathered::new(stops);
        for (family, values) in [
            (Family::CompanyNumber, &self.numbers),
            (Family::Rea, &self.rea),
            (Family::CompanyNamePlace, &self.names),
        ] {
            values.iter().for_each(|value| gathered.add(family, value.reveal()));
        }
        gathered.finish()
    }
}

/// A company's name with a place, as evidence and as an employer: `ROSSI|D612`.
pub fn name_with_place(name: &Secret<String>, place: &str) -> Secret<String> {
    Secret::new(format!("{}|{place}", name.reveal()))
}

/// Evidence while it is gathered: sorted by family, then value, each once.
struct Gathered<'a> {
    stops: &'a StopList,
    found: BTreeSet<(Family, Hidden)>,
}

impl<'a> Gathered<'a> {
    fn new(stops: &'a StopList) -> Self {
        Self { stops, found: BTreeSet::new() }
    }

    fn add(&mut self, family: Family, value: &str) {
        let stop = match family {
            Family::Phone => Some(Stop::Phone),
            Family::CompanyNumber | Family::Rea | Family::CompanyNamePlace => Some(Stop::Company),
            _ => None,
        };
        if !stop.is_some_and(|stop| self.stops.has(stop, value)) {
            self.found.insert((family, Hidden(value.to_owned())));
        }
    }

    fn pair(&mut self, family: Family, one: &str, other: &Secret<String>) {
        self.add(family, &format!("{one}|{}", other.reveal()));
    }

    fn join(&mut self, family: Family, one: &Secret<String>, other: &Secret<String>) {
        self.pair(family, one.reveal(), other);
    }

    fn finish(self) -> Vec<Evidence> {
        let found = self.found.into_iter().take(EVIDENCE_MAX);
        found.map(|(family, value)| Evidence { family, value: Secret::new(value.0) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::company_name::company_name;
    use crate::normal::{company_number, document, phone};

    fn person() -> Person {
        Person {
            names: vec![Name::parse("Kamal Hossain").unwrap()],
            births: vec![Birth::parse("1990-03-04").unwrap()],
            ..Person::default()
        }
    }

    fn found(person: &Person) -> Vec<(Family, String)> {
        let evidence = person.evidence(&StopList::default());
        evidence.into_iter().map(|one| (one.family, one.value.reveal().clone())).collect()
    }

    fn count(person: &Person, family: Family) -> usize {
        found(person).iter().filter(|(one, _)| *one == family).count()
    }

    #[test]
    fn families_are_read_back_and_ordered() {
        for family in Family::ALL {
            assert_eq!(Family::from_name(family.name()), Some(family));
        }
        assert!(Family::ALL.is_sorted());
        assert_eq!(Family::from_name("name"), None);
    }

    #[test]
    fn names_and_date_make_five() {
        let expected = [
            (Family::NameBirth, "HSN|1990.03.04".to_owned()),
            (Family::NameBirth, "KML|1990.03.04".to_owned()),
            (Family::NameStartBirth, "HOSS|1990.03.04".to_owned()),
            (Family::NameStartBirth, "KAMA|1990.03.04".to_owned()),
            (Family::NamesYear, "HSN KML|1990".to_owned()),
        ];
        assert_eq!(found(&person()), expected);
    }

    #[test]
    fn default_dates_are_weak() {
        let person = Person { births: vec![Birth::parse("1990-01-01").unwrap()], ..person() };
        assert_eq!(count(&person, Family::NameBirth), 0);
        assert_eq!(count(&person, Family::NameStartBirth), 0);
        assert_eq!(count(&person, Family::NamesYear), 1);
    }

    #[test]
    fn frequent_names_alone_are_weak() {
        let places = vec![Secret::new("D612".to_owned())];
        let person = Person { names: vec![Name::parse("Md Singh").unwrap()], places, ..person() };
        assert_eq!(count(&person, Family::NameBirth), 0);
        assert_eq!(count(&person, Family::NamesPlace), 0);
        assert_eq!(count(&person, Family::NameStartsPlace), 0);
        assert_eq!(count(&person, Family::NameStartBirth), 0);
        assert_eq!(count(&person, Family::NamesYear), 1);
    }

    #[test]
    fn everything_that_was_ever_seen_counts() {
        let person = Person {
            codici_fiscali: vec![
                CodiceFiscale::parse("RSSMRA85T10A562S").unwrap(),
                CodiceFiscale::parse("00743110157").unwrap(),
            ],
            permits: vec![document::permit("I00123456").unwrap()],
            passports: vec![document::passport("BD", "AB1234567").unwrap()],
            phones: vec![
                phone::e164("3331234567").unwrap(),
                phone::e164("+39 333 1234567").unwrap(),
                phone::e164("+8801712345678").unwrap(),
            ],
            names: vec![
                Name::parse("Kamal Hossain").unwrap(),
                Name::parse("Hossain Md Kamal").unwrap(),
            ],
            places: vec![Secret::new("D612".to_owned())],
            employers: vec![company_number::partita_iva("00743110157").unwrap()],
            ..person()
        };
        let families: Vec<Family> = found(&person).into_iter().map(|(family, _)| family).collect();
        let expected = [
            Family::CodiceFiscale,
            Family::ProvisionalCodiceFiscale,
            Family::Permit,
            Family::Passport,
            Family::Phone,
            Family::Phone,
            Family::NameBirth,
            Family::NameBirth,
            Family::NameStartBirth,
            Family::NameStartBirth,
            Family::NamesPlace,
            Family::NameStartsPlace,
            Family::BirthPlace,
            Family::NameEmployer,
            Family::NameEmployer,
            Family::NamesYear,
        ];
        assert_eq!(families, expected);
    }

    #[test]
    fn too_much_is_cut_from_the_weak_end() {
        let names = (0..10).map(|at| format!("Anna{at} Bianchi Carla Dorotea"));
        let places = (0..9).map(|at| Secret::new(format!("D61{at}")));
        let person = Person {
            phones: vec![phone::e164("3331234567").unwrap()],
            names: names.filter_map(|name| Name::parse(&name)).collect(),
            places: places.collect(),
            ..person()
        };
        let found = found(&person);
        assert_eq!(found.len(), EVIDENCE_MAX);
        assert_eq!(found.first().map(|(family, _)| *family), Some(Family::Phone));
    }

    #[test]
    fn stopped_values_are_no_evidence() {
        let centre = phone::e164("055123456").unwrap();
        let agency = company_number::partita_iva("00743110157").unwrap();
        let place = Secret::new("D612".to_owned());
        let person = Person {
            phones: vec![centre.clone()],
            places: vec![place.clone()],
            employers: vec![agency.clone()],
            ..person()
        };
        assert_eq!(found(&person).len(), 11);
        let mut stops = StopList::default();
        stops.add(Stop::Phone, &centre);
        stops.add(Stop::Place, &place);
        stops.add(Stop::Employer, &agency);
        assert_eq!(person.evidence(&stops).len(), 5);
        let company = Company { numbers: vec![agency.clone()], ..Company::default() };
        assert_eq!(company.evidence(&stops).len(), 1);
        stops.add(Stop::Company, &agency);
        assert_eq!(company.evidence(&stops).len(), 0);
        assert!(!format!("{stops:?}").contains("0074"));
    }

    #[test]
    fn companies() {
        let name = company_name("Tessitura Rossi srl").unwrap();
        let company = Company {
            numbers: vec![company_number::partita_iva("IT00743110157").unwrap()],
            rea: vec![company_number::rea("fi 0123456").unwrap()],
            names: vec![name_with_place(&name, "D612")],
        };
        let values: Vec<String> = company
            .evidence(&StopList::default())
            .iter()
            .map(|one| format!("{}:{}", one.family, one.value.reveal()))
            .collect();
        let expected = [
            "company_number:00743110157",
            "rea:FI-123456",
            "company_name_place:ROSSI TESSITURA|D612",
        ];
        assert_eq!(values, expected);
    }
}
