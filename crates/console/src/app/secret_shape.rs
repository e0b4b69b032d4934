//! The shapes of the services' secrets, which are checked before a secret is stored. No error
//! repeats what was typed.

use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    present::trouble,
    view::{SecretName, Trouble},
};

/// The secret without the blanks around it.
///
/// # Errors
/// The reason why the text can't be that secret, and what to do.
pub(crate) fn check_secret(
    which: SecretName,
    typed: &SecretString,
) -> Result<SecretString, Trouble> {
    let text = typed.expose_secret().trim();
    let wrong = |why: &str, remedy: &str| {
        Err(trouble::bad_input(&format!("keep the {}: {why}", which.name()), remedy))
    };
    if text.is_empty() {
        return wrong("nothing was given", "paste it, or remove the one that is kept");
    }
    if text.chars().any(char::is_whitespace) {
        return wrong("it has blanks or line breaks in it", "copy it again, in one piece");
    }
    match problem(which, text) {
        Some((why, remedy)) => wrong(why, remedy),
        None => Ok(text.into()),
    }
}

fn problem(which: SecretName, text: &str) -> Option<(&'static str, &'static str)> {
    let hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let word = text.bytes().all(|b| b.is_ascii_alphanumeric());
    match which {
        SecretName::PasswordlessSecret => {
            if text.contains(":public:") {
                return Some((
                    "this is the public key",
                    "paste the one with :secret: in it here; the public key goes to passwordless_key",
                ));
            }
            let fits = text.split_once(":secret:").is_some_and(|(app, digits)| {
                let app_fits = app.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
                !app.is_empty() && app.len() <= 62 && app_fits && digits.len() == 32 && hex(digits)
            });
            (!fits).then_some((
                "it is not the app's name, :secret: and 32 hex digits",
                "copy it from the app's page at the service",
            ))
        }
        SecretName::LogintcKey if text.len() == 40 && hex(text) => Some((
            "this is a domain's id",
            "paste the key of 64 letters and digits here; the id goes to logintc_domain",
        )),
        SecretName::LogintcKey => (text.len() != 64 || !word).then_some((
            "it is not 64 letters and digits",
            "copy it from the domain's page at the service",
        )),
        // Rocket.Chat's ids have 17 letters and digits.
        SecretName::RocketchatToken if text.len() == 17 && word => Some((
            "this is a user id",
            "paste the token that was shown above it; the id goes to rocketchat_user",
        )),
        SecretName::RocketchatToken => {
            let fits = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            (!fits || !(20..=128).contains(&text.len())).then_some((
                "it is not a token of letters, digits, - and _",
                "make a personal access token in the workspace and paste it as it is shown",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(which: SecretName, text: &str) -> Result<String, Trouble> {
        check_secret(which, &text.into()).map(|secret| secret.expose_secret().to_owned())
    }

    #[test]
    fn a_secret_is_taken_with_blanks_around_it_and_kept_without() {
        let good = [
            (SecretName::PasswordlessSecret, format!("desk:secret:{}", "0a".repeat(16))),
            (SecretName::LogintcKey, "aZ09".repeat(16)),
            (SecretName::RocketchatToken, "9HqLlyZOugoStsXCUfD_0YdwnNnunAJF8V47U3QHXSq".to_owned()),
        ];
        for (which, text) in good {
            assert_eq!(check(which, &format!(" {text}\r\n")).unwrap(), text);
        }
    }

    #[test]
    fn what_cannot_be_one_is_refused_with_a_hint_and_never_repeated() {
        let key = "k3y".repeat(21);
        let wrong = [
            (SecretName::LogintcKey, "  ".to_owned(), "nothing was given"),
            (SecretName::LogintcKey, format!("{key} a"), "blanks"),
            (SecretName::LogintcKey, format!("{key}\nx"), "blanks"),
            (SecretName::LogintcKey, key.clone(), "64 letters"),
            (SecretName::LogintcKey, format!("{key}ü"), "64 letters"),
            (SecretName::LogintcKey, "0a".repeat(20), "domain's id"),
            (SecretName::PasswordlessSecret, format!("d:public:{}", "0".repeat(32)), "public key"),
            (SecretName::PasswordlessSecret, format!("d:secret:{}", "0".repeat(31)), "32 hex"),
            (SecretName::PasswordlessSecret, format!("d:secret:{}", "x".repeat(32)), "32 hex"),
            (SecretName::PasswordlessSecret, format!(":secret:{}", "0".repeat(32)), "32 hex"),
            (SecretName::RocketchatToken, "x".repeat(17), "user id"),
            (SecretName::RocketchatToken, "x".repeat(19), "token"),
            (SecretName::RocketchatToken, "x\u{7}".repeat(20), "token"),
            (SecretName::RocketchatToken, "x".repeat(129), "token"),
        ];
        for (which, text, hint) in wrong {
            let trouble = check(which, &text).unwrap_err();
            assert!(trouble.text.contains(hint) && !trouble.remedy.is_empty(), "{trouble:?}");
            let said = format!("{} {}", trouble.text, trouble.remedy);
            let typed = text.trim();
            assert!(typed.is_empty() || !said.contains(typed), "it repeats what was typed");
        }
    }
}
