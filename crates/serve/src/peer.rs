//! The client of a request: the socket's peer, or behind a listed proxy the address that the proxy names.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use axum::http::{HeaderMap, HeaderValue};

use crate::Owner;

/// A client's address as limits and blocks count it.
///
/// A whole IPv6 /64 is one client, since one household has that many addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Client(pub IpAddr);

impl Client {
    /// Somebody who can't be told from others: anyone who comes from this machine through an
    /// endpoint open to strangers, because a reverse proxy there may be passing on requests
    /// of anybody.
    pub const STRANGER: Self = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));

    /// Whether it is on this machine.
    pub const fn is_this_machine(self) -> bool {
        self.0.is_loopback()
    }

    /// Whether it is all that its owner has: an IPv4 address, behind which a whole office may be.
    pub const fn is_whole_owner(self) -> bool {
        self.0.is_ipv4() || self.0.is_loopback()
    }

    /// Who most likely owns the address, for limits that one owner of many addresses must not escape: an IPv4 address, or
    /// an IPv6 /48, which is what a provider gives one site.
    pub fn owner(self) -> Owner {
        Owner::from_first(self.within(48).0)
    }

    /// The client at an address.
    pub fn from_ip(ip: IpAddr) -> Self {
        Self(ip).within(64)
    }

    /// An IPv6 address widened to its network; an IPv4 address (also one that is written as IPv6) as it is.
    fn within(self, prefix: u32) -> Self {
        match self.0.to_canonical() {
            IpAddr::V4(ip) => Self(ip.into()),
            // Not widened: then it would no longer be a loopback address.
            IpAddr::V6(ip) if ip.is_loopback() => Self(ip.into()),
            IpAddr::V6(ip) => {
                let network = ip.to_bits() & (u128::MAX << (128 - prefix));
                Self(IpAddr::V6(network.into()))
            }
        }
    }
}

/// The proxies whose `X-Forwarded-For` is believed. Nobody's, unless listed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Arc<[Network]>);

impl TrustedProxies {
    /// These networks and no other.
    pub fn new(networks: impl IntoIterator<Item = Network>) -> Self {
        Self(networks.into_iter().collect())
    }

    /// The client behind a request: walks `X-Forwarded-For` from the right as long as the
    /// addresses are trusted proxies'.
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> Client {
        // From the right: each proxy appends the address that it saw, and anything further left can be forged by the client.
        // No more is read than counts, or a client could have a server read as much as fits into a request's headers.
        let values = headers.get_all("x-forwarded-for").iter().rev().map(HeaderValue::as_bytes);
        let mut hops = values.flat_map(|value| value.rsplit(|byte| *byte == b',')).map(hop);
        let mut at = peer.ip();
        // Loopback is this machine's only where nothing but loopback led there: another's proxy has one of its own.
        let mut is_here = at.to_canonical().is_loopback();
        while self.trusts(at) {
            let Some(next) = hops.next() else { break };
            let Some(next) = next else {
                is_here = false;
                break;
            };
            at = next;
            is_here &= at.to_canonical().is_loopback();
        }
        if at.to_canonical().is_loopback() && !is_here {
            return Client::STRANGER;
        }
        Client::from_ip(at)
    }

    /// Whether the address is a trusted proxy's.
    pub fn trusts(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(ip))
    }
}

/// An address as proxies write it: some with the port, some with brackets.
fn hop(part: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(part).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|addr| addr.ip());
    bare.parse().ok().or_else(with_port)
}

/// A network in CIDR notation, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

/// A text that is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a network is an address, or an address and a prefix length like 10.0.0.0/8")]
pub struct NetworkShape;

