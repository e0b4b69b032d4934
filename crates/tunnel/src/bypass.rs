//! `NO_PROXY`: the servers that are dialled directly although there is a proxy.

use std::net::IpAddr;

use ipnet::IpNet;
use url::Host;

/// Whether the list names this server. Its entries, between commas or blanks, are hosts (with all
/// that end in them), addresses, networks (`10.0.0.0/8`), each with or without a port, or `*`.
pub(crate) fn lists(list: &str, host: &Host, port: u16) -> bool {
    let entries = list.split(|c: char| c == ',' || c.is_whitespace());
    entries.filter(|entry| !entry.is_empty()).any(|entry| {
        let (place, only) = split_port(entry);
        only.is_none_or(|only| only == port) && names(place, host)
    })
}

/// An entry's host and its port. An IPv6 address needs brackets to have one.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    match entry.rsplit_once(':') {
        Some((place, port)) if !place.contains(':') || place.ends_with(']') => {
            port.parse().map_or((entry, None), |port| (place, Some(port)))
        }
        Some(_) | None => (entry, None),
    }
}

fn names(place: &str, host: &Host) -> bool {
    if place == "*" {
        return true;
    }
    let address = match host {
        Host::Domain(name) => return is_under(name, place),
        Host::Ipv4(ip) => IpAddr::from(*ip),
        Host::Ipv6(ip) => IpAddr::from(*ip).to_canonical(),
    };
    let place = place.trim_start_matches('[').trim_end_matches(']');
    match (place.parse::<IpNet>(), place.parse::<IpAddr>()) {
        (Ok(network), _) => network.contains(&address),
        (Err(_), Ok(one)) => one.to_canonical() == address,
        (Err(_), Err(_)) => false,
    }
}

/// Whether `name` is the domain `place` or a part of it. `.place` and `*.place` are the same.
fn is_under(name: &str, place: &str) -> bool {
    let place = place.trim_start_matches('*').trim_matches('.');
    // As an address has it: small letters, and other scripts in Punycode.
    let Ok(Host::Domain(place)) = Host::parse(place) else { return false };
    let name = name.trim_end_matches('.');
    let before = name.strip_suffix(&place);
    before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists_at(list: &str, host: &str, port: u16) -> bool {
        lists(list, &Host::parse(host).unwrap(), port)
    }

    #[test]
    fn a_host_stands_for_all_that_end_in_it() {
        for list in
            ["a.example", ".a.example", "*.a.example", "A.Example.", "b,a.example", "b a.example"]
        {
            assert!(lists_at(list, "a.example", 443), "{list}");
            assert!(lists_at(list, "deep.a.example", 443), "{list}");
            assert!(!lists_at(list, "nota.example", 443), "{list}");
            assert!(!lists_at(list, "example", 443), "{list}");
        }
        assert!(lists_at("münchen.example", "xn--mnchen-3ya.example", 1));
        for list in ["", ",", " , ", ".", "*.", "a.example.org", "10.0.0.0/8"] {
            assert!(!lists_at(list, "a.example", 443), "{list}");
        }
    }

    #[test]
    fn a_port_counts_where_it_is_given() {
        assert!(lists_at("a.example:8443", "a.example", 8443));
        assert!(!lists_at("a.example:8443", "a.example", 443));
        assert!(lists_at("10.1.2.3:80", "10.1.2.3", 80));
        assert!(!lists_at("10.1.2.3:80", "10.1.2.3", 81));
        assert!(lists_at("[fd00::1]:80", "[fd00::1]", 80));
        assert!(!lists_at("[fd00::1]:80", "[fd00::1]", 81));
        assert!(lists_at("*:80", "a.example", 80) && !lists_at("*:80", "a.example", 81));
    }

    #[test]
    fn an_address_is_listed_by_itself_or_by_its_network() {
        for list in ["10.1.2.3", "10.0.0.0/8", "10.9.9.9/8", "0.0.0.0/0", "*"] {
            assert!(lists_at(list, "10.1.2.3", 1), "{list}");
        }
        for list in ["10.1.2.4", "10.2.0.0/16", "10.1.2", ".3", "fd00::/8"] {
            assert!(!lists_at(list, "10.1.2.3", 1), "{list}");
        }
        for list in ["fd00::1", "[fd00::1]", "fd00::/8", "FD00:0::1"] {
            assert!(lists_at(list, "[fd00::1]", 1), "{list}");
        }
        assert!(lists_at("10.0.0.0/8", "[::ffff:10.1.2.3]", 1));
    }
}
