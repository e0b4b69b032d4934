//! A private network between two ends, which can silently drop every packet.
//!
//! It is a network namespace of the kernel, which only an administrator can create.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    process::Command,
};

use crate::process::by;

/// A hardware address that nobody has: packets to it are dropped silently at the other end.
const NOWHERE: &str = "02:00:00:00:00:01";

/// A namespace with one link to the outside.
#[derive(Debug)]
pub struct Network {
    name: String,
    outside: (String, Ipv4Addr),
    inside: (String, Ipv4Addr),
}

impl Network {
    /// Creates a network that forwards everything.
    ///
    /// # Errors
    /// The system's message.
    pub fn new() -> Result<Self, String> {
        let id = std::process::id();
        // Of the addresses that are set aside for tests of networks, four for each process.
        let first = u32::from(Ipv4Addr::new(198, 18, 0, 0)) + id % (1 << 15) * 4;
        let network = Self {
            name: format!("deskhand-{id}"),
            outside: (format!("dho{id}"), Ipv4Addr::from(first + 1)),
            inside: (format!("dhi{id}"), Ipv4Addr::from(first + 2)),
        };
        network.is_made()?;
        Ok(network)
    }

    fn is_made(&self) -> Result<(), String> {
        let Self { name, outside, inside } = self;
        ip(&["netns", "add", name])?;
        ip(&["link", "add", &outside.0, "type", "veth", "peer", "name", &inside.0, "netns", name])?;
        for within in [false, true] {
            let (card, address) = if within { inside } else { outside };
            self.ip(within, &["address", "add", &format!("{address}/30"), "dev", card])?;
            self.ip(within, &["link", "set", card, "up"])?;
        }
        Ok(())
    }

    /// The outside address, at which programs inside reach the broker.
    pub const fn outside(&self) -> IpAddr {
        IpAddr::V4(self.outside.1)
    }

    /// A command that runs a program inside. It still reaches the displays.
    pub fn within(&self, program: &Command) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]);
        by(command, program)
    }

    /// From now on, drops every packet in both directions. No connection is closed.
    pub fn falls_silent(&self) {
        for (within, card, peer) in self.ends() {
            let wrong = ["lladdr", NOWHERE, "dev", card, "nud", "permanent"];
            self.ip(within, &[&["neighbour", "replace", &peer][..], &wrong].concat()).unwrap();
        }
    }

    /// From now on, forwards everything again.
    pub fn carries_again(&self) {
        for (within, card, peer) in self.ends() {
            self.ip(within, &["neighbour", "delete", &peer, "dev", card]).unwrap();
        }
    }

    /// The interface of each end, and the hardware address that it sends to.
    fn ends(&self) -> [(bool, &str, String); 2] {
        let Self { outside, inside, .. } = self;
        [(false, &outside.0, inside.1.to_string()), (true, &inside.0, outside.1.to_string())]
    }

    fn ip(&self, within: bool, how: &[&str]) -> Result<(), String> {
        if within { ip(&[&["-netns", self.name.as_str()], how].concat()) } else { ip(how) }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Deleting the namespace deletes both ends of its link.
        let _ = ip(&["netns", "delete", &self.name]);
        let _ = ip(&["link", "delete", &self.outside.0]);
    }
}

fn ip(how: &[&str]) -> Result<(), String> {
    let said = |error: io::Error| format!("ip: {error}; ./test installs it");
    let output = Command::new("ip").args(how).output().map_err(said)?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("ip {how:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
