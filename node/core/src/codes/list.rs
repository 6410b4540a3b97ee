//! One code list, and the strict reading of its file.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::Lang;
use super::form::CodeForm;
use super::search::{self, Folded};

/// Longest accepted file, in bytes; the list of comuni has some 230,000.
const FILE_BYTES_MAX: usize = 4 << 20;
/// Longest label, in bytes.
const LABEL_BYTES_MAX: usize = 400;
const FIRST_COLUMNS: [&str; 3] = ["code", "label_it", "label_en"];

/// Why a file is no code list: the operator's fault. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// Only known lists can be replaced.
    #[error("there is no code list of this name; `raccordo codes list` shows the names")]
    NoSuchList,
    /// A comment line at the top is missing or empty.
    #[error("the file must begin with a line `# {0}: …`")]
    Header(&'static str),
    /// The form of the codes is none.
    #[error("the line `# form: …` must hold lengths and letters, like 6 0-9 or 1-40 a-z_")]
    Form,
    /// The date is not `YYYY-MM-DD`.
    #[error("the line `# date: …` must hold a date like 2025-04-01")]
    Date,
    /// The first row is not `code,label_it,label_en`, then columns of different names.
    #[error("the first row must be `code,label_it,label_en`, then other columns")]
    Columns,
    /// A row that is no CSV, or has more or fewer columns than the first row.
    #[error("row {0} has other columns than the first row")]
    Row(usize),
    /// A code has not the form that the file gives to its codes.
    #[error("row {0} has no code of the form that `# form: …` says")]
    Code(usize),
    /// The Italian label is missing, or a label is too long.
    #[error("row {0} has no valid label")]
    Label(usize),
    /// A code stands twice.
    #[error("row {0} repeats a code")]
    Duplicate(usize),
    /// No code at all.
    #[error("the file holds no codes")]
    Empty,
    /// More than 4 MiB.
    #[error("the file is longer than 4 MiB")]
    TooLarge,
}

/// One entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code, as alerts carry it.
    pub code: String,
    /// Italian label.
    pub label_it: String,
    /// English label; the Italian one where there is no other.
    pub label_en: String,
    /// The wider code, in the list that [`List::parent_list`] names.
    pub parent: Option<String>,
    /// The columns after the labels, in the file's order.
    extra: Vec<String>,
}

impl Code {
    /// The label in one language.
    pub fn label(&self, lang: Lang) -> &str {
        match lang {
            Lang::It => &self.label_it,
            Lang::En => &self.label_en,
        }
    }
}

/// A versioned list of codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Its name, such as `exploitation`.
    pub name: String,
    /// Who publishes the codes, and the way they came.
    pub source: String,
    /// Date of the codes.
    pub date: jiff::civil::Date,
    /// The source's version.
    pub version: String,
    /// The source's licence.
    pub licence: String,
    /// The list that parents belong to.
    pub parent_list: Option<String>,
    /// What every code of the list looks like, in all its versions.
    pub form: CodeForm,
    columns: Vec<String>,
    entries: Vec<Code>,
    places: BTreeMap<String, usize>,
    /// What is searched of each entry; made by the first search.
    folded: OnceLock<Vec<Folded>>,
}

impl List {
    /// Reads a file: comment lines `# source: …`, `# date: …`, `# licence: …`,
    /// `# version: …`, `# form: …` ([`CodeForm`]), at will `# parent: LIST`; a row `code,label_it,label_en` and other
    /// columns (`parent` holds the wider code, `words` what people also search for); then
    /// one row per code. UTF-8, commas, double quotes (RFC 4180). An empty `label_en`
    /// means that there is only the Italian label.
    ///
    /// # Errors
    /// [`ListError`] names the first fault.
    pub fn parse(name: &str, text: &str) -> Result<Self, ListError> {
        if text.len() > FILE_BYTES_MAX {
            return Err(ListError::TooLarge);
        }
        let header = |key| comment(text, key).ok_or(ListError::Header(key));
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
        let columns = columns(&mut reader)?;
        let mut list = Self {
            name: name.to_owned(),
            source: header("source")?,
            date: header("date")?.parse().map_err(|_| ListError::Date)?,
            licence: header("licence")?,
            version: header("version")?,
            parent_list: comment(text, "parent"),
            form: CodeForm::parse(&header("form")?).ok_or(ListError::Form)?,
            columns,
            entries: Vec::new(),
            places: BTreeMap::new(),
            folded: OnceLock::new(),
        };
        for (place, record) in reader.records().enumerate() {
            let row = place.saturating_add(2);
            list.push(row, &record.map_err(|_| ListError::Row(row))?)?;
        }
        if list.entries.is_empty() { Err(ListError::Empty) } else { Ok(list) }
    }

