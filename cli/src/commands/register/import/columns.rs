//! What the columns of a file mean: by their names, by `--map`, or by a mapping file.

use std::collections::BTreeMap;
use std::path::Path;

use raccordo_core::id::Digest;
use raccordo_core::object;
use raccordo_core::secret::Secret;
use serde::Deserialize;

use super::Kind;
use crate::failure::Failure;
use crate::files;

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
pub(super) enum Target {
    /// Something of the register, such as `family_name`.
    Value(&'static str),
    /// A field of the codes, by JSON name.
    Code(&'static str),
    /// Nothing that is imported.
    Ignored,
}

impl Target {
    /// The target of a name in `--map`.
    fn parse(kind: Kind, name: &str) -> Option<Self> {
        if name == "-" {
            return Some(Self::Ignored);
        }
        let value = values(kind).iter().find(|(target, _)| *target == name);
        let value = value.map(|(target, _)| Self::Value(target));
        value.or_else(|| code(kind, name))
    }

    /// What a header most likely means.
    fn guess(kind: Kind, header: &str) -> Option<Self> {
        let header = folded(header);
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

    fn name(&self) -> &'static str {
        match self {
            Self::Value(name) | Self::Code(name) => name,
            Self::Ignored => "-",
        }
    }
}

fn values(kind: Kind) -> &'static [Aliases] {
    match kind {
        Kind::Person => PERSON,
        Kind::Company => COMPANY,
    }
}

/// Whose alerts have the codes.
pub(super) fn alert_kind(kind: Kind) -> object::Kind {
    match kind {
        Kind::Person => object::Kind::Case,
        Kind::Company => object::Kind::Company,
    }
}

/// A field of the codes that a file may hold; what the node makes is not one.
fn code(kind: Kind, name: &str) -> Option<Target> {
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

/// A mapping file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingFile {
    /// Target by header or number of the column.
    columns: BTreeMap<String, String>,
}

/// What the columns of one file mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns(Vec<Target>);

impl Columns {
    /// Decides from the header, after what the operator says (`COLUMN=FIELD`).
    ///
    /// # Errors
    /// A mapping is malformed, a column is not understood, or nothing identifies. No message
    /// repeats the header: a file without one begins with somebody's data.
    pub(super) fn decide(
        kind: Kind,
        header: &[Secret<String>],
        mapping: Option<&Path>,
        maps: &[String],
    ) -> Result<Self, Failure> {
        let said = said(kind, mapping, maps)?;
        let mut used = Vec::new();
        let mut columns = Vec::new();
        let mut unknown = Vec::new();
        for (place, name) in header.iter().enumerate() {
            let name = name.reveal().trim_start_matches('\u{feff}').trim();
            let number = (place + 1).to_string();
            let named = said.iter().position(|(column, _)| *column == number || column == name);
            used.extend(named);
            let named = named.and_then(|place| said.get(place)).map(|(_, target)| target.clone());
            match named.or_else(|| Target::guess(kind, name)) {
                Some(target) => columns.push(target),
                None if name.is_empty() => columns.push(Target::Ignored),
                None => unknown.push(number),
            }
        }
        if !unknown.is_empty() {
            let message = format!("no known meaning of column {}", unknown.join(", "));
            return Err(Failure::usage("unknown_column", message).hint(format!(
                "the first line must hold the names of the columns; say what they mean with \
                 --map NUMBER=FIELD, or leave one out with --map NUMBER=-; fields: {}",
                names(kind)
            )));
        }
        if used.len() != said.len() {
            let message = "a mapping names a column that is not there, or two name the same one";
            return Err(Failure::usage("bad_mapping", message)
                .hint("columns are named by their header or their number, from 1"));
        }
        let columns = Self(columns);
        columns.whole()?;
        Ok(columns)
    }

    /// What single columns may not be twice, and that something identifies.
    fn whole(&self) -> Result<(), Failure> {
        for target in self.0.iter().filter(|target| is_single(target)) {
            if self.0.iter().filter(|other| *other == target).count() > 1 {
                let message = format!("two columns are `{}`", target.name());
                return Err(Failure::usage("bad_mapping", message)
                    .hint("leave one out with --map NUMBER=-"));
            }
        }
        let tells = |target: &Target| {
            matches!(target, Target::Value(name)
                if !["reference", "state", "manager", "comune", "sole_trader"].contains(name))
        };
        if self.0.iter().any(tells) {
            return Ok(());
        }
        Err(Failure::usage("bad_mapping", "no column identifies anybody")
            .hint("is the separator right? say it with --delimiter"))
    }

    /// What each column holds.
    pub(super) fn targets(&self) -> &[Target] {
        &self.0
    }

