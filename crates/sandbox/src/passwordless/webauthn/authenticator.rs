//! The authenticator data: flags, counter and, at a registration, the new key.

use ring::digest::{SHA256, digest};

use super::{Expected, Refusal, attested};

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;
const EXTENSIONS: u8 = 1 << 7;

/// A credential's id, at most.
const MOST_ID_BYTES: usize = 1023;

/// Authenticator data, borrowed from its bytes.
#[derive(Debug)]
pub(super) struct AuthenticatorData<'a> {
    rp_id_hash: &'a [u8],
    flags: u8,
    pub counter: u32,
    pub attested: Option<Attested<'a>>,
}

/// The passkey that a registration made.
#[derive(Debug)]
pub(super) struct Attested<'a> {
    pub aaguid: [u8; 16],
    pub credential_id: &'a [u8],
    /// One CBOR item, whatever is in it.
    pub public_key: &'a [u8],
}

impl<'a> AuthenticatorData<'a> {
    /// Reads all of it: a byte too many is an error.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let read = || {
            // The layout of section 6.1: hash (32), flags (1), counter (4), then the parts that the flags announce.
            let (rp_id_hash, rest) = bytes.split_at_checked(32)?;
            let (&flags, rest) = rest.split_first()?;
            let (counter, mut rest) = rest.split_first_chunk()?;
            let counter = u32::from_be_bytes(*counter);
            let mut attested = None;
            if flags & ATTESTED != 0 {
                let (read, after) = Attested::read(rest)?;
                (attested, rest) = (Some(read), after);
            }
            if flags & EXTENSIONS != 0 {
                let (extensions, after) = attested::item(rest)?;
                extensions.as_map()?;
                rest = after;
            }
            rest.is_empty().then_some(Self { rp_id_hash, flags, counter, attested })
        };
        let data = read().ok_or(Refusal::AuthenticatorData)?;
        let id = data.attested.as_ref().map_or(1, |made| made.credential_id.len());
        if (1..=MOST_ID_BYTES).contains(&id) { Ok(data) } else { Err(Refusal::CredentialId) }
    }

    /// Whether it is for this relying party, and whether somebody was there.
    pub(super) fn check(&self, expected: &Expected<'_>) -> Result<(), Refusal> {
        if self.rp_id_hash != digest(&SHA256, expected.rp_id.as_bytes()).as_ref() {
            return Err(Refusal::RpId);
        }
        if !self.has(USER_PRESENT) {
            return Err(Refusal::UserPresence);
        }
        if expected.user_verification && !self.has(USER_VERIFIED) {
            return Err(Refusal::UserVerification);
        }
        // What can't be backed up can't have been (section 6.1.3).
        if self.backed_up() && !self.backup_eligible() {
            return Err(Refusal::Backup);
        }
        Ok(())
    }

    pub(super) fn backup_eligible(&self) -> bool {
        self.has(BACKUP_ELIGIBLE)
    }

    pub(super) fn backed_up(&self) -> bool {
        self.has(BACKED_UP)
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

impl<'a> Attested<'a> {
    fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (aaguid, rest) = bytes.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (credential_id, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        // The key has no length of its own: where its CBOR item ends, the extensions begin.
        let (_, after) = attested::item(rest)?;
        let public_key = &rest[..rest.len() - after.len()];
        Some((Self { aaguid: *aaguid, credential_id, public_key }, after))
    }
}
