//! The relying party: what WebAuthn has a server check before it believes a browser.
//!
//! Our own on `ring` (signatures) and `ciborium` (CBOR), since no maintained library fits: `webauthn-rs` needs
//! OpenSSL, and `webauthn_rp` keeps its own clock and session state, where here both belong to the stand-in,
//! which moves the one by hand and keeps the other through restarts.
//!
//! Pure: nothing here reads a clock, makes a challenge or keeps anything. No bytes panic, and none makes it
//! hold more than a few times their own size.

mod attested;
mod authenticator;
mod client_data;
mod key;

use authenticator::AuthenticatorData;
use client_data::ClientData;
pub(super) use key::PublicKey;

/// What a ceremony was begun with, and must be completed with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub challenge: &'a [u8],
    pub origin: &'a str,
    pub rp_id: &'a str,
    /// The device must have checked that it is its owner.
    pub user_verification: bool,
}

/// Why a ceremony is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the client data can't be read")]
    ClientData,
    #[error("the client data is of another ceremony")]
    Type,
    #[error("the challenge is not the one that was given")]
    Challenge,
    #[error("the origin is not the one that was given")]
    Origin,
    #[error("the page was within a page of another origin")]
    CrossOrigin,
    #[error("the authenticator data can't be read")]
    AuthenticatorData,
    #[error("the hash of the RP ID is another")]
    RpId,
    #[error("nobody was there")]
    UserPresence,
    #[error("nobody was verified, and it was required")]
    UserVerification,
    #[error("it says that it is backed up, and that it can't be")]
    Backup,
    #[error("the attestation object can't be read")]
    AttestationObject,
    #[error("the attestation is not 'none'")]
    Attestation,
    #[error("the public key is not one of ES256, RS256 or EdDSA")]
    Key,
    #[error("the credential's id is empty or too long, or not the one that was named")]
    CredentialId,
    #[error("the signature is wrong")]
    Signature,
    #[error("the signature counter did not go up: the passkey may have been copied")]
    Counter,
}

/// A passkey that was just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewCredential {
    pub id: Vec<u8>,
    /// The COSE key, as the device wrote it.
    pub public_key: Vec<u8>,
    pub counter: u32,
    pub aaguid: [u8; 16],
    pub backup_eligible: bool,
    pub backed_up: bool,
}

/// A device's signature, and what it is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Assertion<'a> {
    pub client_data: &'a [u8],
    pub authenticator_data: &'a [u8],
    pub signature: &'a [u8],
}

/// A sign-in that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SignedIn {
    pub counter: u32,
    pub backed_up: bool,
}

/// Checks a registration (WebAuthn, section 7.1).
pub(super) fn register(
    expected: &Expected<'_>,
    client_data: &[u8],
    attestation_object: &[u8],
) -> Result<NewCredential, Refusal> {
    ClientData::parse(client_data)?.check("webauthn.create", expected)?;
    // In the standard's order: the browser's statement is checked before the device's.
    let bytes = attested::authenticator_data(attestation_object)?;
    let data = AuthenticatorData::parse(&bytes)?;
    data.check(expected)?;
    let made = data.attested.as_ref().ok_or(Refusal::AuthenticatorData)?;
    PublicKey::parse(made.public_key)?;
    Ok(NewCredential {
        id: made.credential_id.to_vec(),
        public_key: made.public_key.to_vec(),
        counter: data.counter,
        aaguid: made.aaguid,
        backup_eligible: data.backup_eligible(),
        backed_up: data.backed_up(),
    })
}

/// Checks a sign-in (WebAuthn, section 7.2) with the passkey's key and the counter that was last seen.
pub(super) fn sign_in(
    expected: &Expected<'_>,
    public_key: &[u8],
    counter: u32,
    assertion: &Assertion<'_>,
) -> Result<SignedIn, Refusal> {
    ClientData::parse(assertion.client_data)?.check("webauthn.get", expected)?;
    let data = AuthenticatorData::parse(assertion.authenticator_data)?;
    data.check(expected)?;
    PublicKey::parse(public_key)?.verify_assertion(assertion)?;
    // A device that doesn't count sends zero each time (section 6.1.1); from any other one a counter that stands still
    // may mean that the passkey was copied.
    if (counter, data.counter) != (0, 0) && data.counter <= counter {
        return Err(Refusal::Counter);
    }
    Ok(SignedIn { counter: data.counter, backed_up: data.backed_up() })
}

#[cfg(test)]
mod tests;
