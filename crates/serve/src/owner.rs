//! Who owns an address: whoever limits count and blocks hit.

use std::{fmt, net::IpAddr, str::FromStr};

use crate::Client;

/// An IPv4 address, or the IPv6 /48 that an address is in: what one customer of a network provider is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner(IpAddr);

/// A text that names no owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is neither an address nor an IPv6 network of 48 bits")]
pub struct NoOwner;

impl Owner {
    /// The owner of an address.
    pub fn of_ip(ip: IpAddr) -> Self {
        Client::from_ip(ip).owner()
    }

    /// The owner whose network begins so.
    pub(crate) const fn from_first(ip: IpAddr) -> Self {
        Self(ip)
    }

    /// The address, or the network's first one.
    pub const fn first(self) -> IpAddr {
        self.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V6(ip) if !ip.is_loopback() => write!(f, "{ip}/48"),
            ip => write!(f, "{ip}"),
        }
    }
}

/// Reads what is displayed, and any address of the owner.
impl FromStr for Owner {
    type Err = NoOwner;

    fn from_str(text: &str) -> Result<Self, NoOwner> {
        let network = text.strip_suffix("/48");
        let ip: IpAddr = network.unwrap_or(text).trim().parse().map_err(|_| NoOwner)?;
        // An IPv4 network of 48 bits is none.
        if network.is_some() && ip.to_canonical().is_ipv4() {
            Err(NoOwner)
        } else {
            Ok(Self::of_ip(ip))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owner(text: &str) -> Owner {
        text.parse().unwrap()
    }

    #[test]
    fn all_addresses_of_a_48_are_one_owner_and_each_ipv4_address_is_one() {
        assert_eq!(owner("2001:db8:1:2::9"), owner("2001:db8:1:ffff:aaaa::"));
        assert_eq!(owner("2001:db8:1::/48").to_string(), "2001:db8:1::/48");
        assert_ne!(owner("2001:db8:1::"), owner("2001:db8:2::"));
        assert_ne!(owner("203.0.113.7"), owner("203.0.113.8"));
        assert_eq!(owner("::ffff:203.0.113.7").to_string(), "203.0.113.7");
        let this_machine = Client::from_ip(owner("::1").first());
        assert!(this_machine.is_this_machine());
        for wrong in [
            "",
            "x",
            "203.0.113.7/48",
            "::ffff:203.0.113.7/48",
            "2001:db8:1::/64",
            "2001:db8::/48/48",
        ] {
            assert_eq!(wrong.parse::<Owner>(), Err(NoOwner), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn an_owner_reads_back_as_it_is_shown(bits: u128, v4: u32) {
            for ip in [IpAddr::V6(bits.into()), IpAddr::V4(v4.into())] {
                let owner = Owner::of_ip(ip);
                prop_assert_eq!(owner.to_string().parse(), Ok(owner));
                prop_assert_eq!(Client::from_ip(ip).owner(), owner);
            }
        }
    }
}
