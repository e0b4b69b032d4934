//! Which addresses lead to this machine. Hooks go there only where they may go to loopback addresses, since whatever
//! listens on this machine may trust those who come from it.
//!
//! Asked anew each time: interfaces come and go while the broker runs.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::{Instant, timeout};
use url::{Host, Url};

use crate::{endpoint::Endpoint, hub::target::carried};

/// How long the addresses of an endpoint's name are believed.
const FRESH: Duration = Duration::from_secs(60);
/// How long a resolver may take for that name.
const RESOLVED_WITHIN: Duration = Duration::from_secs(2);

/// This machine's addresses: those of its interfaces, and those that its endpoints go by, which may be a router's.
#[derive(Debug, Clone)]
pub(crate) struct OwnAddresses(Arc<Mutex<Hosts>>);

#[derive(Debug)]
struct Hosts {
    main: Option<Host>,
    network: Option<Host>,
    /// The addresses of those that are names, and when they were looked up.
    resolved: Option<(Instant, Vec<IpAddr>)>,
}

impl OwnAddresses {
    pub fn new(main: &Endpoint) -> Self {
        let main = host_of(&main.origin);
        Self(Arc::new(Mutex::new(Hosts { main, network: None, resolved: None })))
    }

    /// The endpoint for the network has opened or closed.
    pub fn set_network(&self, endpoint: Option<&Endpoint>) {
        let mut hosts = self.0.lock();
        hosts.network = endpoint.and_then(|endpoint| host_of(&endpoint.origin));
        hosts.resolved = None;
    }

    /// Whether a URL names this machine, by an address or by an endpoint's name. Any other name has to be resolved,
    /// and its addresses judged when it is called.
    pub async fn are_in(&self, url: &str) -> bool {
        match host_of(url) {
            Some(Host::Ipv4(ip)) => self.contains(ip.into()).await,
            Some(Host::Ipv6(ip)) => self.contains(ip.into()).await,
            Some(Host::Domain(name)) => self.names().contains(&plain(&name)),
            None => false,
        }
    }

    /// Whether packets to this address come to this machine.
    pub async fn contains(&self, ip: IpAddr) -> bool {
        let reached = carried(ip);
        if [ip.to_canonical(), reached].into_iter().any(is_interface) {
            return true;
        }
        let literal = {
            let hosts = self.0.lock();
            [&hosts.main, &hosts.network].into_iter().flatten().any(|host| match host {
                Host::Ipv4(own) => reached == IpAddr::V4(*own),
                Host::Ipv6(own) => reached == own.to_canonical(),
                Host::Domain(_) => false,
            })
        };
        literal || self.resolved().await.contains(&reached)
    }

    fn names(&self) -> Vec<String> {
        let hosts = self.0.lock();
        let name = |host: &Host| match host {
            Host::Domain(name) => Some(plain(name)),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        };
        [&hosts.main, &hosts.network].into_iter().flatten().filter_map(name).collect()
    }

    async fn resolved(&self) -> Vec<IpAddr> {
        let names = self.names();
        if names.is_empty() {
            return Vec::new();
        }
        let before = self.0.lock().resolved.clone();
        if let Some((_, known)) = before.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return known.clone();
        }
        let mut found = Vec::new();
        for name in names {
            let looked_up = timeout(RESOLVED_WITHIN, tokio::net::lookup_host((name, 0))).await;
            found.extend(looked_up.into_iter().flatten().flatten().map(|addr| carried(addr.ip())));
        }
        // While no resolver answers, the addresses that were known are the best guess.
        let found = if found.is_empty() {
            before.map(|(_, known)| known).unwrap_or_default()
        } else {
            found
        };
        self.0.lock().resolved = Some((Instant::now(), found.clone()));
        found
    }
}

fn host_of(url: &str) -> Option<Host> {
    Url::parse(url).ok()?.host().map(|host| host.to_owned())
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Whether this is the address of one of this machine's interfaces. Nothing is sent.
fn is_interface(ip: IpAddr) -> bool {
    let foreign: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    // A further address of an interface may be reached from the first one; then it can be bound to. That tells
    // nothing on machines that bind to any address, as for an address that another machine holds at present.
    is_reached_from_itself(ip) || (can_bind(ip) && !can_bind(foreign))
}

/// What is sent from here to here goes from that very address.
fn is_reached_from_itself(ip: IpAddr) -> bool {
    let any: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // Without such sockets nothing can be sent there, either.
    let Ok(socket) = UdpSocket::bind((any, 0)) else { return false };
    let from = socket.connect((ip, 9)).and_then(|()| socket.local_addr());
    from.is_ok_and(|from| from.ip() == ip)
}

fn can_bind(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(public: &str) -> OwnAddresses {
        let public = Url::parse(public).unwrap();
        OwnAddresses::new(&Endpoint::new(
            "127.0.0.1:47211".parse().unwrap(),
            Some(&public),
            false,
            false,
        ))
    }

    #[tokio::test]
    async fn an_interface_is_this_machine_and_another_address_is_not() {
        let own = own("http://127.0.0.1:47211");
        let here = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
            socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
            socket.local_addr()
        });
        // The second one is reached from the first.
        let mut mine: Vec<IpAddr> =
            ["127.0.0.1", "127.1.2.3", "::ffff:127.0.0.1"].map(|ip| ip.parse().unwrap()).into();
        mine.extend(here.map(|addr| addr.ip()));
        for ip in mine {
            assert!(own.contains(ip).await, "{ip}");
        }
        for other in ["192.0.2.1", "93.184.216.34", "2001:db8::1"] {
            assert!(!own.contains(other.parse().unwrap()).await, "{other}");
        }
    }

    #[tokio::test]
    async fn what_the_endpoints_go_by_is_this_machine_on_every_port() {
        let by_address = own("https://93.184.216.34");
        for here in [
            "http://93.184.216.34:9/",
            "http://0x5db8d822/",
            "http://[64:ff9b::5db8:d822]/",
            "http://[2002:5db8:d822::1]/",
            "http://[::ffff:93.184.216.34]:80/",
        ] {
            assert!(by_address.are_in(here).await, "{here}");
        }
        assert!(!by_address.are_in("http://93.184.216.35/").await);
        let by_name = own("https://support.example.invalid");
        assert!(by_name.are_in("http://SUPPORT.example.invalid.:8080/x").await);
        assert!(!by_name.are_in("http://other.example.invalid/").await);
        let network = Endpoint::new(
            "0.0.0.0:1".parse().unwrap(),
            Url::parse("http://93.184.216.99").ok().as_ref(),
            false,
            true,
        );
        by_name.set_network(Some(&network));
        assert!(by_name.are_in("http://93.184.216.99:5/").await);
        by_name.set_network(None);
        assert!(!by_name.are_in("http://93.184.216.99:5/").await);
    }
}
