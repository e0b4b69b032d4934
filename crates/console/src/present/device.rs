//! Devices of the chat workspace. None of their texts is ours, so all are made harmless.

use engine::{archive::LookedUp, remote::rocketchat::FactorPrompt};
use wire::rocketchat::{Device, DeviceSession};

use crate::{
    view::{CodeAsked, DeviceView},
    words,
};

/// The longest text of a device, in characters.
const LONGEST: usize = 200;

/// A device that was looked up and pinned to a session.
pub fn pinned(looked_up: &LookedUp) -> DeviceView {
    DeviceView {
        looked_up_at: Some(looked_up.at.0),
        by: words::plain(&looked_up.by, words::LONGEST_NAME),
        logged_out: looked_up.logged_out_at.is_some(),
        ..listed(&looked_up.found)
    }
}

/// A row of a list to pick from.
pub fn listed(found: &DeviceSession) -> DeviceView {
    let Device { kind, name, long_version, os, version } = &found.device;
    let version = if version.is_empty() { long_version } else { version };
    DeviceView {
        login_session: words::plain(&found.session_id, LONGEST),
        kind: words::plain(kind, LONGEST),
        app: words::plain(&format!("{name} {version}"), LONGEST),
        os: words::plain(&format!("{} {}", os.name, os.version), LONGEST),
        host: words::plain(&found.host, LONGEST),
        ip: words::plain(&found.ip, LONGEST),
        login_at: found.login_at.parse().ok().map(jiff::Timestamp::as_millisecond),
        name: words::plain(&found.user.name, words::LONGEST_NAME),
        username: words::plain(&found.user.username, words::LONGEST_NAME),
        user_id: words::plain(&found.user_id, LONGEST),
        looked_up_at: None,
        by: String::new(),
        logged_out: false,
    }
}

/// The request for a second factor, in words.
pub fn code_asked(asked: &FactorPrompt, wrong: bool) -> CodeAsked {
    let what = match asked.method.as_str() {
        "totp" => "Type the six digits that your authenticator app shows, or a backup code.",
        "email" if asked.sent => "A code was sent to you by e-mail: type it here.",
        "email" => "Type the code that was sent to you by e-mail.",
        "password" => "Type the password of the workspace's user.",
        _ => "Type the code that the workspace asks for.",
    };
    let before = if wrong { "The workspace does not accept this code. " } else { "" };
    let plain = |text: &String| words::plain(text, words::LONGEST_NAME);
    CodeAsked {
        method: plain(&asked.method),
        methods: asked.methods.iter().take(8).map(plain).collect(),
        sent: asked.sent,
        wrong,
        text: format!("{before}{what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_workspace_says_is_made_harmless_and_missing_parts_stay_empty() {
        let text = r#"{"sessionId":"a","device":{"name":"Chr\u202eome","longVersion":"1.2.3"},
            "loginAt":"2023-05-24T05:08:42.806Z","_user":{"name":"Rod\u0007"}}"#;
        let view = listed(&serde_json::from_str(text).unwrap());
        assert_eq!(
            (view.app.as_str(), view.os.as_str(), view.name.as_str()),
            ("Chrome 1.2.3", "", "Rod")
        );
        assert_eq!(view.login_at, Some(1_684_904_922_806));
        let odd = listed(&serde_json::from_str(r#"{"sessionId":"a","loginAt":"soon"}"#).unwrap());
        assert_eq!(odd.login_at, None);
    }
}
