//! E-mail addresses, in the form in which a mail server takes them.

use lettre::Address;
use url::Host;

/// An address; `None` if the text isn't exactly one.
///
/// A domain in letters beyond ASCII becomes what DNS knows it by (IDNA). Such letters before the @ stay: only the
/// mail server can say whether it takes them.
pub(crate) fn parse(text: &str) -> Option<Address> {
    let (local, domain) = text.rsplit_once('@')?;
    let domain = if domain.is_ascii() { domain.to_owned() } else { ascii_domain(domain)? };
    // Letters beyond ASCII are what is allowed there, and not characters that nobody sees.
    if local.chars().any(char::is_control) {
        return None;
    }
    let address = format!("{local}@{domain}");
    // RFC 5321 allows no longer path than 256 octets, of which two are its angle brackets.
    (address.len() <= 254).then(|| address.parse().ok()).flatten()
}

fn ascii_domain(domain: &str) -> Option<String> {
    match Host::parse(domain).ok()? {
        Host::Domain(ascii) => Some(ascii),
        // Digits of another script that read as an IP address.
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_one_address() {
        assert!(parse("john@example.com").is_some());
        for wrong in ["", "john", "a@b.c, d@e.f", "a@b.c\r\nBcc: d@e.f", "<a@b.c>", "@b.c", "a@"] {
            assert!(parse(wrong).is_none(), "{wrong}");
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
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_address_ends_its_line(text in "\\PC{0,30}@\\PC{0,30}|.{0,40}") {
            if let Some(address) = parse(&text) {
                let address = address.to_string();
                prop_assert!(!address.chars().any(char::is_control));
                prop_assert!(address.rsplit_once('@').unwrap().1.is_ascii());
            }
        }
    }
}
