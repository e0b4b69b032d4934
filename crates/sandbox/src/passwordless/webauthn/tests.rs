//! Real bytes of a real device, out of the service's own document, and bytes of nobody.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::Value;

use super::*;

const MADE: &str =
    include_str!("../../../../wire/fixtures/passwordless/register_complete.request.json");
const MAKING: &str = include_str!("../../../../wire/fixtures/passwordless/register_begin.json");
const SIGNED: &str =
    include_str!("../../../../wire/fixtures/passwordless/signin_complete.request.json");
const SIGNING: &str = include_str!("../../../../wire/fixtures/passwordless/signin_begin.json");

/// The bytes of a base64 text in a document.
fn bytes(document: &str, pointer: &str) -> Vec<u8> {
    let document: Value = serde_json::from_str(document).unwrap();
    URL_SAFE_NO_PAD.decode(document.pointer(pointer).unwrap().as_str().unwrap()).unwrap()
}

fn on_localhost(challenge: &[u8]) -> Expected<'_> {
    Expected {
        challenge,
        origin: "http://localhost:3000",
        rp_id: "localhost",
        user_verification: true,
    }
}

fn documented_key() -> NewCredential {
    let challenge = bytes(MAKING, "/data/challenge");
    let client_data = bytes(MADE, "/response/response/clientDataJson");
    let object = bytes(MADE, "/response/response/AttestationObject");
    register(&on_localhost(&challenge), &client_data, &object).unwrap()
}

struct Documented {
    client_data: Vec<u8>,
    authenticator_data: Vec<u8>,
    signature: Vec<u8>,
}

impl Documented {
    fn read() -> Self {
        Self {
            client_data: bytes(SIGNED, "/response/response/clientDataJson"),
            authenticator_data: bytes(SIGNED, "/response/response/authenticatorData"),
            signature: bytes(SIGNED, "/response/response/signature"),
        }
    }

    fn assertion(&self) -> Assertion<'_> {
        Assertion {
            client_data: &self.client_data,
            authenticator_data: &self.authenticator_data,
            signature: &self.signature,
        }
    }
}

#[test]
fn the_documented_registration_is_good() {
    let made = documented_key();
    assert_eq!(made.id, bytes(MADE, "/response/rawId"));
    assert!(matches!(PublicKey::parse(&made.public_key), Ok(PublicKey::Rs256 { .. })));
    assert_eq!(made.counter, 0);
}

#[test]
fn the_documented_sign_ins_signature_is_good_and_its_ceremony_is_refused_for_the_challenge() {
    let (made, signed) = (documented_key(), Documented::read());
    let key = PublicKey::parse(&made.public_key).unwrap();
    assert_eq!(key.verify_assertion(&signed.assertion()), Ok(()));
    let given = bytes(SIGNING, "/data/challenge");
    let with = |challenge: &[u8]| {
        sign_in(&on_localhost(challenge), &made.public_key, made.counter, &signed.assertion())
    };
    assert_eq!(with(&given), Err(Refusal::Challenge));
    // Nothing else is wrong with it.
    let client_data: Value = serde_json::from_slice(&signed.client_data).unwrap();
    let signed_for = URL_SAFE_NO_PAD.decode(client_data["challenge"].as_str().unwrap()).unwrap();
    assert_eq!(with(&signed_for), Ok(SignedIn { counter: 1, backed_up: false }));
}

#[test]
fn each_thing_that_could_be_wrong_with_the_documented_registration_is_refused_for_itself() {
    let challenge = bytes(MAKING, "/data/challenge");
    let client_data = bytes(MADE, "/response/response/clientDataJson");
    let object = bytes(MADE, "/response/response/AttestationObject");
    let good = on_localhost(&challenge);
    let refused = |expected: &Expected<'_>, client_data: &[u8], object: &[u8]| {
        register(expected, client_data, object).unwrap_err()
    };
    let other = Expected { origin: "http://localhost:3001", ..good };
    assert_eq!(refused(&other, &client_data, &object), Refusal::Origin);
    assert_eq!(
        refused(&Expected { rp_id: "example.org", ..good }, &client_data, &object),
        Refusal::RpId
    );
    assert_eq!(refused(&on_localhost(b"x"), &client_data, &object), Refusal::Challenge);
    let text = String::from_utf8(client_data.clone()).unwrap();
    let changed = |from, to| text.replace(from, to).into_bytes();
    assert_eq!(refused(&good, &changed("webauthn.create", "webauthn.get"), &object), Refusal::Type);
    assert_eq!(refused(&good, &changed("n\":false", "n\":true"), &object), Refusal::CrossOrigin);
    assert_eq!(refused(&good, b"{}", &object), Refusal::ClientData);

    // The flags come after "authData", its two bytes of header and the hash.
    let at = object.windows(8).position(|window| window == b"authData").unwrap() + 8 + 3 + 32;
    assert_eq!(object[at], 0x45);
    let flagged = |flags| {
        let mut object = object.clone();
        object[at] = flags;
        refused(&good, &client_data, &object)
    };
    assert_eq!(flagged(0x44), Refusal::UserPresence);
    assert_eq!(flagged(0x41), Refusal::UserVerification);
    assert_eq!(flagged(0x55), Refusal::Backup);
    assert_eq!(flagged(0x05), Refusal::AuthenticatorData);
    assert_eq!(flagged(0xc5), Refusal::AuthenticatorData);
    let named = |format: &[u8]| {
        let mut object = object.clone();
        let at = object.windows(4).position(|window| window == b"none").unwrap();
        object[at..at + 4].copy_from_slice(format);
        refused(&good, &client_data, &object)
    };
    assert_eq!(named(b"tpm\0"), Refusal::Attestation);
    let longer = [object.as_slice(), b"\0"].concat();
    assert_eq!(refused(&good, &client_data, &longer), Refusal::AttestationObject);
}