    fn push(&mut self, row: usize, record: &csv::StringRecord) -> Result<(), ListError> {
        let cell = |place| record.get(place).unwrap_or_default().trim().to_owned();
        let (code, label_it, label_en) = (cell(0), cell(1), cell(2));
        if !self.form.fits(&code) {
            return Err(ListError::Code(row));
        }
        if label_it.is_empty() || label_it.len().max(label_en.len()) > LABEL_BYTES_MAX {
            return Err(ListError::Label(row));
        }
        if self.places.insert(code.clone(), self.entries.len()).is_some() {
            return Err(ListError::Duplicate(row));
        }
        let label_en = if label_en.is_empty() { label_it.clone() } else { label_en };
        let extra: Vec<_> = (FIRST_COLUMNS.len()..record.len()).map(cell).collect();
        let parent = self.column("parent").and_then(|place| extra.get(place).cloned());
        let parent = parent.filter(|parent| !parent.is_empty());
        self.entries.push(Code { code, label_it, label_en, parent, extra });
        Ok(())
    }

    /// All codes, in the file's order.
    pub fn entries(&self) -> &[Code] {
        &self.entries
    }

    /// One code.
    pub fn lookup(&self, code: &str) -> Option<&Code> {
        self.entries.get(*self.places.get(code)?)
    }

    /// What another column, such as `isic` or `belfiore`, says for a code; `None` when empty.
    pub fn extra(&self, code: &str, column: &str) -> Option<&str> {
        self.cell(self.lookup(code)?, column)
    }

    /// The best matches for a text, in labels of one language, codes and search words:
    /// without regard to case and accents, prefixes and words before parts of words. An
    /// empty text gives the first codes of the file.
    pub fn search(&self, text: &str, lang: Lang, limit: usize) -> Vec<&Code> {
        let query = search::Query::new(text);
        let entries = self.entries.iter().zip(self.folded());
        let found = entries.filter_map(|(code, folded)| Some((query.rank(folded, lang)?, code)));
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().take(limit).map(|(_, code)| code).collect()
    }

    fn folded(&self) -> &[Folded] {
        let fold = |code: &Code| {
            let words = self.cell(code, "words").unwrap_or_default();
            Folded::new(&code.code, &code.label_it, &code.label_en, words)
        };
        self.folded.get_or_init(|| self.entries.iter().map(fold).collect())
    }

    fn cell<'a>(&self, code: &'a Code, column: &str) -> Option<&'a str> {
        let text = code.extra.get(self.column(column)?)?.as_str();
        (!text.is_empty()).then_some(text)
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }
}

/// Whether a text is the name of a column.
fn is_column(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(inner)
}

/// Names of the columns after the labels.
fn columns(reader: &mut csv::Reader<&[u8]>) -> Result<Vec<String>, ListError> {
    let row = reader.headers().map_err(|_| ListError::Columns)?;
    if row.len() < FIRST_COLUMNS.len() || row.iter().zip(FIRST_COLUMNS).any(|(is, due)| is != due) {
        return Err(ListError::Columns);
    }
    let rest: Vec<_> = row.iter().skip(FIRST_COLUMNS.len()).map(str::to_owned).collect();
    let distinct = row.iter().collect::<std::collections::BTreeSet<_>>().len() == row.len();
    if distinct && rest.iter().all(|name| is_column(name)) {
        Ok(rest)
    } else {
        Err(ListError::Columns)
    }
}

