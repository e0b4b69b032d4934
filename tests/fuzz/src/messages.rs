//! Messages of the network: pages, programs, consoles, remote services.

use serde::{Serialize, de::DeserializeOwned};
use tunnel::{Route, proxy_answers::ProxyAnswers};
use url::Url;
use wire::{
    MailAddress, Pin, Region,
    logintc::{ErrorResponse, PushSession},
    loginwithme::{Chat, EmailAccepted, Outcome, SessionPin, SessionUrl},
    passwordless::{CredentialList, Problem, Token, VerifiedSignIn},
    rocketchat::{DeviceSession, FailureResponse, SessionList},
    session_events::{FromConsole, ToConsole},
    shared_screen::{StreamAnswer, StreamHello, ToPresenter},
};

/// The first message of a live connection, and all that may follow it.
pub fn fuzz_hello(data: &[u8]) {
    broker::fuzzing::page_message(data);
}

/// A call's body and query, as the broker reads them.
pub fn fuzz_fields(data: &[u8]) {
    broker::fuzzing::fields(data);
}

/// The first message of a stream, and its answer.
pub fn fuzz_stream_hello(data: &[u8]) {
    reads_what_it_writes::<StreamHello>(data);
    reads_what_it_writes::<StreamAnswer>(data);
}

/// What the broker tells the customer's program.
pub fn fuzz_presenter_live(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data) {
        presenter::fuzzing::live_message(text);
    }
    let _ = serde_json::from_slice::<ToPresenter>(data);
}

/// What the page in a viewer window tells the console.
pub fn fuzz_viewer_page(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data) {
        console::fuzzing::viewer_page(text);
    }
}

/// Orders to a server's control API.
pub fn fuzz_control(data: &[u8]) {
    reads_what_it_writes::<Vec<serve::FaultRule>>(data);
    broker::fuzzing::control(data);
}

/// The broker's event channel, both ways.
pub fn fuzz_session_events(data: &[u8]) {
    reads_what_it_writes::<FromConsole>(data);
    reads_what_it_writes::<ToConsole>(data);
}

/// The answers of the remote services.
pub fn fuzz_remote_answers(data: &[u8]) {
    read::<SessionPin>(data);
    read::<SessionUrl>(data);
    read::<EmailAccepted>(data);
    read::<Outcome>(data);
    read::<Chat>(data);
    read::<PushSession>(data);
    read::<ErrorResponse>(data);
    read::<Token>(data);
    read::<VerifiedSignIn>(data);
    read::<CredentialList>(data);
    read::<Problem>(data);
    read::<DeviceSession>(data);
    read::<FailureResponse>(data);
    if let Ok(list) = serde_json::from_slice::<SessionList>(data) {
        let _ = list.readable();
    }
}

/// Addresses and names as people, services and the environment give them.
pub fn fuzz_addresses(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(pin) = text.parse::<Pin>() {
        assert_eq!(
            pin.expose().parse::<Pin>().as_ref(),
            Ok(&pin),
            "a PIN is read as it is written"
        );
    }
    let _ = text.parse::<Region>();
    let _ = text.parse::<MailAddress>();
    let _ = text.parse::<serve::peer::Network>();
    reads_as_proxy(text);
    for loopback in [false, true] {
        let policy = broker::TargetPolicy { loopback, private: false };
        if let Ok(url) = policy.parse(text, false) {
            assert!(
                policy.parse(url.as_str(), false).is_ok(),
                "a target stays one when it is written"
            );
        }
    }
}

/// The environment's variables that name a proxy, and those that need none. No error has what was in them.
fn reads_as_proxy(text: &str) {
    for address in ["https://support.example.org", "ws://[2001:db8::7]:8443", text] {
        let Ok(target) = address.parse::<Url>() else { continue };
        for name in ["all_proxy", "no_proxy"] {
            let set = |asked: &str| match asked {
                _ if asked == name => Some(text.to_owned()),
                "all_proxy" => Some("socks5://proxy.example".to_owned()),
                _ => None,
            };
            let _ = Route::new(&target, set).map(|route| route.proxy().map(str::len));
        }
    }
}

fn read<T: DeserializeOwned>(data: &[u8]) {
    let _ = serde_json::from_slice::<T>(data);
}

/// Whatever is understood is written so that it is understood again.
fn reads_what_it_writes<T: DeserializeOwned + Serialize>(data: &[u8]) {
    let Ok(message) = serde_json::from_slice::<T>(data) else { return };
    let Ok(written) = serde_json::to_vec(&message) else { panic!("it can't be written") };
    let Ok(again) = serde_json::from_slice::<T>(&written) else { panic!("it can't be read again") };
    assert_eq!(serde_json::to_vec(&again).ok().as_ref(), Some(&written));
}

/// What a proxy answers to CONNECT.
pub fn fuzz_proxy_answer(data: &[u8]) {
    thread_local! {
        static ANSWERS: Option<ProxyAnswers> = ProxyAnswers::new();
    }
    let made_a_tunnel =
        ANSWERS.with(|answers| answers.as_ref().is_some_and(|answers| answers.read(data)));
    assert!(!made_a_tunnel || data.starts_with(b"HTTP/1."), "a tunnel without a proxy's word");
}

/// What a SOCKS proxy answers.
pub fn fuzz_socks_answer(data: &[u8]) {
    thread_local! {
        static ANSWERS: Option<tunnel::proxy_answers::SocksAnswers> =
            tunnel::proxy_answers::SocksAnswers::new();
    }
    let made_a_tunnel =
        ANSWERS.with(|answers| answers.as_ref().is_some_and(|answers| answers.read(data)));
    assert!(!made_a_tunnel || data.starts_with(&[5]), "a tunnel without a proxy's word");
}

/// What an authenticator sends at a registration and at a sign-in.
pub fn fuzz_webauthn(data: &[u8]) {
    sandbox::passwordless::ceremony_bytes::read(data);
}