#[test]
fn a_changed_signature_or_message_is_refused() {
    let (made, mut signed) = (documented_key(), Documented::read());
    let key = PublicKey::parse(&made.public_key).unwrap();
    signed.signature[7] ^= 1;
    assert_eq!(key.verify_assertion(&signed.assertion()), Err(Refusal::Signature));
    signed.signature[7] ^= 1;
    signed.authenticator_data[36] ^= 1;
    assert_eq!(key.verify_assertion(&signed.assertion()), Err(Refusal::Signature));
}

#[test]
fn a_counter_must_go_up_unless_the_device_never_counts() {
    let (made, signed) = (documented_key(), Documented::read());
    let client_data: Value = serde_json::from_slice(&signed.client_data).unwrap();
    let challenge = URL_SAFE_NO_PAD.decode(client_data["challenge"].as_str().unwrap()).unwrap();
    let seen = |counter| {
        sign_in(&on_localhost(&challenge), &made.public_key, counter, &signed.assertion())
    };
    assert!(seen(0).is_ok());
    assert_eq!(seen(1), Err(Refusal::Counter));
    assert_eq!(seen(u32::MAX), Err(Refusal::Counter));
}

#[test]
fn keys_of_other_kinds_and_sizes_are_refused() {
    let key = |pairs: &[(i64, ciborium::Value)]| {
        let pairs = pairs.iter().map(|(label, value)| ((*label).into(), value.clone())).collect();
        let mut cose = Vec::new();
        ciborium::into_writer(&ciborium::Value::Map(pairs), &mut cose).unwrap();
        PublicKey::parse(&cose)
    };
    let part = |length: usize| ciborium::Value::Bytes(vec![1; length]);
    let es256 = [(1, 2.into()), (3, (-7).into()), (-1, 1.into()), (-2, part(32)), (-3, part(32))];
    assert!(key(&es256).is_ok());
    let mut p384 = es256.clone();
    p384[2].1 = 2.into();
    let mut short = es256.clone();
    short[4] = (-3, part(31));
    let twice = [es256.as_slice(), &[(-2, part(32))]].concat();
    let weak = [(1, 3.into()), (3, (-257).into()), (-1, part(128)), (-2, part(3))];
    for bad in [p384.as_slice(), &short, &twice, &weak, &es256[..4], &[]] {
        assert_eq!(key(bad), Err(Refusal::Key));
    }
    assert!(key(&[(1, 1.into()), (3, (-8).into()), (-1, 6.into()), (-2, part(32))]).is_ok());
}

#[test]
fn deep_and_lying_cbor_is_refused_and_costs_nothing() {
    assert!(attested::item(&[0x81; 60_000]).is_none());
    // Four billion bytes, pairs or items are promised, and none comes.
    for head in [0x5a, 0xba, 0x9a, 0x7a] {
        assert!(attested::item(&[head, 0xff, 0xff, 0xff, 0xff]).is_none());
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let challenge = bytes.get(..8).unwrap_or_default();
        let assertion =
            Assertion { client_data: &bytes, authenticator_data: &bytes, signature: &bytes };
        let _ = register(&on_localhost(challenge), &bytes, &bytes);
        let _ = sign_in(&on_localhost(challenge), &bytes, 0, &assertion);
        let _ = AuthenticatorData::parse(&bytes);
        let _ = attested::authenticator_data(&bytes);
        if let Ok(key) = PublicKey::parse(&bytes) {
            let _ = key.verify_assertion(&assertion);
        }
    }

    /// Whatever one byte of a good registration is changed to: no panic, and no other credential's key.
    #[test]
    fn no_changed_registration_panics(at in 0usize..400, to: u8, cut in 0usize..450) {
        let challenge = bytes(MAKING, "/data/challenge");
        let client_data = bytes(MADE, "/response/response/clientDataJson");
        let mut object = bytes(MADE, "/response/response/AttestationObject");
        if let Some(byte) = object.get_mut(at) {
            *byte = to;
        }
        object.truncate(cut);
        let _ = register(&on_localhost(&challenge), &client_data, &object);
    }
}
