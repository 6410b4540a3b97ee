//! Frames: the sealed parts of a backup, in order, with an end that cannot be moved.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use zeroize::Zeroizing;

use super::{BackupError, BackupKey, HEADER_BYTES};
use crate::secret::Secret;

/// Plaintext of a full frame, in bytes.
pub const PART_BYTES: usize = 64 * 1024;
/// What stands before a sealed part: kind and length.
pub const PREFIX_BYTES: usize = 5;

const TAG_BYTES: usize = 16;
const SEALED_BYTES_MAX: usize = PART_BYTES + TAG_BYTES;
const MORE: u8 = 0;
const LAST: u8 = 1;

/// Seals parts one after the other.
pub struct Sealer {
    cipher: Cipher,
    waiting: Zeroizing<Vec<u8>>,
}

/// Opens frames one after the other, and knows where in the file it stands.
pub struct Opener {
    cipher: Cipher,
    ended: bool,
    at: u64,
}

struct Cipher {
    key: XChaCha20Poly1305,
    header: [u8; HEADER_BYTES],
    number: u64,
}

impl Sealer {
    /// Before the first frame; the header goes first into the file.
    pub fn new(key: &BackupKey) -> Self {
        Self { cipher: Cipher::new(key), waiting: Zeroizing::default() }
    }

    /// Takes plaintext, and returns the frames that are full.
    ///
    /// # Errors
    /// Never in practice: [`BackupError::Malformed`] for what the cipher cannot take.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>, BackupError> {
        self.waiting.extend_from_slice(bytes);
        let mut out = Vec::new();
        let mut sealed = 0;
        for part in self.waiting.chunks_exact(PART_BYTES) {
            out.extend(self.cipher.seal(MORE, part)?);
            sealed += part.len();
        }
        self.waiting.drain(..sealed);
        Ok(out)
    }

    /// The last frame, with what still waits.
    ///
    /// # Errors
    /// As [`Sealer::push`].
    pub fn finish(mut self) -> Result<Vec<u8>, BackupError> {
        self.cipher.seal(LAST, &self.waiting)
    }
}

impl Opener {
    /// After the header.
    pub fn new(key: &BackupKey) -> Self {
        Self { cipher: Cipher::new(key), ended: false, at: HEADER_BYTES as u64 }
    }

    /// Bytes of the sealed part that follows a prefix.
    ///
    /// # Errors
    /// [`BackupError::Changed`] for a length that no frame has, [`BackupError::GoesOn`]
    /// after the last frame.
    pub fn expect(&self, prefix: &[u8; PREFIX_BYTES]) -> Result<usize, BackupError> {
        if self.ended {
            return Err(BackupError::GoesOn { at: self.at });
        }
        let [_, length @ ..] = prefix;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > SEALED_BYTES_MAX { Err(self.changed()) } else { Ok(length) }
    }

    /// Opens the part that followed a prefix.
    ///
    /// # Errors
    /// [`BackupError::Changed`], and as [`Opener::expect`].
    pub fn open(
        &mut self,
        prefix: &[u8; PREFIX_BYTES],
        sealed: &[u8],
    ) -> Result<Secret<Vec<u8>>, BackupError> {
        if self.expect(prefix)? != sealed.len() {
            return Err(self.cut_off(PREFIX_BYTES + sealed.len()));
        }
        let [kind, ..] = prefix;
        let part = self.cipher.open(*kind, sealed).ok_or_else(|| self.changed())?;
        self.ended = *kind == LAST;
        self.at = self.at.saturating_add((PREFIX_BYTES + sealed.len()) as u64);
        Ok(part)
    }

    /// Whether the last frame was opened.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// The file ends `more` bytes after the last frame that was opened.
    pub fn cut_off(&self, more: usize) -> BackupError {
        BackupError::CutOff { at: self.at.saturating_add(more as u64) }
    }

    fn changed(&self) -> BackupError {
        BackupError::Changed { at: self.at }
    }
}

impl Cipher {
    fn new(key: &BackupKey) -> Self {
        Self { key: XChaCha20Poly1305::new(key.key.reveal().into()), header: key.header, number: 0 }
    }

    fn seal(&mut self, kind: u8, part: &[u8]) -> Result<Vec<u8>, BackupError> {
        let aad = self.aad(kind);
        let payload = Payload { msg: part, aad: &aad };
        let sealed = self.key.encrypt(&self.nonce(), payload);
        let sealed = sealed.map_err(|_| BackupError::Malformed("a part that is too long"))?;
        self.number = self.number.saturating_add(1);
        let length = u32::try_from(sealed.len()).unwrap_or(u32::MAX);
        Ok([[kind].as_slice(), &length.to_be_bytes(), &sealed].concat())
    }

