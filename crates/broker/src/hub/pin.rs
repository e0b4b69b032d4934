//! Minting PINs.

use wire::Pin;

/// The digits, and those capital letters that don't look like a digit or another letter, and whose names don't rhyme
/// with another one when they are read aloud (services.md assumes such a set).
pub const ALPHABET: &[u8; 17] = b"0123456789FKLRWXY";

/// Makes a PIN of random bytes; `None` if too few of them are usable.
pub fn mint(random: &[u8]) -> Option<Pin> {
    // Bytes beyond the last multiple of the alphabet's length would make its first characters more likely.
    let fair = 255 - (255 % ALPHABET.len());
    let usable = random.iter().map(|&byte| usize::from(byte)).filter(|&byte| byte < fair);
    let characters: String =
        usable.map(|byte| char::from(ALPHABET[byte % ALPHABET.len()])).take(9).collect();
    Pin::from_typed(&characters).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_pin_has_the_services_shape_and_our_alphabet(random: [u8; 32]) {
            let pin = mint(&random).unwrap();
            prop_assert!(pin.expose().parse::<Pin>().is_ok());
            prop_assert!(pin.expose().bytes().all(|b| b == b'-' || ALPHABET.contains(&b)));
        }
    }

    #[test]
    fn says_so_when_chance_was_too_short() {
        assert!(mint(&[255; 64]).is_none());
        assert!(mint(&[1; 8]).is_none());
    }
}
