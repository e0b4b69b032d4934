//! The one check of e-mail addresses: what it takes, every mail server that can take the characters before the @ takes.

use std::{fmt, str::FromStr};

use idna::{
    AsciiDenyList,
    uts46::{DnsLength, Hyphens, Uts46},
};

use crate::text::is_hidden;

/// RFC 5321 allows no longer path than 256 octets, of which two are its angle brackets.
const LONGEST: usize = 254;
/// The longest part before the @, in octets.
const LONGEST_LOCAL: usize = 64;

/// An e-mail address, in the form in which it is sent.
///
/// The part before the @ is as it was typed. It may have letters beyond ASCII: only a mail server that offers SMTPUTF8
/// takes those, and only the mail server can say so. The domain is what DNS knows it by: ASCII, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MailAddress {
    local: String,
    domain: String,
}

/// Why a text isn't an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// It isn't `name@domain`.
    #[error("an e-mail address has a name, one @ and a domain, like maria@example.com")]
    Form,
    /// It has a character that nobody sees, or that ends a line.
    #[error("it has spaces or characters that can't be seen")]
    Hidden,
    /// The part before the @ isn't a name that can stand there without quotes.
    #[error("the part before the @ is not a valid name; names in quotes are not taken")]
    Local,
    /// The part after the @ isn't a domain.
    #[error("the part after the @ is not a domain; numeric addresses are not taken")]
    Domain,
    /// It is longer than a mail server takes.
    #[error("it is too long: at most 64 bytes before the @ and 254 in all")]
    Length,
}

impl MailAddress {
    /// The part before the @.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The part after the @, in ASCII.
    pub fn domain(&self) -> &str {
        &self.domain
    }
}

impl FromStr for MailAddress {
    type Err = AddressFault;

    fn from_str(text: &str) -> Result<Self, AddressFault> {
        if text.chars().any(|c| c.is_whitespace() || is_hidden(c)) {
            return Err(AddressFault::Hidden);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(AddressFault::Form)?;
        if local.is_empty() || domain.is_empty() {
            return Err(AddressFault::Form);
        }
        if local.len() > LONGEST_LOCAL {
            return Err(AddressFault::Length);
        }
        if !local.split('.').all(is_atom) {
            return Err(AddressFault::Local);
        }
        let domain = ascii_domain(domain).ok_or(AddressFault::Domain)?;
        if local.len() + 1 + domain.len() > LONGEST {
            return Err(AddressFault::Length);
        }
        Ok(Self { local: local.to_owned(), domain })
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// Whether `text` is an atom of RFC 5322, or one of RFC 6531.
fn is_atom(text: &str) -> bool {
    let fits =
        |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii();
    !text.is_empty() && text.chars().all(fits)
}

/// The domain as DNS knows it (IDNA, nontransitional); none if it is none, or an IP address.
fn ascii_domain(domain: &str) -> Option<String> {
    let rules = (AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify);
    let ascii = Uts46::new().to_ascii(domain.as_bytes(), rules.0, rules.1, rules.2).ok()?;
    // No domain at the top is a number, so this reads as an IP address.
    let top = ascii.rsplit('.').next()?;
    let is_number = top.bytes().all(|byte| byte.is_ascii_digit());
    (!is_number).then(|| ascii.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sent(text: &str) -> Result<String, AddressFault> {
        text.parse().map(|address: MailAddress| address.to_string())
    }

    #[test]
    fn an_address_is_taken_as_mail_servers_know_it() {
        for (typed, expected) in [
            ("maria@example.com", "maria@example.com"),
            ("a.b+c@help.example.co.uk", "a.b+c@help.example.co.uk"),
            ("root@localhost", "root@localhost"),
            ("o'neil@x.y", "o'neil@x.y"),
            ("Maria@EXAMPLE.com", "Maria@example.com"),
            ("info@münchen.example", "info@xn--mnchen-3ya.example"),
            ("info@MÜNCHEN.example", "info@xn--mnchen-3ya.example"),
            ("info@straße.example", "info@xn--strae-oqa.example"),
            ("info@例え.テスト", "info@xn--r8jz45g.xn--zckzah"),
            ("info@例え。テスト", "info@xn--r8jz45g.xn--zckzah"),
            ("a@xn--mnchen-3ya.example", "a@xn--mnchen-3ya.example"),
            ("jörg@example.org", "jörg@example.org"),
            ("jo\u{308}rg@example.org", "jo\u{308}rg@example.org"),
            ("用户@例え.テスト", "用户@xn--r8jz45g.xn--zckzah"),
            ("a@1and1.example", "a@1and1.example"),
            ("a@4.example", "a@4.example"),
        ] {
            assert_eq!(sent(typed).as_deref(), Ok(expected), "{typed}");
        }
    }

    #[test]
    fn what_is_none_is_refused_with_the_reason() {
        use AddressFault::{Domain, Form, Hidden, Length, Local};
        let long_domain = format!("a@{}x.example", "abc.".repeat(70));
        let long_in_all = format!("{}@{}example", "l".repeat(64), "abcdefg.".repeat(23));
        for (typed, why) in [
            ("", Form),
            ("maria", Form),
            ("@example.com", Form),
            ("maria@", Form),
            ("a b@example.com", Hidden),
            ("a@x.example\r\nBcc: b@x.example", Hidden),
            ("a@x.example\n", Hidden),
            ("a\0@x.example", Hidden),
            ("a\u{202E}b@x.example", Hidden),
            ("a\u{200B}b@x.example", Hidden),
            ("a@x\u{AD}y.example", Hidden),
            ("\"a\"@example.com", Local),
            ("\"a@b\"@example.com", Local),
            ("a@b@example.com", Local),
            ("a,b@example.com", Local),
            ("<a@example.com", Local),
            ("(note)a@example.com", Local),
            (".a@example.com", Local),
            ("a.@example.com", Local),
            ("a..b@example.com", Local),
            ("a@example.com>", Domain),
            ("a@example..com", Domain),
            ("a@.example.com", Domain),
            ("a@example.com.", Domain),
            ("a@-example.com", Domain),
            ("a@example-.com", Domain),
            ("a@exa_mple.com", Domain),
            ("a@[127.0.0.1]", Domain),
            ("a@[IPv6:::1]", Domain),
            ("a@127.0.0.1", Domain),
            ("a@１.２.３.４", Domain),
            ("a@m%C3%BCnchen.example", Domain),
            ("a@xn--.example", Domain),
            ("a@xn--a-\u{fc}.example", Domain),
            (&format!("{}@example.com", "l".repeat(65)), Length),
            (&format!("{}@example.com", "ü".repeat(33)), Length),
            (&long_domain, Domain),
            (&long_in_all, Length),
            (&format!("a@{}.example", "b".repeat(64)), Domain),
        ] {
            assert_eq!(sent(typed), Err(why), "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_one_harmless_address(
            text in "\\PC{0,30}@\\PC{0,30}|.{0,40}|[a-zü.\"\\\\ ,<>\r\n]{1,12}@[a-zü.\\-0-9\\[\\]:]{1,20}"
        ) {
            if let Ok(address) = text.parse::<MailAddress>() {
                let sent = address.to_string();
                prop_assert!(!sent.chars().any(|c| c.is_whitespace() || c.is_control()));
                prop_assert!(!sent.contains(['"', '<', '>', ',', ';', ':', '(', ')', '[', ']', '\\']));
                prop_assert_eq!(sent.matches('@').count(), 1);
                prop_assert!(address.domain().is_ascii() && sent.len() <= 254);
                let again = sent.parse::<MailAddress>();
                prop_assert_eq!(again, Ok(address));
            }
        }
    }
}
