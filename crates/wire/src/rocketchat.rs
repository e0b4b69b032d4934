//! Rocket.Chat's requests and answers (services.md, section 3).
//!
//! Answers ignore fields that they don't know, and an odd or missing detail of a device never costs the
//! rest of it: only `sessionId` must be there. Errors are told apart by their `errorType`, where they
//! have one, and by the two texts that the service documents; any other prose is for people only.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// A login session: the answer to `GET sessions/info.admin`, and a row of `sessions/list.all`.
///
/// All of it is untrusted text: browsers and people choose their own names.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceSession {
    /// Its id.
    pub session_id: String,
    /// Whose it is.
    #[serde(default, deserialize_with = "lenient")]
    pub user_id: String,
    /// On what.
    #[serde(default, deserialize_with = "lenient")]
    pub device: Device,
    /// The host that it logged in to.
    #[serde(default, deserialize_with = "lenient")]
    pub host: String,
    /// Where it came from.
    #[serde(default, deserialize_with = "lenient")]
    pub ip: String,
    /// When, as RFC 3339 has it; empty if that isn't known.
    #[serde(default, deserialize_with = "lenient")]
    pub login_at: String,
    /// The person; missing in `sessions/list`, which is one's own.
    #[serde(rename = "_user", default, deserialize_with = "lenient")]
    pub user: Person,
}

impl fmt::Debug for DeviceSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Who somebody is and where from is not for logs.
        f.debug_struct("DeviceSession")
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}

/// The device of a login session; empty where not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// `browser`, `desktop-app`, `mobile-app` and so on.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: String,
    /// The browser or app.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// All of its version.
    #[serde(default, deserialize_with = "lenient")]
    pub long_version: String,
    /// The operating system.
    #[serde(default, deserialize_with = "lenient")]
    pub os: Os,
    /// Its version as people say it.
    #[serde(default, deserialize_with = "lenient")]
    pub version: String,
}

/// An operating system; empty where not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Os {
    /// Its name.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// Its version.
    #[serde(default, deserialize_with = "lenient")]
    pub version: String,
}

/// The person of a login session; empty where not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// The name to log in with.
    #[serde(default, deserialize_with = "lenient")]
    pub username: String,
}

/// The answer to `GET sessions/list.all` and `sessions/list`.
#[derive(Debug, Clone, Deserialize)]
pub struct List {
    /// A page of sessions; those without an id are left out by [`List::readable`].
    pub sessions: Vec<Value>,
    /// How many there are on all pages.
    #[serde(default)]
    pub total: u32,
}

impl List {
    /// The rows that can be read.
    pub fn readable(self) -> Vec<DeviceSession> {
        let read = |row| serde_json::from_value(row).ok();
        let named = |row: &DeviceSession| !row.session_id.is_empty();
        self.sessions.into_iter().filter_map(read).filter(named).collect()
    }
}

/// The body of `POST sessions/logout` and `sessions/logout.me`, and what they answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogOut {
    /// Which session.
    pub session_id: String,
}

/// An answer that says no.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// Its text; see [`NOT_FOUND`].
    #[serde(default, deserialize_with = "lenient")]
    pub error: String,
    /// What is the matter, see [`TOTP_REQUIRED`] and the like; empty if it doesn't say.
    #[serde(default, deserialize_with = "lenient")]
    pub error_type: String,
    /// More on a second factor.
    #[serde(default, deserialize_with = "lenient")]
    pub details: FactorDetails,
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text is undocumented and may repeat what was sent.
        f.debug_struct("Failed").field("error_type", &self.error_type).finish_non_exhaustive()
    }
}

/// The second factor that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FactorDetails {
    /// `totp`, `email`, `password`, or another word of the workspace's.
    #[serde(default, deserialize_with = "lenient")]
    pub method: String,
    /// The workspace has just sent a code.
    #[serde(default, deserialize_with = "lenient")]
    pub code_generated: bool,
    /// What could be used as well.
    #[serde(default, deserialize_with = "lenient")]
    pub available_methods: Vec<String>,
}

/// `errorType` of an answer that wants a second factor.
pub const TOTP_REQUIRED: &str = "totp-required";
/// `errorType` of an answer to a wrong code.
pub const TOTP_INVALID: &str = "totp-invalid";
/// `errorType` of an answer to missing or unknown parameters.
pub const INVALID_PARAMS: &str = "invalid-params";
/// `error` of an answer that knows no such session: 404, in older versions 400 (documented).
pub const NOT_FOUND: &str = "Session not found";

/// What is missing, null or of another type counts as not known.
fn lenient<'de, D: Deserializer<'de>, T: Default + DeserializeOwned>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse<T: DeserializeOwned>(text: &str) -> T {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn reads_the_documented_answers() {
        let found: DeviceSession = parse(include_str!("../fixtures/rocketchat/info.admin.json"));
        assert_eq!(found.session_id, "uBNL9dTjJ4s6Pjp4K");
        assert_eq!(
            (found.device.kind.as_str(), found.device.os.name.as_str()),
            ("browser", "Windows")
        );
        assert_eq!(found.device.long_version, "113.0.0.0");
        assert_eq!((found.user.name.as_str(), found.ip.as_str()), ("Rod", "172.20.0.2"));
        let asked: Failed = parse(include_str!("../fixtures/rocketchat/totp-required.json"));
        assert_eq!(
            (asked.error_type.as_str(), asked.details.method.as_str()),
            (TOTP_REQUIRED, "totp")
        );
        assert_eq!(asked.details.available_methods, ["totp"]);
        let wrong: Failed = parse(include_str!("../fixtures/rocketchat/totp-invalid.json"));
        assert_eq!(
            (wrong.error_type.as_str(), wrong.details.available_methods.len()),
            (TOTP_INVALID, 0)
        );
    }

    #[test]
    fn what_is_odd_costs_nothing_but_itself() {
        let found: DeviceSession = parse(
            r#"{"sessionId":"a","device":{"name":7,"os":null,"version":"1"},"ip":{},"_user":[]}"#,
        );
        assert_eq!((found.device.name.as_str(), found.device.version.as_str()), ("", "1"));
        let list: List =
            parse(r#"{"sessions":[{"sessionId":"a"},{"sessionId":null},{},7],"total":4}"#);
        assert_eq!(list.readable().len(), 1);
    }

    #[test]
    fn debug_shows_nobody() {
        let found: DeviceSession = parse(include_str!("../fixtures/rocketchat/info.admin.json"));
        assert!(!format!("{found:?}").contains("172.20.0.2"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = serde_json::from_slice::<DeviceSession>(&bytes);
            let _ = serde_json::from_slice::<List>(&bytes);
            let _ = serde_json::from_slice::<Failed>(&bytes);
        }
    }
}
