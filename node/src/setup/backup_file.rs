//! Reads the file of a backup, frame by frame.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use raccordo_core::backup::frames::{Opener, PREFIX_BYTES};
use raccordo_core::backup::records::{Assembler, Manifest, Record};
use raccordo_core::backup::{BackupError, BackupKey, HEADER_BYTES};
use raccordo_core::secret::Secret;

use super::SetupError;
use crate::private_file;

/// What a backup is, once all of it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// What it says of itself.
    pub manifest: Manifest,
    /// The number of rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// Length of the file.
    pub bytes: u64,
}

/// Reads a whole backup and keeps nothing of it.
///
/// # Errors
/// [`SetupError::Backup`] tells what is wrong, and where; [`SetupError::Read`].
pub fn verify_backup(path: &Path, passphrase: &Secret<String>) -> Result<BackupReport, SetupError> {
    let mut file = BackupFile::open(path, passphrase)?;
    let mut manifest = None;
    while let Some(records) = file.next()? {
        for record in records {
            if let Record::Manifest(found) = record {
                manifest = Some(found);
            }
        }
    }
    let bytes = file.bytes;
    let rows = file.assembler.finish().map_err(SetupError::Backup)?;
    let manifest = manifest.ok_or(SetupError::Backup(BackupError::Malformed("no manifest")))?;
    Ok(BackupReport { manifest, rows, bytes })
}

/// Reads the passphrase of backups: the first line of a file that only its owner may read.
///
/// # Errors
/// [`SetupError::PrivateFile`], [`SetupError::Passphrase`].
pub fn read_passphrase(path: &Path) -> Result<Secret<String>, SetupError> {
    let bytes = private_file::read(path)?;
    let text = std::str::from_utf8(bytes.reveal()).ok();
    let line = text.and_then(|text| text.lines().next()).map(str::trim);
    match line.filter(|line| !line.is_empty()) {
        Some(line) => Ok(Secret::new(line.to_owned())),
        None => Err(SetupError::Passphrase("the passphrase file holds no line of text")),
    }
}

/// A backup that is being read.
pub(super) struct BackupFile {
    path: PathBuf,
    reader: BufReader<File>,
    opener: Opener,
    assembler: Assembler,
    bytes: u64,
}

impl BackupFile {
    /// Opens a file with its passphrase.
    ///
    /// # Errors
    /// As [`verify_backup`].
    pub(super) fn open(path: &Path, passphrase: &Secret<String>) -> Result<Self, SetupError> {
        let failed = |source| SetupError::Read { path: path.to_owned(), source };
        let mut reader = BufReader::new(File::open(path).map_err(failed)?);
        let mut header = [0; HEADER_BYTES];
        match reader.read_exact(&mut header) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                return Err(SetupError::Backup(BackupError::NoBackup));
            }
            Err(error) => return Err(failed(error)),
        }
        let key = BackupKey::open(&header, passphrase).map_err(SetupError::Backup)?;
        Ok(Self {
            path: path.to_owned(),
            reader,
            opener: Opener::new(&key),
            assembler: Assembler::default(),
            bytes: HEADER_BYTES as u64,
        })
    }

    /// The records of the next frame; none after the last frame.
    ///
    /// # Errors
    /// As [`verify_backup`].
    pub(super) fn next(&mut self) -> Result<Option<Vec<Record>>, SetupError> {
        let mut prefix = [0; PREFIX_BYTES];
        let read = self.fill(&mut prefix)?;
        if read == 0 && self.opener.ended() {
            return Ok(None);
        }
        // After the end every byte is one too many.
        let length = if read == 0 { 0 } else { self.expected(&prefix)? };
        if read < PREFIX_BYTES {
            return Err(SetupError::Backup(self.opener.cut_off(read)));
        }
        let mut sealed = vec![0; length];
        let found = self.fill(&mut sealed)?;
        if found < length {
            return Err(SetupError::Backup(self.opener.cut_off(PREFIX_BYTES + found)));
        }
        let part = self.opener.open(&prefix, &sealed).map_err(SetupError::Backup)?;
        self.bytes = self.bytes.saturating_add((PREFIX_BYTES + length) as u64);
        self.assembler.push(part.reveal()).map(Some).map_err(SetupError::Backup)
    }

    fn expected(&self, prefix: &[u8; PREFIX_BYTES]) -> Result<usize, SetupError> {
        self.opener.expect(prefix).map_err(SetupError::Backup)
    }

    /// Reads until the buffer is full or the file ends; returns how much was read.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, SetupError> {
        let mut read = 0;
        while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match self.reader.read(rest) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(SetupError::Read { path: self.path.clone(), source }),
            }
        }
        Ok(read)
    }
}
