//! A person with a passkey in a browser, in software. It sends what the passkey service's own browser client
//! sends, and an independent authenticator library makes the signatures, so that no mistake of ours is repeated
//! on both ends.
//!
//! It knows a service by its address and public key only, so any crate's tests can use it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use passkey::{
    authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod},
    client::{Client, DefaultClientData, WebauthnError},
    crypto::{iana::Algorithm, rust_crypto::RustCryptoBackend},
    types::webauthn::CredentialRequestOptions,
    types::{Passkey, ctap2::Aaguid, ctap2::Ctap2Error, webauthn::CredentialCreationOptions},
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::Url;

/// A browser on one page, with one device that holds one passkey.
pub struct Browser {
    /// The address of the passkey service.
    pub base_url: String,
    /// The public key, which the page shows to the service.
    pub api_key: String,
    /// The page's origin, without a slash at the end.
    pub origin: String,
    /// What the page says that its host is.
    pub rp_id: String,
    /// The device that holds the passkey.
    pub device: Device,
    client: reqwest::Client,
}

/// The service's answer to one call.
#[derive(Debug)]
pub struct HttpResponse {
    pub status: StatusCode,
    pub content_type: String,
    /// `Value::Null` if the answer wasn't JSON.
    pub body: Value,
}

impl HttpResponse {
    /// The token of a success.
    pub fn token(&self) -> &str {
        assert_eq!(self.status, 200, "{self:?}");
        self.body["token"].as_str().unwrap()
    }

    /// The code of a refusal.
    pub fn code(&self) -> &str {
        assert!(self.status.is_client_error(), "{self:?}");
        assert_eq!(self.content_type, "application/problem+json", "{self:?}");
        self.body["errorCode"].as_str().unwrap_or_default()
    }
}

impl Browser {
    /// A browser on `http://localhost:3000`, without a passkey yet.
    pub fn new(base_url: String, api_key: &str) -> Self {
        // Another test of this process may have installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            base_url,
            api_key: api_key.to_owned(),
            origin: "http://localhost:3000".to_owned(),
            rp_id: "localhost".to_owned(),
            device: Device::new(Algorithm::ES256),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// Makes a passkey with a `register_` token; the answer's token tells the backend.
    pub async fn register(&mut self, token: &str, nickname: &str) -> HttpResponse {
        let begun = self.post("/register/begin", self.on_page(json!({ "token": token }))).await;
        if begun.status != 200 {
            return begun;
        }
        let made = self.device.make(&self.origin, &begun.body["data"]).await.unwrap();
        self.complete_registration(&begun.body["session"], made, nickname).await
    }

    /// Begins a sign-in; `who` is `{"userId":..}`, `{"alias":..}` or `{}`.
    pub async fn begin(&self, who: Value) -> HttpResponse {
        self.post("/signin/begin", self.on_page(who)).await
    }

    /// Signs in; `who` as with [`Browser::begin`].
    pub async fn sign_in(&mut self, who: Value) -> HttpResponse {
        let begun = self.begin(who).await;
        if begun.status != 200 {
            return begun;
        }
        let shown = self.device.sign(&self.origin, &begun.body["data"]).await.unwrap();
        self.complete_sign_in(&begun.body["session"], shown).await
    }

    /// Hands a new passkey in.
    pub async fn complete_registration(
        &self,
        session: &Value,
        made: Value,
        nick: &str,
    ) -> HttpResponse {
        let body = json!({ "session": session, "response": made, "nickname": nick });
        self.post("/register/complete", self.on_page(body)).await
    }

    /// Hands a signature in.
    pub async fn complete_sign_in(&self, session: &Value, shown: Value) -> HttpResponse {
        let body = json!({ "session": session, "response": shown });
        self.post("/signin/complete", self.on_page(body)).await
    }

    /// `body` with what says which page sends it.
    pub fn on_page(&self, mut body: Value) -> Value {
        body["RPID"] = self.rp_id.clone().into();
        body["Origin"] = self.origin.clone().into();
        body
    }

    /// Any call with the public key.
    pub async fn post(&self, path: &str, body: Value) -> HttpResponse {
        let request = self.client.post(format!("{}{path}", self.base_url));
        let request = request.header("ApiKey", &self.api_key).header("Origin", &self.origin);
        let response = request.json(&body).send().await.unwrap();
        let content_type = response.headers().get("content-type");
        let content_type = content_type.map_or("", |kind| kind.to_str().unwrap()).to_owned();
        let status = response.status();
        let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default();
        HttpResponse { status, content_type, body }
    }
}

type SoftwareClient =
    Client<Option<Passkey>, Owner, RustCryptoBackend, public_suffix::PublicSuffixList, ()>;

/// A device that holds one passkey.
pub struct Device(SoftwareClient);

impl Device {
    /// A device that makes keys of one kind, and counts how often they are used.
    pub fn new(algorithm: Algorithm) -> Self {
        let mut device = Authenticator::new(Aaguid::new_empty(), None, Owner, RustCryptoBackend);
        device.set_algorithms(&[algorithm]).unwrap();
        device.set_make_credentials_with_signature_counter(true);
        Self(Client::new(device).allows_insecure_localhost(true))
    }

    /// Its passkey.
    pub fn passkey(&mut self) -> &mut Passkey {
        self.0.authenticator_mut().store_mut().as_mut().expect("a passkey was made")
    }

    /// Makes a passkey for the page at `origin`, as `options` ask, and gives what the official client sends.
    ///
    /// # Errors
    /// The device refused.
    pub async fn make(&mut self, origin: &str, options: &Value) -> Result<Value, WebauthnError> {
        let public_key = serde_json::from_value(options.clone()).unwrap();
        let request = CredentialCreationOptions { public_key };
        let page = Url::parse(origin).unwrap();
        let made = self.0.register(&page, request, DefaultClientData).await?;
        let response = json!({
            "AttestationObject": BASE64URL.encode(&*made.response.attestation_object),
            "clientDataJson": BASE64URL.encode(&*made.response.client_data_json),
        });
        Ok(credential(&made.id, &response))
    }

    /// Signs for the page at `origin`, as `options` ask, and gives what the official client sends.
    ///
    /// # Errors
    /// The device refused.
    pub async fn sign(&mut self, origin: &str, options: &Value) -> Result<Value, WebauthnError> {
        let mut options = options.clone();
        // With an empty list a browser offers every passkey that it has for the page.
        if options["allowCredentials"] == json!([]) {
            options["allowCredentials"] = Value::Null;
        }
        let request =
            CredentialRequestOptions { public_key: serde_json::from_value(options).unwrap() };
        let page = Url::parse(origin).unwrap();
        let shown = self.0.authenticate(&page, request, DefaultClientData).await?;
        let response = json!({
            "authenticatorData": BASE64URL.encode(&*shown.response.authenticator_data),
            "clientDataJson": BASE64URL.encode(&*shown.response.client_data_json),
            "signature": BASE64URL.encode(&*shown.response.signature),
        });
        Ok(credential(&shown.id, &response))
    }
}

fn credential(id: &str, response: &Value) -> Value {
    json!({
        "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {},
        "response": response,
    })
}

/// Somebody who is there and is verified.
struct Owner;

#[async_trait::async_trait]
impl UserValidationMethod for Owner {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        hint: UiHint<'a, Passkey>,
        presence: bool,
        verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        if let UiHint::InformExcludedCredentialFound(_) = hint {
            return Err(Ctap2Error::CredentialExcluded);
        }
        Ok(UserCheck { presence, verification })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}
