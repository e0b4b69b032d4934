//! E-mail addresses, in the form in which a mail server takes them.

use lettre::Address;
use wire::{AddressFault, MailAddress};

/// The address that `text` is.
pub(crate) fn parse(text: &str) -> Result<Address, AddressFault> {
    let address: MailAddress = text.parse()?;
    // Checked by the same rules already, or stricter ones.
    Address::new(address.local(), address.domain()).map_err(|_| AddressFault::Form)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_one_address() {
        assert!(parse("john@example.com").is_ok());
        for wrong in ["", "john", "a@b.c, d@e.f", "a@b.c\r\nBcc: d@e.f", "<a@b.c>", "@b.c", "a@"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_domain_in_any_script_becomes_what_dns_knows_it_by() {
        for (typed, sent) in [
            ("info@münchen.example", "info@xn--mnchen-3ya.example"),
            ("info@MÜNCHEN.example", "info@xn--mnchen-3ya.example"),
            ("info@例え.テスト", "info@xn--r8jz45g.xn--zckzah"),
            ("jörg@example.org", "jörg@example.org"),
            ("jörg@münchen.example", "jörg@xn--mnchen-3ya.example"),
            ("a@xn--mnchen-3ya.example", "a@xn--mnchen-3ya.example"),
        ] {
            assert_eq!(parse(typed).unwrap().to_string(), sent);
        }
        for wrong in ["a@１.２.３.４", "a@mün chen.example", "a@\u{ad}"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_address_ends_its_line(text in "\\PC{0,30}@\\PC{0,30}|.{0,40}") {
            if let Ok(address) = parse(&text) {
                let address = address.to_string();
                prop_assert!(!address.chars().any(char::is_control));
                prop_assert!(address.rsplit_once('@').unwrap().1.is_ascii());
            }
        }
    }
}
