//! The key by which a broker of ours knows this console: another one for each service.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::remote::is_loopback;

/// The key for the service at `base_url`, made of the console's `own`. A service learns no key that another one would
/// take for this console's.
pub(super) fn key_for(own: &SecretString, base_url: &Url) -> SecretString {
    // The broker that comes along may have another port after each start.
    let service = if is_loopback(base_url) {
        "this computer".to_owned()
    } else {
        base_url.origin().ascii_serialization()
    };
    let own = hmac::Key::new(hmac::HMAC_SHA256, own.expose_secret().as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&own, service.as_bytes())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_gets_a_key_of_its_own_and_always_the_same() {
        let own = SecretString::from("geheim");
        let key = |url: &str| key_for(&own, &url.parse().unwrap()).expose_secret().to_owned();
        assert_eq!(key("http://127.0.0.1:1/api/v1"), key("http://localhost:2/api/v1"));
        assert_eq!(key("https://a.example/api/v1"), key("https://a.example/b"));
        assert_ne!(key("https://a.example/"), key("https://b.example/"));
        assert_ne!(key("https://a.example/"), key("http://127.0.0.1:1/"));
        let another = key_for(&SecretString::from("other"), &"https://a.example/".parse().unwrap());
        assert_ne!(another.expose_secret(), key("https://a.example/"));
    }
}
