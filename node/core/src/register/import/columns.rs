//! What the columns of a file mean: by their names, or as somebody says.

use super::Unfit;
use crate::id::Digest;
use crate::object;
use crate::register::RecordKind;
use crate::secret::Secret;

/// The names of a target in headers, all in the form that [`folded`] makes.
type Aliases = (&'static str, &'static [&'static str]);

/// What identifies people, and where a case stands.
const PERSON: &[Aliases] = &[
    ("family_name", &["cognome", "cognomi", "family name", "surname", "last name"]),
    ("given_name", &["nome", "nomi", "given name", "given names", "first name"]),
    (
        "full_name",
        &["nominativo", "cognome e nome", "nome e cognome", "cognome nome", "full name", "name"],
    ),
    ("alias", &["alias", "detto", "altro nome", "altri nomi", "aka", "also known as"]),
    (
        "birth_date",
        &[
            "data di nascita",
            "data nascita",
            "nato il",
            "nata il",
            "birth date",
            "date of birth",
            "dob",
        ],
    ),
    ("fiscal_code", &["codice fiscale", "cod fiscale", "cf", "c f", "fiscal code", "tax code"]),
    (
        "phone",
        &[
            "telefono",
            "cellulare",
            "tel",
            "cell",
            "numero di telefono",
            "phone",
            "mobile",
            "telephone",
        ],
    ),
    ("passport", &["passaporto", "numero passaporto", "passport", "passport number"]),
    (
        "residence_permit",
        &["permesso di soggiorno", "permesso", "numero permesso", "residence permit"],
    ),
    (
        "identity_card",
        &["carta di identita", "carta identita", "carta d identita", "identity card"],
    ),
    ("document", &["documento", "numero documento", "document", "document number"]),
    ("street", &["indirizzo", "via", "residenza", "domicilio", "address", "street"]),
    ("comune", &["comune", "citta", "comune di residenza", "city", "municipality"]),
    ("employer", &["datore di lavoro", "datore", "azienda", "ditta", "impresa", "employer"]),
    (
        "reference",
        &[
            "id",
            "numero pratica",
            "pratica",
            "codice caso",
            "riferimento",
            "fascicolo",
            "case number",
            "reference",
        ],
    ),
    ("state", &["stato", "stato del caso", "state", "case state"]),
    ("manager", &["operatore", "case manager", "responsabile", "manager"]),
];

/// What identifies companies.
const COMPANY: &[Aliases] = &[
    (
        "company_name",
        &[
            "ragione sociale",
            "denominazione",
            "impresa",
            "azienda",
            "ditta",
            "nome",
            "name",
            "company",
            "company name",
        ],
    ),
    ("vat_number", &["partita iva", "p iva", "piva", "p i", "vat", "vat number"]),
    ("fiscal_code", &["codice fiscale", "cod fiscale", "cf", "c f", "fiscal code", "tax code"]),
    ("rea_number", &["rea", "numero rea", "n rea", "rea number"]),
    ("phone", &["telefono", "cellulare", "tel", "numero di telefono", "phone", "telephone"]),
    ("street", &["indirizzo", "sede", "sede legale", "via", "address", "street"]),
    ("comune", &["comune", "citta", "comune sede", "city", "municipality"]),
    ("sole_trader", &["ditta individuale", "impresa individuale", "sole trader"]),
    ("reference", &["id", "riferimento", "codice", "reference"]),
];

/// Codes whose columns have Italian names; of the others only the name of the field.
const CODES: &[Aliases] = &[
    ("gender", &["sesso", "genere", "gender", "sex"]),
    ("citizenship", &["cittadinanza", "nazionalita", "citizenship", "nationality"]),
    ("languages", &["lingua", "lingue", "language", "languages"]),
    ("exploitation", &["sfruttamento", "tipo di sfruttamento", "exploitation"]),
    ("sector", &["settore", "ateco", "sector"]),
    ("province", &["provincia", "prov", "province"]),
    ("needs", &["bisogni", "needs"]),
    ("urgency", &["urgenza", "urgency"]),
    ("minor", &["minore", "minorenne", "minor"]),
    ("role", &["ruolo", "role"]),
    ("workersBand", &["lavoratori", "numero lavoratori", "workers"]),
];

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Something of the register, such as `family_name`.
    Value(&'static str),
    /// A field of the codes, by JSON name.
    Code(&'static str),
    /// Nothing that is imported.
    Ignored,
}

impl Target {
    /// The target of a name; `-` is [`Target::Ignored`].
    pub fn parse(kind: RecordKind, name: &str) -> Option<Self> {
        if name == "-" {
            return Some(Self::Ignored);
        }
        let value = values(kind).iter().find(|(target, _)| *target == name);
        let value = value.map(|(target, _)| Self::Value(target));
        value.or_else(|| code(kind, name))
    }

    /// What a header most likely means; an empty one means nothing.
    pub fn guess(kind: RecordKind, header: &str) -> Option<Self> {
        let header = folded(header);
        if header.is_empty() {
            return Some(Self::Ignored);
        }
        let is = |name: &str| folded(name).replace(' ', "") == header.replace(' ', "");
        let means = |(target, aliases): &&Aliases| is(target) || aliases.contains(&header.as_str());
        if let Some((target, _)) = values(kind).iter().find(means) {
            return Some(Self::Value(target));
        }
        let coded = CODES.iter().find(means).and_then(|(name, _)| code(kind, name));
        coded.or_else(|| {
            let fields = alert_kind(kind).declaration().fields.iter();
            let names = fields.map(|field| field.name);
            names.into_iter().find(|name| is(name)).and_then(|name| code(kind, name))
        })
    }

    /// All names that a column of such a file can be given, `-` not among them.
    pub fn names(kind: RecordKind) -> Vec<&'static str> {
        let own = values(kind).iter().map(|(target, _)| *target);
        let fields = alert_kind(kind).declaration().fields.iter().map(|field| field.name);
        own.chain(fields.filter(|name| code(kind, name).is_some())).collect()
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Value(name) | Self::Code(name) => name,
            Self::Ignored => "-",
        }
    }
}

fn values(kind: RecordKind) -> &'static [Aliases] {
    match kind {
        RecordKind::Person => PERSON,
        RecordKind::Company => COMPANY,
    }
}