    /// What an import is known by: the file, and how it is read.
    pub(super) fn source(&self, kind: Kind, file: &Digest, reading: &[&str]) -> Digest {
        let names: Vec<&str> = self.0.iter().map(Target::name).collect();
        let text = format!("{}\n{file}\n{}\n{}", kind.name(), reading.join(" "), names.join("\n"));
        Digest::of(text.as_bytes())
    }
}

/// Whether a record has it once at most.
fn is_single(target: &Target) -> bool {
    const SINGLE: [&str; 7] =
        ["family_name", "given_name", "street", "comune", "reference", "state", "manager"];
    matches!(target, Target::Code(_))
        || matches!(target, Target::Value(name) if SINGLE.contains(name) || *name == "sole_trader")
}

fn said(
    kind: Kind,
    mapping: Option<&Path>,
    maps: &[String],
) -> Result<Vec<(String, Target)>, Failure> {
    let mut pairs = Vec::new();
    if let Some(path) = mapping {
        let file: MappingFile = toml::from_str(&files::read_text(path)?).map_err(|error| {
            let message = format!("{}: {}", path.display(), error.message());
            Failure::usage("bad_mapping", message)
                .hint("it holds a table [columns] with lines like: \"Tel. 2\" = \"phone\"")
        })?;
        pairs.extend(file.columns);
    }
    for map in maps {
        let (column, target) = map.rsplit_once('=').ok_or_else(|| {
            Failure::usage("bad_mapping", "a mapping is written COLUMN=FIELD")
                .hint("for example: --map 'Tel. 2=phone'")
        })?;
        pairs.push((column.to_owned(), target.to_owned()));
    }
    let target = |(column, name): (String, String)| {
        let target = Target::parse(kind, name.trim()).ok_or_else(|| {
            Failure::usage("bad_mapping", "a mapping names no known field")
                .hint(format!("fields: {}; or - to leave a column out", names(kind)))
        })?;
        Ok((column.trim().to_owned(), target))
    };
    pairs.into_iter().map(target).collect()
}

/// All fields that a column can be.
fn names(kind: Kind) -> String {
    let own = values(kind).iter().map(|(target, _)| *target);
    let fields = alert_kind(kind).declaration().fields.iter().map(|field| field.name);
    let coded = fields.filter(|name| code(kind, name).is_some());
    own.chain(coded).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(kind: Kind, header: &str, maps: &[&str]) -> Result<Vec<&'static str>, Failure> {
        let header: Vec<_> = header.split(';').map(|name| Secret::new(name.to_owned())).collect();
        let maps: Vec<String> = maps.iter().map(|map| (*map).to_owned()).collect();
        let columns = Columns::decide(kind, &header, None, &maps)?;
        Ok(columns.targets().iter().map(Target::name).collect())
    }

    fn check(kind: Kind, header: &str, maps: &[&str], expected: &[&str]) {
        assert_eq!(decide(kind, header, maps).unwrap(), expected, "{header}");
    }

    #[test]
    fn headers_in_two_languages() {
        use Kind::{Company, Person};
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
    fn operators_know_better() {
        let maps = ["Tel. 2=phone", "3=-", "Nome=full_name"];
        check(Kind::Person, "Nome;Tel. 2;Note", &maps, &["full_name", "phone", "-"]);
    }

    fn refused(kind: Kind, header: &str, maps: &[&str], code: &str) {
        let failure = decide(kind, header, maps).unwrap_err();
        assert_eq!((failure.code.as_str(), failure.exit), (code, 2), "{header}");
        assert!(!failure.to_string().contains("Canarino"), "{failure}");
    }

    #[test]
    fn what_is_not_understood_is_refused_without_words_of_it() {
        refused(Kind::Person, "Cognome;Canarino", &[], "unknown_column");
        refused(Kind::Person, "Cognome", &["2=phone"], "bad_mapping");
        refused(Kind::Person, "Cognome;x", &["2=Canarino"], "bad_mapping");
        refused(Kind::Person, "Cognome;x", &["Canarino"], "bad_mapping");
        refused(Kind::Person, "Cognome;Surname", &[], "bad_mapping");
        refused(Kind::Person, "Comune;Stato", &[], "bad_mapping");
        refused(Kind::Company, "P.IVA;tags", &[], "unknown_column");
    }

    #[test]
    fn mapping_files_are_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[columns]\n\"Tel.\" = \"phone\"\n2 = \"-\"\n").unwrap();
        let header = ["Tel.", "x"].map(|name| Secret::new(name.to_owned()));
        let columns = Columns::decide(Kind::Person, &header, Some(file.path()), &[]).unwrap();
        assert_eq!(columns.targets(), [Target::Value("phone"), Target::Ignored]);
    }

    #[test]
    fn another_reading_is_another_import() {
        let columns = |targets: &[Target]| Columns(targets.to_vec());
        let one = columns(&[Target::Value("phone")]);
        let source = one.source(Kind::Person, &Digest([1; 32]), &["utf-8", ";"]);
        assert_eq!(source, one.source(Kind::Person, &Digest([1; 32]), &["utf-8", ";"]));
        assert_ne!(source, one.source(Kind::Person, &Digest([2; 32]), &["utf-8", ";"]));
        assert_ne!(source, one.source(Kind::Company, &Digest([1; 32]), &["utf-8", ";"]));
        assert_ne!(source, one.source(Kind::Person, &Digest([1; 32]), &["utf-8", ","]));
        let other = columns(&[Target::Value("alias")]);
        assert_ne!(source, other.source(Kind::Person, &Digest([1; 32]), &["utf-8", ";"]));
    }
}
