//! The addresses that a hook may be delivered to. A broker on a network must not become a tool with which strangers
//! reach that network from inside (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The addresses that hooks may go to, beside public ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TargetPolicy {
    /// This machine by any of its addresses. The console of an embedded broker listens there.
    pub loopback: bool,
    /// Private and link-local networks.
    pub private: bool,
}

/// Why a hook's URL is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetRefused {
    #[error("url is not a web address")]
    Shape,
    #[error("url must begin with http:// or https://")]
    Scheme,
    #[error("url must not carry a user or a password")]
    Credentials,
    /// Its address is neither public nor allowed by the policy.
    #[error("url leads to an address that this broker may not call; its operator can allow it")]
    Address,
    #[error("url has more than 2048 characters")]
    TooLong,
    /// No web server has this port, but a server of another kind may.
    #[error("url has a port that no web server uses; use 80, 443, or one from 1024 on")]
    Port,
}

/// The longest URL of a hook, in bytes.
const LONGEST: usize = 2048;

/// Ports from 1024 on that belong to other kinds of servers and that browsers call no more than we do (Fetch standard,
/// "port blocking").
const OTHER_SERVERS: [u16; 18] = [
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669,
    6679, 6697,
];

impl TargetPolicy {
    /// Reads a hook's URL. An address in it is checked here, a name when it is resolved. `leads_here` if its host is
    /// this machine's.
    ///
    /// # Errors
    /// [`TargetRefused`], which doesn't repeat the URL: it may carry a secret.
    pub fn parse(self, text: &str, leads_here: bool) -> Result<Url, TargetRefused> {
        if text.len() > LONGEST {
            return Err(TargetRefused::TooLong);
        }
        let url = Url::parse(text).map_err(|_| TargetRefused::Shape)?;
        // As it is kept: what is escaped in it is three times as long.
        if url.as_str().len() > LONGEST {
            return Err(TargetRefused::TooLong);
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(TargetRefused::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetRefused::Credentials);
        }
        let allowed = match url.host() {
            Some(Host::Ipv4(ip)) => self.allows(ip.into(), leads_here),
            Some(Host::Ipv6(ip)) => self.allows(ip.into(), leads_here),
            Some(Host::Domain(name)) => self.loopback || !(leads_here || is_loopback_name(name)),
            None => return Err(TargetRefused::Shape),
        };
        if !allowed {
            return Err(TargetRefused::Address);
        }
        if self.allows_port(url.port_or_known_default()) {
            Ok(url)
        } else {
            Err(TargetRefused::Port)
        }
    }

    /// Whoever may call what is inside may call any port; strangers only those where a web server may listen, or they
    /// could knock at every server of the internet in this broker's name.
    fn allows_port(self, port: Option<u16>) -> bool {
        if self.loopback || self.private {
            return true;
        }
        match port {
            Some(80 | 443) => true,
            Some(port) => port >= 1024 && !OTHER_SERVERS.contains(&port),
            None => false,
        }
    }

    /// Whether a hook may be delivered to this address, which is one of this machine's if `is_own`.
    pub fn allows(self, ip: IpAddr, is_own: bool) -> bool {
        match kind(ip) {
            Kind::Never => false,
            Kind::Loopback => self.loopback,
            Kind::Public | Kind::Private if is_own => self.loopback,
            Kind::Public => true,
            Kind::Private => self.private,
        }
    }
}

enum Kind {
    Public,
    Loopback,
    Private,
    Never,
}

fn kind(ip: IpAddr) -> Kind {
    match carried(ip) {
        IpAddr::V4(ip) => kind_v4(ip),
        IpAddr::V6(ip) => kind_v6(ip),
    }
}

fn kind_v4(ip: Ipv4Addr) -> Kind {
    let [a, b, c, _] = ip.octets();
    match (a, b, c) {
        (127, ..) => Kind::Loopback,
        // Private (RFC 1918), link-local (also the metadata service of clouds), shared by a carrier (RFC 6598).
        (10, ..) | (172, 16..=31, _) | (192, 168, _) | (169, 254, _) | (100, 64..=127, _) => {
            Kind::Private
        }
        // "This network", protocol assignments, documentation, benchmarks, multicast, reserved.
        (0, ..)
        | (192, 0, 0 | 2)
        | (192, 88, 99)
        | (198, 18..=19, _)
        | (198, 51, 100)
        | (203, 0, 113)
        | (224..=255, ..) => Kind::Never,
        _ => Kind::Public,
    }
}

fn kind_v6(ip: Ipv6Addr) -> Kind {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Kind::Loopback,
        [0, 0, 0, 0, 0, 0, ..] => Kind::Never,
        [0xfc00..=0xfdff, ..] | [0xfe80..=0xfeff, ..] => Kind::Private,
        [0xff00..=0xffff, ..] | [0x2001, 0xdb8, ..] | [0x2001, 0, ..] | [0x100, 0, ..] => {
            Kind::Never
        }
        [0x64, 0xff9b, ..] => Kind::Never,
        _ => Kind::Public,
    }
}

