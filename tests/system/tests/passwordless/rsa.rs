//! A device with an RSA key (RS256), as some computers' own have. The software authenticator makes
//! none, so its bytes are laid out here (WebAuthn, section 6; RFC 8230).

use authenticator_tests::Browser;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

use super::{ANNA, World, asked, secret};

/// A key for this test alone.
const KEY: &[u8] = include_bytes!("fixtures/test-only.rsa.der");
const ID: &[u8; 16] = b"an RSA passkey's";
/// The flags of a sign-in: the user is present and verified.
const SIGNED: u8 = 0x05;
/// The flags of a registration: the user is present and verified, and a new key follows.
const MADE: u8 = 0x45;

struct Device(RsaKeyPair);

impl Device {
    fn new() -> Self {
        Self(RsaKeyPair::from_der(KEY).unwrap())
    }

    fn make(&self, origin: &str, options: &Value) -> Value {
        let mut data = authenticator_data(MADE, 1);
        data.extend([0; 16]);
        data.extend([0, 16]);
        data.extend(ID);
        data.extend(self.cose_key());
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        attestation.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        attestation.extend(data);
        credential(&json!({
            "attestationObject": BASE64URL.encode(attestation),
            "clientDataJSON": BASE64URL.encode(client_data("webauthn.create", origin, options)),
        }))
    }

    fn sign(&self, origin: &str, options: &Value) -> Value {
        let data = authenticator_data(SIGNED, 2);
        let client = client_data("webauthn.get", origin, options);
        let signed = [&data[..], digest(&SHA256, &client).as_ref()].concat();
        let mut signature = vec![0; self.0.public().modulus_len()];
        let random = SystemRandom::new();
        self.0.sign(&RSA_PKCS1_SHA256, &random, &signed, &mut signature).unwrap();
        credential(&json!({
            "authenticatorData": BASE64URL.encode(data),
            "clientDataJSON": BASE64URL.encode(client),
            "signature": BASE64URL.encode(signature),
        }))
    }

    /// `{1: 3, 3: -257, -1: n, -2: e}` in CBOR.
    fn cose_key(&self) -> Vec<u8> {
        let PublicKeyComponents::<Vec<u8>> { n, e } = self.0.public().into();
        assert_eq!((n.len(), e.len()), (256, 3));
        [b"\xa4\x01\x03\x03\x39\x01\x00\x20\x59\x01\x00", &n[..], b"\x21\x43", &e[..]].concat()
    }
}

fn authenticator_data(flags: u8, counter: u32) -> Vec<u8> {
    let rp_id = digest(&SHA256, b"localhost");
    [rp_id.as_ref(), &[flags], &counter.to_be_bytes()].concat()
}

fn client_data(kind: &str, origin: &str, options: &Value) -> Vec<u8> {
    let challenge = &options["challenge"];
    json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false })
        .to_string()
        .into_bytes()
}

fn credential(response: &Value) -> Value {
    let id = BASE64URL.encode(ID);
    json!({ "id": id, "rawId": id, "type": "public-key", "extensions": {}, "response": response })
}

async fn begin_sign_in(browser: &Browser) -> Value {
    browser.begin(json!({ "userId": ANNA })).await.body
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rsa_passkey_is_made_signs_in_and_is_refused_with_another_signature() {
    let world = World::new().await;
    let (device, browser) = (Device::new(), world.browser());
    let token = world.register_token(&asked(ANNA)).await;
    let begun = browser.post("/register/begin", browser.on_page(json!({ "token": token }))).await;
    let made = device.make(&browser.origin, &begun.body["data"]);
    let made = browser.complete_registration(&begun.body["session"], made, "RSA").await;
    world.client.verify(&secret(made.token())).await.unwrap();

    let begun = begin_sign_in(&browser).await;
    let shown = device.sign(&browser.origin, &begun["data"]);
    let signed_in = browser.complete_sign_in(&begun["session"], shown).await;
    let signed_in = world.client.verify(&secret(signed_in.token())).await.unwrap();
    assert_eq!((signed_in.user_id.as_str(), signed_in.success), (ANNA, true));

    let begun = begin_sign_in(&browser).await;
    let mut shown = device.sign(&browser.origin, &begun["data"]);
    let other = BASE64URL.encode([7; 256]);
    shown["response"]["signature"] = other.into();
    let refused = browser.complete_sign_in(&begun["session"], shown).await;
    assert!(refused.status.is_client_error(), "{refused:?}");
    world.running.shutdown().await;
}