/// The value of a comment line `# key: value` above the first row.
fn comment(text: &str, key: &str) -> Option<String> {
    let lines = text.lines().take_while(|line| line.starts_with('#'));
    let value =
        lines.filter_map(|line| line.strip_prefix("# ")?.strip_prefix(key)?.strip_prefix(':'));
    value.map(|value| value.trim().to_owned()).find(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "# source: S\n# date: 2026-01-31\n# licence: L\n# version: 1\n# form: 1-3 a-z0-9\n";

    fn check(rows: &str, expected: Result<usize, ListError>) {
        let list = List::parse("test", &format!("{HEAD}{rows}"));
        assert_eq!(list.map(|list| list.entries.len()), expected, "{rows}");
    }

    #[test]
    fn rows() {
        check("code,label_it,label_en\na,A,A\nb,\"B, b\",\n", Ok(2));
        check("code,label_it,label_en\n", Err(ListError::Empty));
        check("code,label_it\na,A\n", Err(ListError::Columns));
        check("code,label_en,label_it\na,A,A\n", Err(ListError::Columns));
        check("code,label_it,label_en,x,x\na,A,A,1,2\n", Err(ListError::Columns));
        check("code,label_it,label_en\na,A\n", Err(ListError::Row(2)));
        check("code,label_it,label_en\na,A,A\nb,B,B,B\n", Err(ListError::Row(3)));
        check("code,label_it,label_en\n,A,A\n", Err(ListError::Code(2)));
        check("code,label_it,label_en\na b,A,A\n", Err(ListError::Code(2)));
        check("code,label_it,label_en\nabcd,A,A\n", Err(ListError::Code(2)));
        check("code,label_it,label_en\na,,A\n", Err(ListError::Label(2)));
        check("code,label_it,label_en\na,A,A\na,B,B\n", Err(ListError::Duplicate(3)));
    }

    #[test]
    fn headers() {
        let rows = "code,label_it,label_en\na,A,A\n";
        let check = |drop: &str, error: ListError| {
            let head: String = HEAD.lines().filter(|line| !line.contains(drop)).fold(
                String::new(),
                |mut text, line| {
                    text.push_str(line);
                    text.push('\n');
                    text
                },
            );
            assert_eq!(List::parse("test", &format!("{head}{rows}")).err(), Some(error));
        };
        check("source", ListError::Header("source"));
        check("date", ListError::Header("date"));
        check("licence", ListError::Header("licence"));
        check("version", ListError::Header("version"));
        check("form", ListError::Header("form"));
        let formless = HEAD.replace("1-3 a-z0-9", "three letters");
        assert_eq!(List::parse("test", &format!("{formless}{rows}")).err(), Some(ListError::Form));
        let undated = HEAD.replace("2026-01-31", "soon");
        assert_eq!(List::parse("test", &format!("{undated}{rows}")).err(), Some(ListError::Date));
    }

    #[test]
    fn a_file_has_a_largest_size() {
        let long = " ".repeat(FILE_BYTES_MAX + 1);
        assert_eq!(List::parse("test", &long).err(), Some(ListError::TooLarge));
    }

    #[test]
    fn other_columns_and_missing_english() {
        let text = format!(
            "{HEAD}# parent: region\ncode,label_it,label_en,parent,sign\n053,Grosseto,,09,GR\nx,X,X,,\n"
        );
        let list = List::parse("province", &text).unwrap();
        assert_eq!(list.parent_list.as_deref(), Some("region"));
        assert_eq!(list.extra("053", "sign"), Some("GR"));
        assert_eq!(list.extra("x", "sign"), None);
        assert_eq!(list.extra("053", "colour"), None);
        let grosseto = list.lookup("053").unwrap();
        assert_eq!(
            (grosseto.label_en.as_str(), grosseto.parent.as_deref()),
            ("Grosseto", Some("09"))
        );
        assert_eq!(list.lookup("x").unwrap().parent, None);
    }
}
