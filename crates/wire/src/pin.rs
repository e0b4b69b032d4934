//! The PIN of a session. Whoever knows it can reach the presenter's PC, so it never prints itself.

use std::{fmt, str::FromStr};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serializer, de};

/// A session PIN of the form `XXX-XX-XXXX`: digits and capital letters (services.md, section 1).
///
/// Neither `Debug` nor an error shows it, and it has no `Serialize`. A field that carries it over
/// the wire says so with `#[serde(serialize_with = "wire::pin::expose")]`.
#[derive(Clone)]
pub struct Pin(SecretString);

/// The text isn't a PIN. The error doesn't repeat it, because it may be a PIN with a typing error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a PIN is three, two and four digits or capital letters, like 7W2-97-8570")]
pub struct InvalidPin;

impl Pin {
    /// The PIN in plain text, for a request, a link or the one view that shows it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Reads a PIN as people type it: in lower case, with blanks, without dashes or with
    /// other dashes.
    ///
    /// # Errors
    /// [`InvalidPin`] if what is left isn't nine digits or letters.
    pub fn from_typed(text: &str) -> Result<Self, InvalidPin> {
        // Phones and word processors put typographic dashes where a hyphen was typed.
        let bare: String = text
            .chars()
            .filter(|c| {
                !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
            })
            .map(|c| c.to_ascii_uppercase())
            .collect();
        if bare.len() != 9 || !bare.bytes().all(is_pin_byte) {
            return Err(InvalidPin);
        }
        format!("{}-{}-{}", &bare[..3], &bare[3..5], &bare[5..]).parse()
    }
}

impl FromStr for Pin {
    type Err = InvalidPin;

    fn from_str(text: &str) -> Result<Self, InvalidPin> {
        let bytes = text.as_bytes();
        let well_formed = bytes.len() == 11
            && bytes.iter().enumerate().all(|(i, &b)| match i {
                3 | 6 => b == b'-',
                _ => is_pin_byte(b),
            });
        if well_formed { Ok(Self(text.to_owned().into())) } else { Err(InvalidPin) }
    }
}

fn is_pin_byte(b: u8) -> bool {
    b.is_ascii_digit() || b.is_ascii_uppercase()
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(redacted)")
    }
}

impl PartialEq for Pin {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Pin {}

impl std::hash::Hash for Pin {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

impl<'de> Deserialize<'de> for Pin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // With an error of our own, because serde's "invalid value" would quote the text.
        String::deserialize(deserializer)?
            .parse()
            .map_err(|InvalidPin| de::Error::custom(InvalidPin))
    }
}

/// Reads a PIN also in lower case, and with a byte order mark or blanks around it; for use in
/// `deserialize_with`.
///
/// # Errors
/// The deserializer's error, which doesn't repeat the text.
pub fn forgiving<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pin, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bare = crate::text::bare(&text).to_ascii_uppercase();
    bare.parse().map_err(|InvalidPin| de::Error::custom(InvalidPin))
}

/// Writes the PIN in plain text; for use in `serialize_with`.
///
/// # Errors
/// The serializer's error.
pub fn expose<S: Serializer>(pin: &Pin, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(pin.expose())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_the_documented_samples() {
        for sample in ["7W2-97-8570", "0LL-7L-8WY8", "Y4L-30-W32L", "72F-35-1709"] {
            assert_eq!(sample.parse::<Pin>().unwrap().expose(), sample);
        }
    }

    #[test]
    fn refuses_another_shape_without_repeating_it() {
        for wrong in ["", "8y4-11-2222", "8Y4112222", "8Y4-11-222", "8Y4-11-22223", "ÄY-11-2222"] {
            let error = wrong.parse::<Pin>().unwrap_err().to_string();
            assert!(wrong.is_empty() || !error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn forgives_what_people_type() {
        for typed in ["7w2978570", " 7W2 97 8570 ", "7w2\u{2013}97\u{2013}8570"] {
            assert_eq!(Pin::from_typed(typed).unwrap().expose(), "7W2-97-8570");
        }
    }

    #[test]
    fn debug_never_shows_the_pin() {
        let pin: Pin = "7W2-97-8570".parse().unwrap();
        assert!(!format!("{pin:?}").contains("7W2"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<Pin>();
            let _ = Pin::from_typed(&text);
        }
    }
}
