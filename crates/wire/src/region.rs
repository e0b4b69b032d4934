//! The name of a region. It becomes part of a host name and of a query, so only harmless text
//! is accepted.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A region of the remote-support service, such as `us-east-1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Region(String);

/// The text can't be the name of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a region's name is 1 to 63 lower-case letters, digits and dashes")]
pub struct InvalidRegion;

impl Region {
    /// The name as the service spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Region {
    type Err = InvalidRegion;

    fn from_str(text: &str) -> Result<Self, InvalidRegion> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Region {
    type Error = InvalidRegion;

    fn try_from(text: String) -> Result<Self, InvalidRegion> {
        // Only a DNS label (RFC 1123, section 2.1): with any other text, whoever answers `/regions`
        // could direct the probe to a host of their choice.
        let label = (1..=63).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if label { Ok(Self(text)) } else { Err(InvalidRegion) }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_a_dns_label() {
        assert!("us-east-1".parse::<Region>().is_ok());
        for wrong in ["", "evil.example/", "US-EAST-1", "-a", "a-", &"a".repeat(64)] {
            assert_eq!(wrong.parse::<Region>(), Err(InvalidRegion), "{wrong}");
        }
    }
}
