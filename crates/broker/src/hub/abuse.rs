//! Reports of abuse, and when they block the client that minted the reported PINs.

use std::collections::{HashMap, HashSet};

use serve::Client;
use wire::Pin;

/// A minter is blocked by this many reports, if they are of as many PINs and by as many reporters.
const STRIKES: usize = 3;

/// All reports, by the client that minted the reported PIN.
#[derive(Debug, Default)]
pub(crate) struct AbuseReports {
    reports: HashMap<Client, HashSet<(Pin, Client)>>,
    blocked: HashSet<Client>,
}

impl AbuseReports {
    /// The stored reports (minter, PIN, reporter) and blocks.
    pub fn from_stored(reports: Vec<(Client, Pin, Client)>, blocked: Vec<Client>) -> Self {
        let mut all = Self::default();
        for (minter, pin, reporter) in reports {
            all.report(minter, pin, reporter);
        }
        // Not only the blocks that follow from the reports: a block stays even if the rule changes.
        all.blocked.extend(blocked);
        all
    }

    /// Counts a report; true if it has just blocked the minter.
    ///
    /// Neither one reporter with many PINs nor many reporters with one PIN can block anybody.
    pub fn report(&mut self, minter: Client, pin: Pin, reporter: Client) -> bool {
        let reports = self.reports.entry(minter).or_default();
        reports.insert((pin, reporter));
        let pairs: Vec<_> = reports.iter().collect();
        distinct_pairs(&pairs, STRIKES) && self.blocked.insert(minter)
    }

    pub fn is_blocked(&self, client: Client) -> bool {
        self.blocked.contains(&client)
    }
}

/// Whether `wanted` of the pairs share neither a PIN nor a reporter.
fn distinct_pairs(pairs: &[&(Pin, Client)], wanted: usize) -> bool {
    if wanted == 0 {
        return true;
    }
    // Every pair is tried as the first: taking one greedily could miss others that go together.
    pairs.iter().enumerate().any(|(i, (pin, reporter))| {
        let rest: Vec<_> =
            pairs[i + 1..].iter().copied().filter(|(p, r)| p != pin && r != reporter).collect();
        rest.len() + 1 >= wanted && distinct_pairs(&rest, wanted - 1)
    })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn client(n: u8) -> Client {
        Client::from_ip(Ipv4Addr::new(10, 0, 0, n).into())
    }

    fn pin(n: u8) -> Pin {
        format!("7W2-97-857{n}").parse().unwrap()
    }

    fn blocked_after(reports: &[(u8, u8)]) -> bool {
        let mut all = AbuseReports::default();
        for &(p, reporter) in reports {
            all.report(client(99), pin(p), client(reporter));
        }
        all.is_blocked(client(99))
    }

    #[test]
    fn three_pins_reported_from_three_addresses_block() {
        assert!(!blocked_after(&[(1, 1), (2, 2)]));
        assert!(blocked_after(&[(1, 1), (2, 2), (3, 3)]));
        assert!(blocked_after(&[(1, 1), (1, 2), (2, 2), (2, 1), (3, 3)]));
    }

    #[test]
    fn one_reporter_or_one_pin_blocks_nobody() {
        assert!(!blocked_after(&[(1, 1), (2, 1), (3, 1), (4, 1)]));
        assert!(!blocked_after(&[(1, 1), (1, 2), (1, 3), (1, 4)]));
        assert!(!blocked_after(&[(1, 1), (2, 2), (1, 3), (2, 4)]));
    }
}