/// Where a packet to this address goes in the end: NAT64 and 6to4 carry an IPv4 address.
pub(crate) fn carried(ip: IpAddr) -> IpAddr {
    let ip = ip.to_canonical();
    let IpAddr::V6(v6) = ip else { return ip };
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            Ipv4Addr::new(a, b, c, d).into()
        }
        _ => ip,
    }
}

fn is_loopback_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_url_is_no_longer_than_it_may_be_as_it_is_kept() {
        let policy = TargetPolicy::default();
        let of = |path: String| policy.parse(&format!("https://a.example/{path}"), false);
        assert_eq!(of("x".repeat(2048)), Err(TargetRefused::TooLong));
        assert_eq!(of("é".repeat(500)), Err(TargetRefused::TooLong));
        let kept = of("é".repeat(300)).unwrap();
        assert_eq!(policy.parse(kept.as_str(), false), Ok(kept));
    }

    const STRICT: TargetPolicy = TargetPolicy { loopback: false, private: false };

    #[test]
    fn a_broker_on_a_network_calls_public_addresses_only() {
        assert!(STRICT.parse("https://hooks.example.com/hook/x", false).is_ok());
        assert!(STRICT.parse("http://93.184.216.34/", false).is_ok());
        for inside in [
            "http://127.0.0.1/",
            "http://localhost:80/",
            "http://a.localhost/",
            "http://[::1]/",
            "http://0.0.0.0/",
            "http://10.1.2.3/",
            "http://172.16.0.1/",
            "http://192.168.0.1/",
            "http://169.254.169.254/latest",
            "http://100.64.0.1/",
            "http://[fe80::1]/",
            "http://[fd00::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://224.0.0.1/",
        ] {
            assert_eq!(STRICT.parse(inside, false), Err(TargetRefused::Address), "{inside}");
        }
    }

    #[test]
    fn loopback_and_private_are_allowed_only_each_by_its_own_switch() {
        let loopback = TargetPolicy { loopback: true, private: false };
        assert!(loopback.parse("http://127.0.0.1:4000/hook/x", false).is_ok());
        assert!(loopback.parse("http://10.0.0.1/", false).is_err());
        let private = TargetPolicy { loopback: false, private: true };
        assert!(private.parse("http://10.0.0.1/", false).is_ok());
        assert!(private.parse("http://127.0.0.1/", false).is_err());
    }

    #[test]
    fn only_plain_web_addresses_are_taken() {
        for (wrong, why) in [
            ("", TargetRefused::Shape),
            ("hook", TargetRefused::Shape),
            ("file:///etc/passwd", TargetRefused::Scheme),
            ("gopher://example.com/", TargetRefused::Scheme),
            ("http://a:b@example.com/", TargetRefused::Credentials),
        ] {
            assert_eq!(STRICT.parse(wrong, false), Err(why), "{wrong}");
        }
        let long = format!("http://example.com/{}", "x".repeat(2048));
        assert_eq!(STRICT.parse(&long, false), Err(TargetRefused::TooLong));
    }

    #[test]
    fn strangers_call_only_ports_where_a_web_server_may_listen() {
        let parsed = |policy: TargetPolicy, port: u16| {
            policy.parse(&format!("https://hooks.example.com:{port}/hook/x"), false).map(drop)
        };
        for web in [80, 443, 1024, 3000, 8080, 8443, 47_213, 65_535] {
            assert_eq!(parsed(STRICT, web), Ok(()), "{web}");
        }
        let inside = TargetPolicy { loopback: false, private: true };
        for other in [0, 1, 22, 25, 53, 110, 143, 445, 465, 587, 1_023, 2049, 5060, 6000, 6697] {
            assert_eq!(parsed(STRICT, other), Err(TargetRefused::Port), "{other}");
            assert_eq!(parsed(inside, other), Ok(()), "{other}, where the operator lets them in");
        }
    }

    #[test]
    fn this_machine_is_loopback_by_whatever_address_it_is_called() {
        let loopback = TargetPolicy { loopback: true, private: false };
        let private = TargetPolicy { loopback: false, private: true };
        for own in ["http://93.184.216.34:9/", "http://192.168.1.5/", "http://broker.example.com/"]
        {
            assert_eq!(STRICT.parse(own, true), Err(TargetRefused::Address), "{own}");
            assert_eq!(private.parse(own, true), Err(TargetRefused::Address), "{own}");
            assert!(loopback.parse(own, true).is_ok(), "{own}");
        }
    }

    proptest! {
        #[test]
        fn no_url_panics(text in "\\PC{0,80}|https?://[0-9a-fx.:\\[\\]]{0,30}/") {
            let _ = STRICT.parse(&text, false);
        }
    }
}
