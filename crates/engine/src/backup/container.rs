//! The file of a backup: a stream of bytes, sealed in chunks under a key that a passphrase stands for.
//!
//! ```text
//! header  16 bytes  "deskhand backup\n"
//!          4        version: 1. Numbers are little-endian
//!          4        how the key is made of the passphrase: 1 is PBKDF2-HMAC-SHA256
//!          4        its iterations
//!         16        its salt
//!         16        tag of nothing, sealed with the nonce of chunk 2^64-1 and the header up to here
//! chunks  up to 65536 bytes and 16 of tag each, ChaCha20-Poly1305; all but the last are full
//! ```
//!
//! A chunk's nonce is its number (8 bytes, from 0), three zeros, and 1 for the last chunk or else 0; what
//! is authenticated beside it is the header. The salt makes the key unique, so no nonce is used twice.
//! Chunks that are altered, missing, added or in another order don't open.

use std::{
    io::{self, Read, Write},
    num::NonZeroU32,
};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};

use crate::vault::{MOST_ITERATIONS, stretched};

const MAGIC: &[u8; 16] = b"deskhand backup\n";
const VERSION: u32 = 1;
const PBKDF2_HMAC_SHA256: u32 = 1;
const TAG: usize = 16;
const PARAMETERS: usize = 44;
const HEADER: usize = PARAMETERS + TAG;
const CHUNK: usize = 65_536;
/// The number that no chunk has: the passphrase is checked with it.
const CHECK: u64 = u64::MAX;

/// Why a file isn't opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("it is no backup")]
    NotABackup,
    #[error("a newer version wrote it")]
    TooNew,
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    #[error("a part is missing or was altered")]
    Damaged,
}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        Self::new(io::ErrorKind::InvalidData, refused)
    }
}

/// The refusal inside an error of a [`SealedReader`]; none for one of the file system.
pub(super) fn refusal(error: &io::Error) -> Option<Refused> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Refused>()).copied()
}

struct Seal {
    key: LessSafeKey,
    header: [u8; HEADER],
}

impl Seal {
    fn new(passphrase: &SecretString, header: [u8; HEADER]) -> Option<Self> {
        let iterations = NonZeroU32::new(number(&header, 24))?;
        let bits = stretched(passphrase, &header[28..PARAMETERS], iterations);
        let key = UnboundKey::new(&CHACHA20_POLY1305, bits.expose_secret()).ok()?;
        Some(Self { key: LessSafeKey::new(key), header })
    }

    fn check(&self) -> Option<[u8; TAG]> {
        let beside = Aad::from(&self.header[..PARAMETERS]);
        let tag = self.key.seal_in_place_separate_tag(nonce(CHECK, true), beside, &mut []).ok()?;
        tag.as_ref().try_into().ok()
    }

    fn close(&self, number: u64, last: bool, chunk: &mut Vec<u8>) -> io::Result<()> {
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce(number, last), Aad::from(&self.header), chunk)
            .map_err(|_| io::Error::other("a chunk can't be sealed"))?;
        chunk.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens a chunk in place.
    fn open(&self, number: u64, last: bool, chunk: &mut Vec<u8>) -> Result<(), Refused> {
        let beside = Aad::from(&self.header);
        let plain = self.key.open_in_place(nonce(number, last), beside, chunk);
        let length = plain.map_err(|_| Refused::Damaged)?.len();
        chunk.truncate(length);
        Ok(())
    }
}

fn nonce(number: u64, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[..8].copy_from_slice(&number.to_le_bytes());
    nonce[11] = u8::from(last);
    Nonce::assume_unique_for_key(nonce)
}

