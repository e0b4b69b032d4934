//! The reader of what an authenticator sends as one call: for the fuzz targets in `tests/fuzz`, which no
//! program calls.

use super::webauthn::{Assertion, Expected, PublicKey, register, sign_in};

const EXPECTED: Expected<'_> = Expected {
    challenge: b"challenge",
    origin: "http://localhost:3000",
    rp_id: "localhost",
    user_verification: true,
};
// What a browser says of such a ceremony, so that the device's bytes are read at all.
const MAKES: &[u8] = br#"{"type":"webauthn.create","challenge":"Y2hhbGxlbmdl",
    "origin":"http://localhost:3000","crossOrigin":false}"#;
const SIGNS: &[u8] = br#"{"type":"webauthn.get","challenge":"Y2hhbGxlbmdl",
    "origin":"http://localhost:3000","crossOrigin":false}"#;

/// An attestation object, a browser's statement, a key, or authenticator data. True if a passkey was made of it.
///
/// # Panics
/// If a passkey was taken whose key or id can't be used.
pub fn read(bytes: &[u8]) -> bool {
    let made = register(&EXPECTED, MAKES, bytes);
    if let Ok(made) = &made {
        assert!(!made.id.is_empty(), "nobody can name a passkey without an id");
        assert!(PublicKey::parse(&made.public_key).is_ok(), "a key that was taken can be read");
    }
    // These read other parts of it; what comes of them needs a key that signs.
    let _ = register(&EXPECTED, bytes, bytes);
    let assertion = Assertion { client_data: SIGNS, authenticator_data: bytes, signature: bytes };
    let _ = sign_in(&EXPECTED, bytes, 0, &assertion);
    let key = PublicKey::parse(bytes);
    let _ = key.and_then(|key| key.verify_assertion(&assertion));
    made.is_ok()
}
