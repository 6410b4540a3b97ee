//! Searches files and the memory of processes for identifiers that must not be there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use uuid::Uuid;

/// Bytes read at once.
const CHUNK: usize = 4 << 20;
/// Bytes of a needle by which it is looked up; every needle is longer.
const KEY: usize = 8;

/// Identifiers, each in every form in which it may be written.
pub struct Canaries {
    needles: BTreeMap<[u8; KEY], Vec<Needle>>,
    /// Whether any needle begins with these two bytes: almost all places are passed over
    /// by one look.
    begins: Vec<bool>,
    longest: usize,
}

struct Needle {
    id: Uuid,
    form: &'static str,
    bytes: Vec<u8>,
}

/// What was found, and how much was searched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Identifier and form, each once.
    pub found: BTreeSet<(Uuid, &'static str)>,
    /// Where, for the first few.
    pub places: Vec<String>,
    /// Bytes searched.
    pub searched: u64,
}

impl Findings {
    /// Identifiers found in any form.
    pub fn ids(&self) -> BTreeSet<Uuid> {
        self.found.iter().map(|(id, _)| *id).collect()
    }
}

impl Canaries {
    /// Looks for these, as text (with and without hyphens, small and capital) and as bytes.
    pub fn new(ids: impl IntoIterator<Item = Uuid>) -> Self {
        let mut canaries =
            Self { needles: BTreeMap::new(), begins: vec![false; 1 << 16], longest: 0 };
        for id in ids {
            let (text, simple) = (id.hyphenated().to_string(), id.simple().to_string());
            canaries.add(id, "TEXT", text.to_uppercase().into_bytes());
            canaries.add(id, "TEXT without hyphens", simple.to_uppercase().into_bytes());
            canaries.add(id, "text", text.into_bytes());
            canaries.add(id, "text without hyphens", simple.into_bytes());
            canaries.add(id, "bytes", id.as_bytes().to_vec());
        }
        canaries
    }

    fn add(&mut self, id: Uuid, form: &'static str, bytes: Vec<u8>) {
        self.longest = self.longest.max(bytes.len());
        let Some(key) = bytes.first_chunk::<KEY>() else { return };
        if let Some(begins) = self.begins.get_mut(pair(key)) {
            *begins = true;
        }
        self.needles.entry(*key).or_default().push(Needle { id, form, bytes });
    }

    /// Searches bytes.
    pub fn search(&self, haystack: &[u8], place: &str, findings: &mut Findings) {
        findings.searched += haystack.len() as u64;
        for (offset, window) in haystack.windows(KEY).enumerate() {
            let Some(key) = window.first_chunk::<KEY>() else { continue };
            if !self.begins.get(pair(key)).is_some_and(|begins| *begins) {
                continue;
            }
            let rest = haystack.get(offset..).unwrap_or_default();
            let candidates = self.needles.get(key).into_iter().flatten();
            for needle in candidates.filter(|needle| rest.starts_with(&needle.bytes)) {
                if findings.found.insert((needle.id, needle.form)) && findings.places.len() < 5 {
                    findings.places.push(format!("{} as {} in {place}", needle.id, needle.form));
                }
            }
        }
    }

    /// Searches what a file holds, or all files below a directory.
    ///
    /// # Errors
    /// One that cannot be read.
    pub fn search_files(&self, path: &Path, findings: &mut Findings) -> anyhow::Result<()> {
        for path in files(path)? {
            let file = File::open(&path).with_context(|| path.display().to_string())?;
            let length = file.metadata()?.len();
            self.search_range(&file, 0..length, &path.display().to_string(), findings)?;
        }
        Ok(())
    }

    /// Searches all memory of a process that it may read itself.
    ///
    /// # Errors
    /// This process may not look into that one, or it has ended.
    pub fn search_memory(&self, pid: u32, findings: &mut Findings) -> anyhow::Result<()> {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
        let memory = File::open(format!("/proc/{pid}/mem"))
            .with_context(|| format!("may not read the memory of process {pid}"))?;
        for line in maps.lines() {
            let region = Region::parse(line).with_context(|| format!("unreadable: {line}"))?;
            if region.is_plain() {
                let place = format!("memory of {pid}, {}", region.name);
                self.search_range(&memory, region.range, &place, findings)?;
            }
        }
        Ok(())
    }

    fn search_range(
        &self,
        file: &File,
        range: std::ops::Range<u64>,
        place: &str,
        findings: &mut Findings,
    ) -> io::Result<()> {
        // Chunks overlap, so that a needle across a border is found.
        let overlap = self.longest.saturating_sub(1);
        let mut buffer = vec![0; CHUNK];
        let mut at = range.start;
        while at < range.end {
            let left = usize::try_from(range.end - at).unwrap_or(CHUNK).min(CHUNK);
            let Some(part) = buffer.get_mut(..left) else { break };
            let read = match file.read_at(part, at) {
                Ok(read) => read,
                // Pages of a mapping that nothing stands behind, such as past a file's end.
                Err(error) if error.raw_os_error() == Some(5) => 0,
                Err(error) => return Err(error),
            };
            self.search(part.get(..read).unwrap_or_default(), place, findings);
            if read <= overlap {
                break;
            }
            at += (read - overlap) as u64;
        }
        Ok(())
    }
}

