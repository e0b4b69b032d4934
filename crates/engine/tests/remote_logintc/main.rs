//! The push verification client against servers that answer exactly what a test says: the documented
//! bytes, and wrong ones.
#![allow(clippy::unwrap_used)]

mod calls;
mod garbage;

use std::time::Duration;

use engine::remote::{
    LoginTc, Timeouts,
    logintc::{Attribute, LoginTcConfig, User},
};
use secrecy::SecretString;

const DOMAIN: &str = "9120580e94f134cb7c9f27cd1e43dbc82980e152";
const USER: &str = "8c184f495a5b7b6e9ed732f2ce3c67e310806f38";
const SESSION: &str = "fcbdc4c271c889825d8338d2d8f10b6e5e95c171";
const KEY: &str = "K3yK3yK3yK3yK3yK3yK3yK3yK3yK3yK3yK3yK3yK3yK3yK3yK3yK3yK3yK3yK3yZ";

fn service(origin: &str) -> LoginTcConfig {
    LoginTcConfig {
        base_url: format!("{origin}/api").parse().unwrap(),
        domain: DOMAIN.to_owned(),
        key: SecretString::from(KEY),
    }
}

fn client(origin: &str) -> LoginTc {
    LoginTc::new(service(origin)).unwrap()
}

/// One that gives up at once, for servers that never answer.
fn impatient(origin: &str) -> LoginTc {
    let timeouts = Timeouts { call: Duration::from_millis(50), ..Timeouts::default() };
    LoginTc::with_timeouts(service(origin), timeouts).unwrap()
}

fn user() -> User {
    User::Id(USER.to_owned())
}

fn attribute(key: &str, value: &str) -> Attribute {
    Attribute { key: key.to_owned(), value: value.to_owned() }
}