/// Whose alerts have the codes.
pub(super) fn alert_kind(kind: RecordKind) -> object::Kind {
    match kind {
        RecordKind::Person => object::Kind::Case,
        RecordKind::Company => object::Kind::Company,
    }
}

/// A field of the codes that a file may hold; what the node makes is not one.
fn code(kind: RecordKind, name: &str) -> Option<Target> {
    let field = alert_kind(kind).field(name)?;
    let made = matches!(field.form, object::Form::Tags(_) | object::Form::Uuids(_));
    (!made && field.name != "comune").then_some(Target::Code(field.name))
}

/// Small letters without accents, everything else one space.
pub(super) fn folded(text: &str) -> String {
    let plain = |letter: char| match letter {
        'à' | 'á' | 'â' | 'ä' => 'a',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ò' | 'ó' | 'ô' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        letter if letter.is_alphanumeric() => letter,
        _ => ' ',
    };
    let text: String = text.to_lowercase().chars().map(plain).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the columns of one file mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns(Vec<Target>);

impl Columns {
    /// Decides from the header, after what somebody says: a column by header or by number from
    /// 1, and its target.
    ///
    /// # Errors
    /// A column is not understood, something is said of none or twice, or nothing identifies.
    pub fn decide(
        kind: RecordKind,
        header: &[Secret<String>],
        said: &[(String, Target)],
    ) -> Result<Self, Unfit> {
        let mut used = Vec::new();
        let mut columns = Vec::new();
        let mut unknown = Vec::new();
        for (place, name) in header.iter().enumerate() {
            let name = tidied(name.reveal());
            let number = place.saturating_add(1);
            let is = |column: &str| column == number.to_string() || column == name;
            let named = said.iter().position(|(column, _)| is(column));
            used.extend(named);
            let named = named.and_then(|place| said.get(place)).map(|(_, target)| target.clone());
            match named.or_else(|| Target::guess(kind, name)) {
                Some(target) => columns.push(target),
                None => unknown.push(number),
            }
        }
        if !unknown.is_empty() {
            return Err(Unfit::Unknown(unknown));
        }
        if used.len() != said.len() {
            return Err(Unfit::NoSuchColumn);
        }
        Self::of(columns)
    }

    /// These targets, column by column.
    ///
    /// # Errors
    /// Two columns hold what a record has once, or nothing identifies.
    pub fn of(targets: Vec<Target>) -> Result<Self, Unfit> {
        for target in targets.iter().filter(|target| is_single(target)) {
            if targets.iter().filter(|other| *other == target).count() > 1 {
                return Err(Unfit::Twice(target.name()));
            }
        }
        let tells = |target: &Target| {
            matches!(target, Target::Value(name)
                if !["reference", "state", "manager", "comune", "sole_trader"].contains(name))
        };
        if targets.iter().any(tells) { Ok(Self(targets)) } else { Err(Unfit::Nobody) }
    }

    /// What each column holds.
    pub fn targets(&self) -> &[Target] {
        &self.0
    }

    /// What an import is known by: the file, and how it is read.
    pub fn source(&self, kind: RecordKind, file: &Digest, reading: &[&str]) -> Digest {
        let names: Vec<&str> = self.0.iter().map(Target::name).collect();
        let (kind, reading) = (kind.as_str(), reading.join(" "));
        let text = format!("{kind}\n{file}\n{reading}\n{}", names.join("\n"));
        Digest::of(text.as_bytes())
    }
}

/// A header without what programs put around it.
pub fn tidied(header: &str) -> &str {
    header.trim_start_matches('\u{feff}').trim()
}

/// Whether a record has it once at most.
fn is_single(target: &Target) -> bool {
    const SINGLE: [&str; 7] =
        ["family_name", "given_name", "street", "comune", "reference", "state", "manager"];
    matches!(target, Target::Code(_))
        || matches!(target, Target::Value(name) if SINGLE.contains(name) || *name == "sole_trader")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(
        kind: RecordKind,
        header: &str,
        said: &[(&str, &str)],
    ) -> Result<Vec<&'static str>, Unfit> {
        let header: Vec<_> = header.split(';').map(|name| Secret::new(name.to_owned())).collect();
        let said = said.iter().map(|(column, name)| {
            ((*column).to_owned(), Target::parse(kind, name).expect("a known name"))
        });
        let columns = Columns::decide(kind, &header, &said.collect::<Vec<_>>())?;
        Ok(columns.targets().iter().map(Target::name).collect())
    }

    fn check(kind: RecordKind, header: &str, said: &[(&str, &str)], expected: &[&str]) {
        assert_eq!(decide(kind, header, said).unwrap(), expected, "{header}");
    }

    #[test]
    fn headers_in_two_languages() {
        use RecordKind::{Company, Person};
        let header =
            "\u{feff}COGNOME;Nome;Data di nascita;C.F.;Cittadinanza;Città;Telefono;Cellulare";
        let expected = [
            "family_name",
            "given_name",
            "birth_date",
            "fiscal_code",
            "citizenship",
            "comune",
            "phone",
            "phone",
        ];
        check(Person, header, &[], &expected);
        check(
            Person,
            "Surname;First name;Date of birth;age band",
            &[],
            &["family_name", "given_name", "birth_date", "ageBand"],
        );
        check(
            Person,
            "family_name;traffickingStatus;",
            &[],
            &["family_name", "traffickingStatus", "-"],
        );
        check(
            Company,
            "Ragione sociale;P.IVA;REA;Sede legale;Ditta individuale",
            &[],
            &["company_name", "vat_number", "rea_number", "street", "sole_trader"],
        );
    }

    #[test]
    fn people_know_better() {
        let said = [("Tel. 2", "phone"), ("3", "-"), ("Nome", "full_name")];
        check(RecordKind::Person, "Nome;Tel. 2;Note", &said, &["full_name", "phone", "-"]);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let refused = |kind, header: &str, said: &[(&str, &str)], unfit: Unfit| {
            assert_eq!(decide(kind, header, said).unwrap_err(), unfit, "{header}");
        };
        let person = RecordKind::Person;
        refused(person, "Cognome;Canarino", &[], Unfit::Unknown(vec![2]));
        refused(person, "Cognome", &[("2", "phone")], Unfit::NoSuchColumn);
        refused(person, "Cognome;Surname", &[], Unfit::Twice("family_name"));
        refused(person, "Comune;Stato", &[], Unfit::Nobody);
        refused(RecordKind::Company, "P.IVA;tags", &[], Unfit::Unknown(vec![2]));
    }

    #[test]
    fn every_name_is_read() {
        for kind in RecordKind::ALL {
            for name in Target::names(kind) {
                assert_eq!(Target::parse(kind, name).map(|target| target.name()), Some(name));
            }
            assert_eq!(Target::parse(kind, "tags"), None);
        }
    }

    #[test]
    fn another_reading_is_another_import() {
        use RecordKind::{Company, Person};
        let columns = |targets: &[Target]| Columns(targets.to_vec());
        let one = columns(&[Target::Value("phone")]);
        let source = one.source(Person, &Digest([1; 32]), &["utf-8", ";"]);
        assert_eq!(source, one.source(Person, &Digest([1; 32]), &["utf-8", ";"]));
        assert_ne!(source, one.source(Person, &Digest([2; 32]), &["utf-8", ";"]));
        assert_ne!(source, one.source(Company, &Digest([1; 32]), &["utf-8", ";"]));
        assert_ne!(source, one.source(Person, &Digest([1; 32]), &["utf-8", ","]));
        let other = columns(&[Target::Value("alias")]);
        assert_ne!(source, other.source(Person, &Digest([1; 32]), &["utf-8", ";"]));
    }
}