fn pair(key: &[u8; KEY]) -> usize {
    let [first, second, ..] = *key;
    usize::from(u16::from_be_bytes([first, second]))
}

fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let kind = fs::metadata(path).with_context(|| path.display().to_string())?;
    if !kind.is_dir() {
        // Sockets hold nothing.
        return Ok(if kind.is_file() { vec![path.to_owned()] } else { Vec::new() });
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path)? {
        found.extend(files(&entry?.path())?);
    }
    Ok(found)
}

/// A line of `/proc/PID/maps` (proc_pid_maps(5)).
#[derive(Debug, PartialEq, Eq)]
struct Region {
    range: std::ops::Range<u64>,
    readable: bool,
    name: String,
}

impl Region {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let address = |hex| u64::from_str_radix(hex, 16).ok();
        let range = address(start)?..address(end)?;
        let readable = fields.next()?.starts_with('r');
        let name = fields.nth(3).unwrap_or("anonymous").to_owned();
        Some(Self { range, readable, name })
    }

    /// Not the kernel's own pages, which cannot be read from outside.
    fn is_plain(&self) -> bool {
        self.readable && !self.name.starts_with("[vvar") && self.name != "[vsyscall]"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> Uuid {
        Uuid::from_u128(0x0190_6bfa_41e7_7a3c_b1d2_0f5a_99c4_7e01)
    }

    fn forms(haystack: &[u8]) -> Vec<&'static str> {
        let mut findings = Findings::default();
        Canaries::new([id()]).search(haystack, "here", &mut findings);
        findings.found.into_iter().map(|(_, form)| form).collect()
    }

    #[test]
    fn every_form_is_found() {
        let check = |haystack: &[u8], expected: &[&str]| assert_eq!(forms(haystack), expected);
        check(b"", &[]);
        check(b"01906bfa-41e7-7a3c-b1d2-0f5a99c47e02", &[]);
        check(b"x01906bfa-41e7-7a3c-b1d2-0f5a99c47e01x", &["text"]);
        check(b"01906BFA-41E7-7A3C-B1D2-0F5A99C47E01", &["TEXT"]);
        check(b"01906bfa41e77a3cb1d20f5a99c47e01", &["text without hyphens"]);
        check(&[&[0; 9], &id().as_bytes()[..], &[1]].concat(), &["bytes"]);
        check(&id().as_bytes()[..15], &[]);
    }

    #[test]
    fn files_are_searched_across_borders() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("inner")).unwrap();
        let mut text = vec![b'.'; CHUNK - 7];
        text.extend_from_slice(id().to_string().as_bytes());
        fs::write(directory.path().join("inner/file"), text).unwrap();
        let mut findings = Findings::default();
        Canaries::new([id()]).search_files(directory.path(), &mut findings).unwrap();
        assert_eq!(findings.ids(), BTreeSet::from([id()]));
        assert!(findings.places[0].contains("inner/file"), "{findings:?}");
    }

    #[test]
    fn memory_is_searched() {
        let held = std::hint::black_box(id().to_string());
        let other = Uuid::new_v4();
        let mut findings = Findings::default();
        Canaries::new([id()]).search_memory(std::process::id(), &mut findings).unwrap();
        assert!(findings.found.contains(&(id(), "text")), "{held} {findings:?}");
        assert!(findings.searched > 1 << 20, "{findings:?}");
        assert!(!findings.ids().contains(&other));
    }

    #[test]
    fn regions_are_read() {
        let line = "7f00a000-7f00b000 r--p 00001000 fe:00 77 /lib/x.so";
        let region = Region::parse(line).unwrap();
        assert_eq!(region.range, 0x7f00_a000..0x7f00_b000);
        assert!(region.is_plain());
        assert_eq!(region.name, "/lib/x.so");
        let check = |line, plain| assert_eq!(Region::parse(line).unwrap().is_plain(), plain);
        check("1-2 ---p 0 00:00 0", false);
        check("1-2 rw-p 0 00:00 0", true);
        check("1-2 r--p 0 00:00 0 [vvar]", false);
        check("1-2 r--p 0 00:00 0 [vvar_vclock]", false);
        check("ffffffffff600000-ffffffffff601000 --xp 0 00:00 0 [vsyscall]", false);
        assert_eq!(Region::parse("nonsense"), None);
    }
}