impl Network {
    /// Whether the address is in the network.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let same_start = |a: u128, b: u128, width: u32| {
            let free = width - u32::from(self.prefix);
            // A shift by all bits, which a /0 needs, would overflow.
            a.checked_shr(free).unwrap_or(0) == b.checked_shr(free).unwrap_or(0)
        };
        match (self.base, ip.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                same_start(a.to_bits().into(), b.to_bits().into(), 32)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => same_start(a.to_bits(), b.to_bits(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkShape;

    fn from_str(text: &str) -> Result<Self, NetworkShape> {
        let (base, prefix) = match text.split_once('/') {
            Some((base, prefix)) => (base, Some(prefix.parse::<u8>().map_err(|_| NetworkShape)?)),
            None => (text, None),
        };
        let base: IpAddr = base.trim().parse().map_err(|_| NetworkShape)?;
        let width = if base.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(width);
        match base.to_canonical() {
            _ if prefix > width => Err(NetworkShape),
            // Addresses are compared as what they are, however they are written.
            IpAddr::V4(v4) if base.is_ipv6() && prefix >= 96 => {
                Ok(Self { base: v4.into(), prefix: prefix - 96 })
            }
            _ => Ok(Self { base, prefix }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(proxies: &str, peer: &str, forwarded: &str) -> String {
        let proxies = TrustedProxies::new(proxies.split_whitespace().map(|n| n.parse().unwrap()));
        let mut headers = HeaderMap::new();
        let forwarded = HeaderValue::from_bytes(forwarded.as_bytes()).unwrap();
        headers.insert("x-forwarded-for", forwarded);
        proxies.client(peer.parse().unwrap(), &headers).0.to_string()
    }

    #[test]
    fn a_client_that_is_no_listed_proxy_cannot_forge_its_address() {
        assert_eq!(seen("", "203.0.113.9:1", "10.0.0.1"), "203.0.113.9");
        assert_eq!(seen("10.0.0.0/8", "203.0.113.9:1", "198.51.100.7"), "203.0.113.9");
    }

    #[test]
    fn behind_listed_proxies_the_last_address_that_is_none_of_them_counts() {
        assert_eq!(
            seen("10.0.0.0/8", "10.0.0.1:1", "1.2.3.4, 198.51.100.7, 10.9.9.9"),
            "198.51.100.7"
        );
        assert_eq!(seen("10.0.0.0/8", "10.0.0.1:1", "garbage"), "10.0.0.1");
        for (written, client) in [
            ("198.51.100.7:4711", "198.51.100.7"),
            ("[2001:db8::7]", "2001:db8::"),
            ("[2001:db8::7]:4711", "2001:db8::"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
            ("198.51.100.7:99999", "10.0.0.1"),
        ] {
            assert_eq!(seen("10.0.0.0/8", "10.0.0.1:1", written), client, "{written}");
        }
    }

    #[test]
    fn a_proxy_that_is_listed_as_ipv6_writes_ipv4_is_trusted_as_what_it_is() {
        for listed in ["::ffff:10.0.0.1", "::ffff:10.0.0.0/104", "10.0.0.1"] {
            for peer in ["10.0.0.1:1", "[::ffff:10.0.0.1]:1"] {
                assert_eq!(seen(listed, peer, "198.51.100.7"), "198.51.100.7", "{listed}, {peer}");
            }
        }
        assert_eq!(seen("::ffff:10.0.0.0/120", "10.0.1.1:1", "198.51.100.7"), "10.0.1.1");
        assert_eq!(seen("::/0", "10.0.0.1:1", "198.51.100.7"), "10.0.0.1", "that is IPv6 alone");
    }

    #[test]
    fn of_several_headers_the_last_one_counts_and_no_more_is_read_than_counts() {
        let mut headers = HeaderMap::new();
        for value in ["1.2.3.4", "not, an, address", "203.0.113.9 , 198.51.100.7"] {
            headers.append("x-forwarded-for", HeaderValue::from_static(value));
        }
        let proxies = TrustedProxies::new(["10.0.0.1".parse().unwrap()]);
        let peer = "10.0.0.1:1".parse().unwrap();
        assert_eq!(proxies.client(peer, &headers).0.to_string(), "198.51.100.7");
    }

    /// Only this machine's own programs are this machine, whatever a header says.
    #[test]
    fn nobody_behind_a_proxy_becomes_this_machine() {
        let stranger = Client::STRANGER.0.to_string();
        assert_eq!(seen("127.0.0.1", "127.0.0.1:1", "\u{ff}, 203.0.113.9"), "203.0.113.9");
        for (trusted, peer, forwarded) in [
            ("127.0.0.1", "127.0.0.1:1", "\u{ff}"),
            ("10.0.0.5", "10.0.0.5:1", "203.0.113.9, 127.0.0.1"),
            ("10.0.0.0/8", "10.0.0.5:1", "::ffff:127.0.0.1"),
            ("127.0.0.1 10.0.0.0/8", "127.0.0.1:1", "127.0.0.1, 10.0.0.9"),
        ] {
            assert_eq!(seen(trusted, peer, forwarded), stranger, "{forwarded}");
        }
        assert_eq!(seen("127.0.0.1", "127.0.0.1:1", "127.0.0.1"), "127.0.0.1");
    }

    #[test]
    fn an_ipv6_household_is_one_client() {
        let a = Client::from_ip("2001:db8:1:2:aaaa::1".parse().unwrap());
        assert_eq!(a, Client::from_ip("2001:db8:1:2:bbbb::9".parse().unwrap()));
        assert_ne!(a, Client::from_ip("2001:db8:1:3::1".parse().unwrap()));
        assert_eq!(Client::from_ip("::ffff:10.0.0.1".parse().unwrap()).0.to_string(), "10.0.0.1");
    }

    #[test]
    fn an_owner_of_many_networks_is_one_owner() {
        let owner = |ip: &str| Client::from_ip(ip.parse().unwrap()).owner().first().to_string();
        assert_eq!(owner("2001:db8:1:2::1"), "2001:db8:1::");
        assert_eq!(owner("2001:db8:1:ffff::1"), "2001:db8:1::");
        assert_eq!(owner("2001:db8:2:2::1"), "2001:db8:2::");
        assert_eq!(owner("203.0.113.9"), "203.0.113.9");
        assert_eq!(owner("::1"), "::1");
        assert_eq!(Client::STRANGER.owner().first(), Client::STRANGER.0);
    }

    proptest! {
        #[test]
        fn no_text_panics_and_every_network_contains_its_base(text in "[0-9a-f:./]{0,30}") {
            if let Ok(network) = text.parse::<Network>() {
                let is_wider_than_ipv4 = network.base != network.base.to_canonical();
                prop_assert!(network.contains(network.base) || is_wider_than_ipv4);
            }
        }
    }
}