    fn open(&mut self, kind: u8, sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
        if !matches!(kind, MORE | LAST) {
            return None;
        }
        let aad = self.aad(kind);
        let part = self.key.decrypt(&self.nonce(), Payload { msg: sealed, aad: &aad }).ok()?;
        self.number = self.number.saturating_add(1);
        Some(Secret::new(part))
    }

    fn nonce(&self) -> XNonce {
        let mut nonce = [0; 24];
        for (to, from) in nonce.iter_mut().skip(16).zip(self.number.to_be_bytes()) {
            *to = from;
        }
        nonce.into()
    }

    fn aad(&self, kind: u8) -> Vec<u8> {
        [self.header.as_slice(), &[kind]].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::key;
    use super::*;

    fn sealed(parts: &[&[u8]]) -> Vec<u8> {
        let mut sealer = Sealer::new(&key("frames"));
        let mut out = Vec::new();
        for part in parts {
            out.extend(sealer.push(part).unwrap());
        }
        out.extend(sealer.finish().unwrap());
        out
    }

    fn opened(mut bytes: &[u8]) -> Result<Vec<u8>, BackupError> {
        let mut opener = Opener::new(&key("frames"));
        let mut out = Vec::new();
        while !bytes.is_empty() {
            let Some((prefix, rest)) = bytes.split_first_chunk() else {
                return Err(opener.cut_off(bytes.len()));
            };
            let length = opener.expect(prefix)?.min(rest.len());
            let (part, rest) = rest.split_at(length);
            out.extend_from_slice(opener.open(prefix, part)?.reveal());
            bytes = rest;
        }
        if opener.ended() { Ok(out) } else { Err(opener.cut_off(0)) }
    }

    #[test]
    fn what_goes_in_comes_out() {
        let long = vec![7; 3 * PART_BYTES + 5];
        let check = |parts: &[&[u8]]| {
            assert_eq!(opened(&sealed(parts)).unwrap(), parts.concat());
        };
        check(&[]);
        check(&[b"a", b"", b"bc"]);
        check(&[&long, b"end"]);
        check(&[&long[..PART_BYTES]]);
        assert!(sealed(&[&long]).len() < long.len() + 5 * 32);
    }

    #[test]
    fn every_change_is_told() {
        let good = sealed(&[&vec![1; PART_BYTES], b"rest"]);
        for at in (0..good.len()).step_by(37).chain([good.len() - 1]) {
            let mut bent = good.clone();
            bent[at] ^= 1;
            assert!(opened(&bent).is_err(), "changed at {at}");
        }
    }

    #[test]
    fn every_cut_is_told() {
        let good = sealed(&[b"short"]);
        for length in 0..good.len() {
            let error = opened(&good[..length]).unwrap_err();
            assert_eq!(error, BackupError::CutOff { at: (HEADER_BYTES + length) as u64 });
        }
        let two = sealed(&[&vec![1; PART_BYTES], b"rest"]);
        let whole_frame = PREFIX_BYTES + PART_BYTES + TAG_BYTES;
        let cut = opened(&two[..whole_frame]).unwrap_err();
        assert_eq!(cut, BackupError::CutOff { at: (HEADER_BYTES + whole_frame) as u64 });
    }

    #[test]
    fn frames_keep_their_places() {
        let frame = PREFIX_BYTES + PART_BYTES + TAG_BYTES;
        let good = sealed(&[&vec![1; 2 * PART_BYTES], b"rest"]);
        let (first, rest) = good.split_at(frame);
        let (second, last) = rest.split_at(frame);
        let changed = |at: usize| BackupError::Changed { at: (HEADER_BYTES + at) as u64 };
        assert_eq!(opened(&[second, first, last].concat()), Err(changed(0)));
        assert_eq!(opened(&[first, last].concat()), Err(changed(frame)));
        let twice = opened(&[good.as_slice(), last].concat());
        assert_eq!(twice, Err(BackupError::GoesOn { at: (HEADER_BYTES + good.len()) as u64 }));
    }

    #[test]
    fn another_file_s_frames_are_refused() {
        let other = Sealer::new(&key("another")).finish().unwrap();
        assert_eq!(opened(&other), Err(BackupError::Changed { at: HEADER_BYTES as u64 }));
    }
}
