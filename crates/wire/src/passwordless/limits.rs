//! The documented limits of the service, to be checked before a request is sent.

/// The most bytes in a user id.
pub const USER_ID_BYTES: usize = 64;
/// The most aliases of a user.
pub const MOST_ALIASES: usize = 10;
/// The longest alias, in UTF-16 units, as the service counts.
pub const ALIAS_LENGTH: usize = 250;

/// The request is beyond a documented limit and isn't sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// The user id is missing or too long.
    #[error("the user id is empty or longer than 64 bytes")]
    UserId,
    /// The username is missing.
    #[error("the username is empty")]
    NoUsername,
    /// There are too many aliases.
    #[error("there are more than 10 aliases")]
    TooManyAliases,
    /// An alias is empty.
    #[error("alias {0} is empty")]
    EmptyAlias(usize),
    /// An alias is too long.
    #[error("alias {0} is longer than 250 characters")]
    LongAlias(usize),
    /// An alias is there twice.
    #[error("alias {0} is given twice")]
    TwiceAlias(usize),
}

/// Checks a user id against the limits.
///
/// # Errors
/// [`LimitError::UserId`].
pub fn check_user_id(user_id: &str) -> Result<(), LimitError> {
    let good = !user_id.trim().is_empty() && user_id.len() <= USER_ID_BYTES;
    good.then_some(()).ok_or(LimitError::UserId)
}

/// Checks all aliases of a user against the limits.
///
/// # Errors
/// [`LimitError`], in which aliases are counted from 1.
pub fn check_aliases(aliases: &[String]) -> Result<(), LimitError> {
    if aliases.len() > MOST_ALIASES {
        return Err(LimitError::TooManyAliases);
    }
    for (at, alias) in aliases.iter().enumerate() {
        if alias.trim().is_empty() {
            return Err(LimitError::EmptyAlias(at + 1));
        }
        if alias.encode_utf16().count() > ALIAS_LENGTH {
            return Err(LimitError::LongAlias(at + 1));
        }
        if aliases[..at].contains(alias) {
            return Err(LimitError::TwiceAlias(at + 1));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_count_as_the_service_does_and_name_the_alias() {
        let texts =
            |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (most, more) = ("é".repeat(250), "é".repeat(251));
        assert_eq!(check_aliases(&texts(&["a", &most])), Ok(()));
        assert_eq!(check_aliases(&texts(&["a", &more])), Err(LimitError::LongAlias(2)));
        // Two units each, as the service counts.
        assert_eq!(check_aliases(&["😀".repeat(126)]), Err(LimitError::LongAlias(1)));
        assert_eq!(check_aliases(&texts(&["a", "b", "a"])), Err(LimitError::TwiceAlias(3)));
        assert_eq!(check_aliases(&texts(&["a", " "])), Err(LimitError::EmptyAlias(2)));
        let eleven: Vec<String> = (0..11).map(|n| n.to_string()).collect();
        assert_eq!(check_aliases(&eleven), Err(LimitError::TooManyAliases));
        assert_eq!(check_aliases(&eleven[..10]), Ok(()));
        assert_eq!(check_user_id(&"é".repeat(32)), Ok(()));
        assert_eq!(check_user_id(&"é".repeat(33)), Err(LimitError::UserId));
        assert_eq!(check_user_id(""), Err(LimitError::UserId));
        assert_eq!(
            super::super::RegisterToken::new("u", " ", "").check(),
            Err(LimitError::NoUsername)
        );
    }
}
