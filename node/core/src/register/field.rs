//! The fields of a record, declared in one place: names, parts, and whose they are.

use super::RecordKind;

/// Kinds of identity documents.
pub const DOCUMENT_KINDS: [&str; 4] = ["passport", "residence_permit", "identity_card", "other"];

/// What an identifying value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The number under which the organisation keeps the file: at most one.
    Reference,
    /// Name of a person: family names and given names. Where it is not known which is which,
    /// all of them stand among the family names.
    Name,
    /// Birth date `YYYY-MM-DD`, or `YYYY-MM` or `YYYY` where no more is known.
    BirthDate,
    /// Codice fiscale, final or provisional.
    FiscalCode,
    /// Identity document: kind ([`DOCUMENT_KINDS`]), number, issuing country (ISO 3166-1).
    Document,
    /// Telephone number.
    Phone,
    /// Address: street with number, comune (ISTAT code).
    Address,
    /// Employer of a person, by name, partita IVA or codice fiscale.
    Employer,
    /// Name of a company.
    CompanyName,
    /// Partita IVA.
    VatNumber,
    /// Number in the REA, with the letters of its province: `FI-123456`.
    ReaNumber,
}

impl Field {
    /// All fields.
    pub const ALL: [Self; 11] = [
        Self::Reference,
        Self::Name,
        Self::BirthDate,
        Self::FiscalCode,
        Self::Document,
        Self::Phone,
        Self::Address,
        Self::Employer,
        Self::CompanyName,
        Self::VatNumber,
        Self::ReaNumber,
    ];

    /// The name in what is sealed, in refusals and in the audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Name => "name",
            Self::BirthDate => "birth_date",
            Self::FiscalCode => "fiscal_code",
            Self::Document => "document",
            Self::Phone => "phone",
            Self::Address => "address",
            Self::Employer => "employer",
            Self::CompanyName => "company_name",
            Self::VatNumber => "vat_number",
            Self::ReaNumber => "rea_number",
        }
    }

    /// The field of a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == text)
    }

    /// Names of its parts, in order.
    pub fn parts(self) -> &'static [&'static str] {
        match self {
            Self::Name => &["family", "given"],
            Self::Document => &["kind", "number", "country"],
            Self::Address => &["street", "comune"],
            _ => &["value"],
        }
    }

    /// Whether a record of this kind may hold it.
    pub fn suits(self, kind: RecordKind) -> bool {
        match self {
            Self::Reference | Self::FiscalCode | Self::Phone | Self::Address => true,
            Self::Name | Self::BirthDate | Self::Document | Self::Employer => {
                kind == RecordKind::Person
            }
            Self::CompanyName | Self::VatNumber | Self::ReaNumber => kind == RecordKind::Company,
        }
    }

    /// Whether the value is a number or code, in which spaces and punctuation mean nothing.
    pub fn is_code(self) -> bool {
        !matches!(self, Self::Name | Self::Address | Self::Employer | Self::CompanyName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_what_they_write() {
        for field in Field::ALL {
            assert_eq!(Field::parse(field.as_str()), Some(field));
            assert!(RecordKind::ALL.into_iter().any(|kind| field.suits(kind)));
            assert!(!field.parts().is_empty());
        }
        assert_eq!(Field::parse("notes"), None);
    }
}
