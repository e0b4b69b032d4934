//! The three identity services: what each still needs, and what a failed test of
//! its connection means.

use engine::{
    CommandError,
    remote::{logintc, passwordless::PasskeyError, rocketchat},
};

use super::{
    remedy,
    trouble::{self, sentence},
};
use crate::{
    Settings,
    settings::name_of,
    view::{Code, Identity, SecretName, Trouble},
};

impl Identity {
    /// All services, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Passwordless, Self::Logintc, Self::Rocketchat];

    /// The name by which people know the service.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passwordless => "the passkey service",
            Self::Logintc => "the verification service",
            Self::Rocketchat => "the chat workspace",
        }
    }

    /// The secret that the service needs.
    pub const fn secret(self) -> SecretName {
        match self {
            Self::Passwordless => SecretName::PasswordlessSecret,
            Self::Logintc => SecretName::LogintcKey,
            Self::Rocketchat => SecretName::RocketchatToken,
        }
    }

    /// The configured address; none for the sandbox.
    pub fn address(self, settings: &Settings) -> Option<&str> {
        match self {
            Self::Passwordless => settings.passwordless_url.as_deref(),
            Self::Logintc => settings.logintc_url.as_deref(),
            Self::Rocketchat => settings.rocketchat_url.as_deref(),
        }
    }

    /// The name of the setting with the address.
    const fn field(self) -> &'static str {
        match self {
            Self::Passwordless => name_of!(passwordless_url),
            Self::Logintc => name_of!(logintc_url),
            Self::Rocketchat => name_of!(rocketchat_url),
        }
    }
}

impl SecretName {
    /// The service that issues the secret.
    pub const fn service(self) -> Identity {
        match self {
            Self::PasswordlessSecret => Identity::Passwordless,
            Self::LogintcKey => Identity::Logintc,
            Self::RocketchatToken => Identity::Rocketchat,
        }
    }

    /// The service's own name for the secret.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PasswordlessSecret => "API secret",
            Self::LogintcKey => "API key",
            Self::RocketchatToken => "access token",
        }
    }
}

/// What a service lacks before it can be used; none if nothing. With the sandbox in use, a stored
/// secret still lacks the real service's address.
pub fn missing(service: Identity, settings: &Settings, has_secret: bool) -> Option<Trouble> {
    let (name, secret) = (service.name(), service.secret().name());
    let set_up = |what: &str, remedy: String| {
        Some(Trouble { code: Code::SetUp, text: sentence(&format!("use {name}: {what}")), remedy })
    };
    if service.address(settings).is_none() {
        if !has_secret {
            return None;
        }
        return set_up(
            &format!(
                "the sandbox stands for it; the {secret} is kept, but not used until an address is set"
            ),
            format!("Set {}, or remove the {secret}.", service.field()),
        );
    }
    if !has_secret {
        return set_up(
            &format!("its {secret} is not set"),
            format!("Enter the {secret} on the settings' page Services."),
        );
    }
    match service {
        Identity::Passwordless if settings.passwordless_key.is_none() => set_up(
            "its public key is not set, which the browser needs",
            "Set passwordless_key to the key that begins with the app's name and :public:.".into(),
        ),
        Identity::Logintc if settings.logintc_domain.is_none() => set_up(
            "its domain's id is not set",
            "Set logintc_domain to the 40 hex digits that the domain's settings show.".into(),
        ),
        Identity::Rocketchat if settings.rocketchat_user.is_none() => set_up(
            "the user id that belongs to the access token is not set",
            "Set rocketchat_user to the id that was shown with the token.".into(),
        ),
        Identity::Passwordless | Identity::Logintc | Identity::Rocketchat => None,
    }
}

/// The trouble of a service that can't be used although nothing is missing.
pub fn unusable(service: Identity) -> Trouble {
    Trouble {
        code: Code::CheckAddress,
        text: sentence(&format!("use {}: its settings don't work", service.name())),
        remedy: "Check its address and the fields beside it in the settings; see the log.".into(),
    }
}

