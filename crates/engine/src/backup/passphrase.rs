//! Which passphrases a backup may have.

use secrecy::{ExposeSecret as _, SecretString};

use super::error::BackupError;

/// The fewest characters.
const FEWEST: usize = 12;

/// Refuses a passphrase that is too easy to guess.
///
/// # Errors
/// [`BackupError::WeakPassphrase`].
pub fn check_passphrase(passphrase: &SecretString) -> Result<(), BackupError> {
    let text = passphrase.expose_secret().trim();
    let mut different: Vec<char> = text.chars().collect();
    different.sort_unstable();
    different.dedup();
    if text.chars().count() < FEWEST {
        Err(BackupError::WeakPassphrase("it has fewer than 12 characters"))
    } else if different.len() < 5 {
        Err(BackupError::WeakPassphrase("it has fewer than 5 different characters"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passphrases_that_are_easy_to_guess_are_refused() {
        for weak in
            ["", "short", "            ", "aaaaaaaaaaaaaaa", "abababababab", "  elevenchars "]
        {
            assert!(check_passphrase(&weak.into()).is_err(), "{weak}");
        }
        for good in ["correct horse battery", "twelve chars", "åäöüßéèêàñçø"] {
            assert!(check_passphrase(&good.into()).is_ok(), "{good}");
        }
    }
}
