//! What the columns of a file mean, whoever wrote it.

use anyhow::{Context as _, bail, ensure};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// Names the record.
    Id,
    /// All parts of a name.
    Name,
    /// Given names.
    Given,
    /// Family names.
    Family,
    /// A date of birth.
    Birth,
    /// A codice fiscale.
    FiscalCode,
    /// Any other identifier.
    Number,
    /// A phone.
    Phone,
    /// A comune, its code, or a postal code.
    Place,
    /// An employer: a partita IVA, or any text.
    Employer,
    /// A passport.
    Passport,
    /// Sex: `F` or `M`, and words for them.
    Sex,
    /// Citizenship, ISO 3166-1.
    Citizenship,
    /// A company's name: the file is about companies.
    Company,
    /// A partita IVA.
    VatNumber,
    /// A REA number.
    Rea,
}

use Meaning::{
    Birth, Citizenship, Company, Employer, Family, FiscalCode, Given, Id, Name, Number, Passport,
    Phone, Place, Rea, Sex, VatNumber,
};

/// Words for columns: capitals, spaces and signs do not matter, nor a number at the end.
const WORDS: &[(Meaning, &[&str])] = &[
    (Id, &["id", "recid", "recordid", "record", "uid", "key"]),
    (Name, &["name", "fullname", "nome completo", "nominativo"]),
    (Given, &["given", "givenname", "firstname", "forename", "nome"]),
    (Family, &["family", "familyname", "surname", "lastname", "cognome"]),
    (Birth, &["birth", "dateofbirth", "birthdate", "dob", "datadinascita", "datanascita", "born"]),
    (FiscalCode, &["fiscalcode", "codicefiscale", "cf", "taxcode"]),
    (Number, &["number", "socsecid", "ssn", "nationalid", "document", "documento", "permit"]),
    (Phone, &["phone", "phonenumber", "telephone", "mobile", "telefono", "cellulare"]),
    (
        Place,
        &[
            "place",
            "postcode",
            "postalcode",
            "zip",
            "zipcode",
            "cap",
            "comune",
            "city",
            "town",
            "suburb",
        ],
    ),
    (Employer, &["employer", "datoredilavoro", "azienda"]),
    (Passport, &["passport", "passaporto"]),
    (Sex, &["sex", "gender", "sesso", "genere"]),
    (Citizenship, &["citizenship", "nationality", "cittadinanza", "nazionalita"]),
    (Company, &["company", "companyname", "ragionesociale", "denominazione", "ditta"]),
    (VatNumber, &["vat", "vatnumber", "partitaiva", "piva"]),
    (Rea, &["rea", "reanumber", "numerorea"]),
];

fn plain(header: &str) -> String {
    let letters = header.trim_start_matches('\u{feff}').chars().filter(|c| c.is_alphanumeric());
    let letters: String = letters.flat_map(char::to_lowercase).collect();
    letters.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned()
}

/// What a header means; none for a column that is not used.
pub fn meaning(header: &str) -> Option<Meaning> {
    let header = plain(header);
    let is = |words: &[&str]| words.iter().any(|word| plain(word) == header);
    WORDS.iter().find(|(_, words)| is(words)).map(|(meaning, _)| *meaning)
}

/// The meanings of all columns; what `without` names is left out, by header or meaning.
///
/// # Errors
/// No column that names the record, or more than one; no column to compare.
pub fn meanings(headers: &[String], without: &[String]) -> anyhow::Result<Vec<Option<Meaning>>> {
    let left_out = |header: &String| {
        let named = |word: &String| {
            plain(word) == plain(header)
                || meaning(word).is_some() && meaning(word) == meaning(header)
        };
        without.iter().any(named)
    };
    let found = headers.iter().map(|header| meaning(header).filter(|_| !left_out(header)));
    let found: Vec<Option<Meaning>> = found.collect();
    match found.iter().filter(|one| **one == Some(Id)).count() {
        1 => {}
        0 => bail!("no column `id` names the records; the header is: {}", headers.join(", ")),
        _ => bail!("more than one column names the records: {}", headers.join(", ")),
    }
    let compared = found.iter().flatten().any(|one| *one != Id);
    ensure!(compared, "no column to compare; the header is: {}", headers.join(", "));
    Ok(found)
}

/// The places of the two columns of a truth file: `left` and `right`, or the only two.
///
/// # Errors
/// There are more, and none is called so.
pub fn sides(headers: &[String]) -> anyhow::Result<(usize, usize)> {
    let of = |side: &str| headers.iter().position(|header| plain(header).contains(side));
    let named = of("left").zip(of("right"));
    let only = (headers.len() == 2).then_some((0, 1));
    named.or(only).with_context(|| {
        format!("the truth has two columns, left and right; its header is: {}", headers.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn headers_are_known_however_they_are_written() {
        let check = |header: &str, expected: Option<Meaning>| {
            assert_eq!(meaning(header), expected, "{header}");
        };
        check("id", Some(Id));
        check("\u{feff}Rec_ID", Some(Id));
        check(" Given Name ", Some(Given));
        check("SURNAME", Some(Family));
        check("name2", Some(Name));
        check("date-of-birth", Some(Birth));
        check("Codice fiscale", Some(FiscalCode));
        check("soc_sec_id", Some(Number));
        check("postcode", Some(Place));
        check("state", None);
        check("", None);
    }

    #[test]
    fn columns_are_left_out_by_header_or_meaning() {
        let headers = strings(&["rec_id", "surname", "postcode", "soc_sec_id", "hair"]);
        let found = |without: &[&str]| meanings(&headers, &strings(without)).unwrap();
        assert_eq!(found(&[]), [Some(Id), Some(Family), Some(Place), Some(Number), None]);
        assert_eq!(found(&["place", "soc_sec_id"]), [Some(Id), Some(Family), None, None, None]);
    }

    #[test]
    fn what_is_missing_is_said() {
        let refused = |headers: &[&str]| meanings(&strings(headers), &[]).unwrap_err().to_string();
        assert!(refused(&["surname", "dob"]).contains("surname, dob"));
        assert!(refused(&["id", "rec_id", "dob"]).contains("more than one"));
        assert!(refused(&["id", "hair"]).contains("no column to compare"));
        assert!(sides(&strings(&["a", "b", "c"])).is_err());
        assert_eq!(sides(&strings(&["a", "b"])).unwrap(), (0, 1));
        assert_eq!(sides(&strings(&["n", "id_right", "id_left"])).unwrap(), (2, 1));
    }
}