/// The trouble of a failed test of LoginTC.
pub fn of_logintc(error: &logintc::Error) -> Trouble {
    match error {
        logintc::Error::Unauthorized(_) => not_accepted(Identity::Logintc),
        logintc::Error::WrongDomain(_) => Trouble {
            code: Code::SetUp,
            text: sentence(&format!(
                "test {}: it knows no such domain, or the API key belongs to another",
                Identity::Logintc.name()
            )),
            remedy: "Copy the domain's id and the API key from the same domain.".into(),
        },
        logintc::Error::Call(call) => trouble::of_command(&CommandError::Call(call.clone())),
        logintc::Error::NoDevice
        | logintc::Error::UnknownUser(_)
        | logintc::Error::NotEnabled
        | logintc::Error::Gone(_)
        | logintc::Error::Input(..) => {
            Trouble { code: Code::Refused, ..trouble::new(error, remedy::of_verification(error)) }
        }
    }
}

/// The trouble of a failed test of Passwordless.dev.
pub fn of_passkeys(error: &PasskeyError) -> Trouble {
    match error {
        PasskeyError::Unauthorized(_) => not_accepted(Identity::Passwordless),
        PasskeyError::Call(call) => trouble::of_command(&CommandError::Call(call.clone())),
        PasskeyError::InvalidToken(_)
        | PasskeyError::ExpiredToken(_)
        | PasskeyError::AliasConflict(_)
        | PasskeyError::UnknownCredential(_)
        | PasskeyError::Limit { .. }
        | PasskeyError::Invalid { .. } => {
            Trouble { code: Code::Refused, ..trouble::new(error, remedy::of_passkey(error)) }
        }
    }
}

/// The trouble of a failed test of Rocket.Chat.
pub fn of_workspace(error: &rocketchat::RocketChatError) -> Trouble {
    use rocketchat::Why;
    let text = sentence(&error.to_string());
    let trouble = |code, remedy: &str| Trouble { code, text: text.clone(), remedy: remedy.into() };
    match &error.why {
        Why::NotLoggedIn => not_accepted(Identity::Rocketchat),
        Why::NoPermission => trouble(
            Code::Refused,
            "Give the token's user the permission view-device-management; it needs a plan that has it.",
        ),
        Why::RateLimited { .. } => trouble(Code::Wait, "Wait a minute; then try again."),
        Why::Call(failure, _) => trouble::of_failure(&error.doing.to_string(), *failure),
        Why::InvalidParams | Why::OtherSession | Why::NotFound => trouble(
            Code::CheckAddress,
            "Check that the address is the workspace's, and which version it is.",
        ),
        Why::FactorNeeded(_) | Why::FactorWrong(_) => {
            trouble(Code::CodeNeeded, "Give the code where it is asked for.")
        }
    }
}

/// The trouble of a 401, for which a wrong secret and a revoked one look the same.
fn not_accepted(service: Identity) -> Trouble {
    let (name, secret) = (service.name(), service.secret().name());
    let beside = match service {
        Identity::Passwordless | Identity::Logintc => "",
        Identity::Rocketchat => " with this user id",
    };
    Trouble {
        code: Code::SignInAgain,
        text: sentence(&format!("test {name}: it does not accept the {secret}{beside}")),
        remedy: format!(
            "It is wrong, or was revoked: enter one that the service lists as valid{}.",
            match service {
                Identity::Passwordless | Identity::Logintc => "",
                Identity::Rocketchat => ", and the user id shown with it",
            }
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(changes: &serde_json::Value) -> Settings {
        Settings::default().layer(changes.as_object().unwrap()).unwrap()
    }

    #[test]
    fn what_is_missing_is_named_one_after_the_other() {
        let none = settings(&json!({}));
        let cases = [
            (Identity::Passwordless, "passwordless_url", "passwordless_key", json!("app:public:1")),
            (Identity::Logintc, "logintc_url", "logintc_domain", json!("0".repeat(40))),
            (Identity::Rocketchat, "rocketchat_url", "rocketchat_user", json!("u1")),
        ];
        for (service, url, field, value) in cases {
            assert_eq!(missing(service, &none, false), None, "the sandbox needs nothing");
            let waits = missing(service, &none, true).unwrap();
            assert!(
                waits.text.contains("not used until") && waits.remedy.contains(url),
                "{waits:?}"
            );
            let at = settings(&json!({ url: "https://a.example" }));
            let no_secret = missing(service, &at, false).unwrap();
            assert!(no_secret.text.contains(service.secret().name()), "{no_secret:?}");
            let no_field = missing(service, &at, true).unwrap();
            assert!(no_field.remedy.contains(field), "{no_field:?}");
            let all = settings(&json!({ url: "https://a.example", field: value }));
            assert_eq!(missing(service, &all, true), None);
        }
    }
}