fn number(header: &[u8], at: usize) -> u32 {
    header[at..at + 4].iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Seals what is written to it. Without [`SealedWriter::finish`] the file is incomplete.
pub(super) struct SealedWriter<W> {
    to: W,
    seal: Seal,
    /// Becomes a chunk when more follows, or at the end.
    chunk: Zeroizing<Vec<u8>>,
    chunks: u64,
}

impl<W: Write> SealedWriter<W> {
    /// Writes the header.
    pub fn new(mut to: W, passphrase: &SecretString, iterations: NonZeroU32) -> io::Result<Self> {
        let mut header = [0; HEADER];
        header[..16].copy_from_slice(MAGIC);
        let numbers = [VERSION, PBKDF2_HMAC_SHA256, iterations.get()].map(u32::to_le_bytes);
        header[16..28].copy_from_slice(numbers.as_flattened());
        let no_random = |_| io::Error::other("the operating system gave no random bytes");
        getrandom::fill(&mut header[28..PARAMETERS]).map_err(no_random)?;
        let failed = || io::Error::other("the key can't be made");
        let mut seal = Seal::new(passphrase, header).ok_or_else(failed)?;
        let check = seal.check().ok_or_else(failed)?;
        seal.header[PARAMETERS..].copy_from_slice(&check);
        to.write_all(&seal.header)?;
        let chunk = Zeroizing::new(Vec::with_capacity(CHUNK + TAG));
        Ok(Self { to, seal, chunk, chunks: 0 })
    }

    /// Writes the last chunk.
    pub fn finish(mut self) -> io::Result<W> {
        self.write_chunk(true)?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn write_chunk(&mut self, last: bool) -> io::Result<()> {
        self.seal.close(self.chunks, last, &mut self.chunk)?;
        self.chunks += 1;
        self.to.write_all(&self.chunk)?;
        self.chunk.clear();
        Ok(())
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.chunk.len() == CHUNK && !bytes.is_empty() {
            self.write_chunk(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The header, checked as far as that is possible without the passphrase.
pub(crate) fn read_header(from: &mut impl Read) -> io::Result<[u8; HEADER]> {
    let start = read_up_to(from, HEADER)?;
    if start.get(..16) != Some(MAGIC) {
        return Err(Refused::NotABackup.into());
    }
    match start.get(16..20).map(|version| number(version, 0)) {
        Some(VERSION) => {}
        Some(0) | None => return Err(Refused::Damaged.into()),
        Some(_) => return Err(Refused::TooNew.into()),
    }
    let header: [u8; HEADER] = start.try_into().map_err(|_| Refused::Damaged)?;
    let known = number(&header, 20) == PBKDF2_HMAC_SHA256;
    if !known || number(&header, 24) > MOST_ITERATIONS {
        return Err(Refused::Damaged.into());
    }
    Ok(header)
}

/// Opens what a [`SealedWriter`] wrote. It gives no byte that wasn't authenticated, and an error of kind
/// `InvalidData` with a [`Refused`] where the file isn't as it was written.
pub(super) struct SealedReader<R> {
    from: R,
    seal: Seal,
    plain: Zeroizing<Vec<u8>>,
    at: usize,
    /// The next chunk, still sealed; none after the last.
    next: Option<Vec<u8>>,
    chunks: u64,
}

impl<R: Read> SealedReader<R> {
    /// Reads the header and checks the passphrase.
    pub fn new(mut from: R, passphrase: &SecretString) -> io::Result<Self> {
        let header = read_header(&mut from)?;
        let seal = Seal::new(passphrase, header).ok_or(Refused::Damaged)?;
        if seal.check().as_ref().map(<[u8; TAG]>::as_slice) != Some(&header[PARAMETERS..]) {
            return Err(Refused::WrongPassphrase.into());
        }
        let next = Some(read_up_to(&mut from, CHUNK + TAG)?);
        Ok(Self { from, seal, plain: Zeroizing::default(), at: 0, next, chunks: 0 })
    }

    /// Opens the next chunk; false after the last.
    fn advance(&mut self) -> io::Result<bool> {
        let Some(mut chunk) = self.next.take() else { return Ok(false) };
        let following = read_up_to(&mut self.from, CHUNK + TAG)?;
        let last = following.is_empty();
        self.seal.open(self.chunks, last, &mut chunk)?;
        self.chunks += 1;
        (self.plain, self.at) = (Zeroizing::new(chunk), 0);
        self.next = (!last).then_some(following);
        Ok(true)
    }
}

impl<R: Read> Read for SealedReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.plain.len() {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let rest = &self.plain[self.at..];
        let given = rest.len().min(into.len());
        into[..given].copy_from_slice(&rest[..given]);
        self.at += given;
        Ok(given)
    }
}

fn read_up_to(from: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(most);
    from.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let mut writer = SealedWriter::new(Vec::new(), &"pass".into(), NonZeroU32::MIN).unwrap();
        writer.write_all(plain).unwrap();
        writer.finish().unwrap()
    }

    fn opened(sealed: &[u8], passphrase: &str) -> Result<Vec<u8>, Refused> {
        let mut plain = Vec::new();
        SealedReader::new(sealed, &passphrase.into())
            .and_then(|mut reader| reader.read_to_end(&mut plain))
            .map(|_| plain)
            .map_err(|error| refusal(&error).unwrap())
    }

    #[test]
    fn what_was_sealed_opens_whatever_its_length() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7] {
            let plain: Vec<u8> = (0..length).map(|at| at as u8).collect();
            assert!(opened(&sealed(&plain), "pass") == Ok(plain), "{length}");
        }
    }

    #[test]
    fn each_refusal_has_its_reason() {
        let good = sealed(b"text");
        assert_eq!(opened(&good, "Pass"), Err(Refused::WrongPassphrase));
        assert_eq!(opened(b"", "pass"), Err(Refused::NotABackup));
        assert_eq!(opened(b"SQLite format 3\0", "pass"), Err(Refused::NotABackup));
        let newer = [&good[..16], &[2], &good[17..]].concat();
        assert_eq!(opened(&newer, "pass"), Err(Refused::TooNew));
        let hanging = [&good[..24], &[255; 4], &good[28..]].concat();
        assert_eq!(opened(&hanging, "pass"), Err(Refused::Damaged));
        assert_eq!(opened(&good[..40], "pass"), Err(Refused::Damaged));
        assert_eq!(opened(&good[..HEADER], "pass"), Err(Refused::Damaged));
    }

    #[test]
    fn chunks_that_are_missing_added_repeated_or_moved_are_noticed() {
        let good = sealed(&[7; 3 * CHUNK]);
        let chunk = |at: usize| &good[HEADER + at * (CHUNK + TAG)..][..CHUNK + TAG];
        let header = &good[..HEADER];
        let two = &[header, chunk(0), chunk(1)].concat();
        let moved = &[header, chunk(1), chunk(0), chunk(2)].concat();
        let repeated = &[header, chunk(0), chunk(0), chunk(1), chunk(2)].concat();
        let added = &[&good, chunk(2)].concat();
        let longer = &[&good[..], b"x"].concat();
        for bad in [two, moved, repeated, added, longer] {
            assert_eq!(opened(bad, "pass"), Err(Refused::Damaged));
        }
    }

    proptest! {
        #[test]
        fn any_altered_byte_and_any_shorter_file_is_refused(
            plain in proptest::collection::vec(any::<u8>(), 0..300), at: usize, flip in 1..=255u8,
        ) {
            let good = sealed(&plain);
            let at = at % good.len();
            prop_assert!(opened(&good[..at], "pass").is_err());
            let mut bad = good;
            // A larger number of iterations is refused as well, but only after they were made.
            prop_assume!(!(24..28).contains(&at));
            bad[at] ^= flip;
            prop_assert!(opened(&bad, "pass").is_err());
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            prop_assert!(opened(&bytes, "pass").is_err());
            let dressed = [&sealed(b"")[..HEADER], &bytes].concat();
            prop_assert!(opened(&dressed, "pass").is_err());
        }
    }
}
