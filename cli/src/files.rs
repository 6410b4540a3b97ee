//! Files that commands read and write; `-` is standard input.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::failure::Failure;

/// Largest card, pact or proposal that is read, in bytes.
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;

/// Opens a file, or standard input for `-`.
///
/// # Errors
/// The file cannot be opened.
pub fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdin()));
    }
    let file = File::open(path).map_err(|error| Failure::file("read", path, &error))?;
    Ok(Box::new(file))
}

/// Reads a whole document of at most 4 MiB.
///
/// # Errors
/// It cannot be read, or is larger.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    open(path)?
        .take(DOCUMENT_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::file("read", path, &error))?;
    if bytes.len() as u64 > DOCUMENT_BYTES_MAX {
        let message = format!("{} is larger than 4 MiB", path.display());
        return Err(Failure::usage("file_too_large", message).hint("is it the right file?"));
    }
    Ok(bytes)
}

/// Reads a whole text document of at most 4 MiB.
///
/// # Errors
/// It cannot be read, is larger, or is no UTF-8.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read(path)?).map_err(|_| {
        Failure::usage("not_text", format!("{} is not text", path.display()))
            .hint("is it the right file?")
    })
}

/// A new file that only its owner may read.
#[derive(Debug)]
pub struct PrivateFile<'a> {
    file: File,
    path: &'a Path,
}

impl<'a> PrivateFile<'a> {
    /// Makes the file with mode 0600; one that exists is replaced only with `force`.
    ///
    /// # Errors
    /// It exists already, or cannot be made.
    pub fn create(path: &'a Path, force: bool) -> Result<Self, Failure> {
        if force
            && let Err(error) = std::fs::remove_file(path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(Failure::file("replace", path, &error));
        }
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| Failure::file("make", path, &error))?;
        Ok(Self { file, path })
    }

    /// Writes all of it to the disk.
    ///
    /// # Errors
    /// The disk does not take it; the file is removed again.
    pub fn write(mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_all());
        written.map_err(|error| {
            let failure = Failure::file("write", self.path, &error);
            self.discard();
            failure
        })
    }

    /// Removes the file again.
    pub fn discard(self) {
        // An empty file that stays is seen at the next attempt.
        drop(std::fs::remove_file(self.path));
    }
}

/// Writes a public file, replacing what is there.
///
/// # Errors
/// It cannot be written.
pub fn write_public(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|error| Failure::file("write", path, &error))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn private_files_are_private_and_new() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        PrivateFile::create(&path, false).unwrap().write(b"one").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(PrivateFile::create(&path, false).unwrap_err().code, "file_exists");
        assert_eq!(read_text(&path).unwrap(), "one");
        PrivateFile::create(&path, true).unwrap().write(b"two").unwrap();
        assert_eq!(read_text(&path).unwrap(), "two");
        PrivateFile::create(&path, true).unwrap().discard();
        assert_eq!(read(&path).unwrap_err().code, "no_such_file");
    }

    #[test]
    fn documents_are_bounded_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("card");
        write_public(&path, &[0xff, 0xfe]).unwrap();
        assert_eq!(read_text(&path).unwrap_err().code, "not_text");
        File::create(&path).unwrap().set_len(DOCUMENT_BYTES_MAX + 1).unwrap();
        assert_eq!(read(&path).unwrap_err().code, "file_too_large");
    }
}
