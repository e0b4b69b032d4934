//! The secret by which our own broker knows this console again: made once, and kept sealed.

use secrecy::{ExposeSecret as _, SecretString};

use super::{Journal, JournalError};
use crate::token::HookToken;

const CONSOLE_KEY: &str = "secret/console-key";

impl Journal {
    /// The console's key, which is made and on disk when this returns for the first time. None if the operating
    /// system gives no random bytes.
    ///
    /// # Errors
    /// A [`JournalError`].
    pub async fn console_key(&self) -> Result<Option<SecretString>, JournalError> {
        let kept = self.marked(CONSOLE_KEY).await?.and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(kept) = kept {
            return Ok(Some(kept.into()));
        }
        // As long and as random as a hook's token.
        let Ok(made) = HookToken::random() else { return Ok(None) };
        let made = SecretString::from(made.expose());
        self.mark(CONSOLE_KEY, Some(made.expose_secret().as_bytes())).await?;
        Ok(Some(made))
    }
}
