//! Requests and responses of Rocket.Chat (services.md, section 3).
//!
//! Unknown fields are ignored, and a detail of a device that is missing or of another type doesn't
//! invalidate the rest: only `sessionId` must be there. Errors are told apart by `errorType` and,
//! where they have none, by the text that the service documents. Any other text is for people only.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// A login session: the response to `GET sessions/info.admin`, and a row of `sessions/list.all`.
///
/// All of it is untrusted text: browsers and people choose these names freely.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceSession {
    /// The id of the login session.
    pub session_id: String,
    /// The user who logged in.
    #[serde(default, deserialize_with = "lenient")]
    pub user_id: String,
    /// The device on which the user logged in.
    #[serde(default, deserialize_with = "lenient")]
    pub device: Device,
    /// The host that the device logged in to.
    #[serde(default, deserialize_with = "lenient")]
    pub host: String,
    /// The address that the login came from.
    #[serde(default, deserialize_with = "lenient")]
    pub ip: String,
    /// The time of the login in the form of RFC 3339; empty if it isn't known.
    #[serde(default, deserialize_with = "lenient")]
    pub login_at: String,
    /// The person; missing in `sessions/list`, which lists the caller's own sessions.
    #[serde(rename = "_user", default, deserialize_with = "lenient")]
    pub user: Person,
}

impl fmt::Debug for DeviceSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A person's name, device and address must not reach a log.
        f.debug_struct("DeviceSession")
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}

/// The device of a login session. What isn't known is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// The kind, such as `browser`, `desktop-app` or `mobile-app`.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: String,
    /// The name of the browser or app.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// The full version, such as `113.0.0.0`.
    #[serde(default, deserialize_with = "lenient")]
    pub long_version: String,
    /// The operating system.
    #[serde(default, deserialize_with = "lenient")]
    pub os: Os,
    /// The short version.
    #[serde(default, deserialize_with = "lenient")]
    pub version: String,
}

/// An operating system. What isn't known is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Os {
    /// The name, such as `Windows`.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// The version.
    #[serde(default, deserialize_with = "lenient")]
    pub version: String,
}

/// The person of a login session. What isn't known is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The full name.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// The name with which the person logs in.
    #[serde(default, deserialize_with = "lenient")]
    pub username: String,
}

/// The response to `GET sessions/list.all` and `sessions/list`.
#[derive(Debug, Clone, Deserialize)]
pub struct SessionList {
    /// One page of sessions, unparsed.
    pub sessions: Vec<Value>,
    /// The number of sessions on all pages.
    #[serde(default)]
    pub total: u32,
}

impl SessionList {
    /// The rows that can be read and have an id.
    pub fn readable(self) -> Vec<DeviceSession> {
        let read = |row| serde_json::from_value(row).ok();
        let named = |row: &DeviceSession| !row.session_id.is_empty();
        self.sessions.into_iter().filter_map(read).filter(named).collect()
    }
}

/// The body of `POST sessions/logout` and `sessions/logout.me`, and of their responses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogOut {
    /// The session to end.
    pub session_id: String,
}

/// The response to a refused request.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureResponse {
    /// The text, such as [`NOT_FOUND`].
    #[serde(default, deserialize_with = "lenient")]
    pub error: String,
    /// The kind of error, such as [`TOTP_REQUIRED`]; empty if there is none.
    #[serde(default, deserialize_with = "lenient")]
    pub error_type: String,
    /// The second factor that is asked for, if any.
    #[serde(default, deserialize_with = "lenient")]
    pub details: FactorDetails,
}

impl fmt::Debug for FailureResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text is undocumented and may repeat what was sent, a code included.
        f.debug_struct("FailureResponse")
            .field("error_type", &self.error_type)
            .finish_non_exhaustive()
    }
}

/// A second factor that the workspace asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FactorDetails {
    /// `totp`, `email`, `password` or another method.
    #[serde(default, deserialize_with = "lenient")]
    pub method: String,
    /// Whether the workspace has just sent a code.
    #[serde(default, deserialize_with = "lenient")]
    pub code_generated: bool,
    /// The methods that the person can use.
    #[serde(default, deserialize_with = "lenient")]
    pub available_methods: Vec<String>,
}

/// The `errorType` of a request that needs a second factor.
pub const TOTP_REQUIRED: &str = "totp-required";
/// The `errorType` of a wrong code.
pub const TOTP_INVALID: &str = "totp-invalid";
/// The `errorType` of missing or unknown parameters.
pub const INVALID_PARAMS: &str = "invalid-params";
// The text is compared and not the status: the status is 404, and 400 in the documents of
// older versions.
/// The `error` text if the session doesn't exist.
pub const NOT_FOUND: &str = "Session not found";

/// A value that is missing, `null` or of another type counts as not known.
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
        let asked: FailureResponse =
            parse(include_str!("../fixtures/rocketchat/totp-required.json"));
        assert_eq!(
            (asked.error_type.as_str(), asked.details.method.as_str()),
            (TOTP_REQUIRED, "totp")
        );
        assert_eq!(asked.details.available_methods, ["totp"]);
        let wrong: FailureResponse =
            parse(include_str!("../fixtures/rocketchat/totp-invalid.json"));
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
        let list: SessionList =
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
            let _ = serde_json::from_slice::<SessionList>(&bytes);
            let _ = serde_json::from_slice::<FailureResponse>(&bytes);
        }
    }
}
