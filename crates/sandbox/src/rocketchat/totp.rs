//! One-time codes by time (RFC 6238): SHA-1, 30 s, six digits, as authenticator apps have them.
//!
//! Our own: ring computes the HMAC already, and what is left is shorter than the set-up of a library, which would
//! bring a second SHA-1 along. The tests hold it to the RFC's table.

use ring::hmac;
use serve::Millis;

const STEP_SECONDS: u64 = 30;

/// The code of the secret at a moment.
pub(crate) fn code(secret: &[u8], at: Millis) -> String {
    code_at_step(secret, at.seconds() / STEP_SECONDS)
}

/// Whether `typed` is the code of this step, the one before or the next: clocks differ a little.
pub(crate) fn accepts(secret: &[u8], typed: &str, at: Millis) -> bool {
    let step = at.seconds() / STEP_SECONDS;
    [step, step.saturating_sub(1), step + 1]
        .into_iter()
        .any(|step| code_at_step(secret, step) == typed)
}

/// How long the code of this moment is still the authenticator's, in seconds.
pub(crate) fn seconds_left(at: Millis) -> u64 {
    STEP_SECONDS - at.seconds() % STEP_SECONDS
}

fn code_at_step(secret: &[u8], step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    // Dynamic truncation (RFC 4226, section 5.3): the last four bits say where the four bytes begin, and their sign
    // bit is dropped.
    let offset = usize::from(tag[tag.len() - 1] & 15);
    let four = tag[offset..offset + 4].iter().fold(0u32, |n, &byte| n << 8 | u32::from(byte));
    format!("{:06}", (four & 0x7fff_ffff) % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the last six of its eight digits.
    const KNOWN: [(u64, &str); 6] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];
    const SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: u64) -> Millis {
        Millis(i64::try_from(seconds * 1000).unwrap())
    }

    #[test]
    fn gives_the_codes_of_the_rfc() {
        for (seconds, expected) in KNOWN {
            assert_eq!(code(SECRET, at(seconds)), expected);
        }
    }

    #[test]
    fn one_step_off_is_good_and_two_are_not() {
        let code = code(SECRET, at(1_111_111_111));
        for (seconds, good) in [(-60i64, false), (-30, true), (0, true), (30, true), (60, false)] {
            let format_time = at(1_111_111_111u64.checked_add_signed(seconds).unwrap());
            assert_eq!(accepts(SECRET, &code, format_time), good, "{seconds}");
        }
        assert!(!accepts(SECRET, "", at(59)) && !accepts(SECRET, "2870820", at(59)));
    }
}
