//! Who gets one of a server's places for connections.
//!
//! An address and an owner of addresses get a part of the places, so that no one of them shuts out the others. Behind a
//! trusted proxy, and on this machine, an address says nothing about who it is: those aren't held to a part for each
//! address, but to a part for all together, and so are all others. Hence neither shuts out the other. Whoever
//! finds a part used up takes the place of the oldest connection in it that has sent no request yet: silence never shuts
//! out anybody, also not through loopback.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::Arc,
};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::{Client, Counters, Limits, TrustedProxies, counters::Refusal};

/// How a server tells the addresses of its peers apart.
#[derive(Debug, Clone, Default)]
pub struct PeerPolicy {
    /// The proxies whose connections carry the requests of many.
    pub proxies: TrustedProxies,
    /// Hold each loopback address to its part as well. For tests, where all peers are on loopback.
    pub counts_loopback: bool,
}

/// The places of a server.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionSlots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    door: PeerPolicy,
    caps: Caps,
    counters: Counters,
    table: Mutex<Table>,
}

#[derive(Debug, Clone, Copy)]
struct Caps {
    total: usize,
    /// For all on one side; what remains is kept for the other.
    side: usize,
    address: usize,
    owner: usize,
}

/// Whose connection it is, as far as that can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Through a trusted proxy, or from this machine.
    Many,
    /// From an address of its own.
    One(Client),
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    open: HashMap<u64, Side>,
    /// How many on each side: first that of [`Side::Many`].
    sides: [usize; 2],
    addresses: HashMap<Client, usize>,
    owners: HashMap<Client, usize>,
    /// Those that have sent no request yet, oldest first, by side.
    silent: [BTreeMap<u64, CancellationToken>; 2],
}

/// One connection's place. It is free again when this is dropped or [given up](ConnectionSlot::release).
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    id: u64,
    places: ConnectionSlots,
    /// Cancelled when another connection takes the place.
    pub taken: CancellationToken,
}

impl ConnectionSlots {
    pub fn new(limits: &Limits, door: PeerPolicy, counters: Counters) -> Self {
        let total = limits.connections;
        let caps = Caps {
            total,
            side: total - total / 8,
            address: limits.per_address.unwrap_or((total / 8).max(1)),
            owner: limits.per_owner.unwrap_or((total / 4).max(1)),
        };
        counters.set_limit(total);
        Self(Arc::new(Inner { door, caps, counters, table: Mutex::default() }))
    }

    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// A place for a connection, or why there is none, which is counted.
    pub fn take(&self, peer: SocketAddr) -> Result<ConnectionSlot, Refusal> {
        let side = self.side(peer);
        let taken = self.0.table.lock().take(side, self.0.caps);
        let (place, evicted) = taken.inspect_err(|refusal| self.0.counters.refused(*refusal))?;
        if let Some(evicted) = evicted {
            self.0.counters.refused(Refusal::Silent);
            evicted.cancel();
        }
        self.tell();
        let (id, taken) = place;
        Ok(ConnectionSlot { id, places: self.clone(), taken })
    }

    fn side(&self, peer: SocketAddr) -> Side {
        let ip = peer.ip().to_canonical();
        let door = &self.0.door;
        if door.proxies.trusts(ip) || (ip.is_loopback() && !door.counts_loopback) {
            Side::Many
        } else {
            Side::One(Client::from_ip(ip))
        }
    }

    fn tell(&self) {
        let (table, caps) = (self.0.table.lock(), self.0.caps);
        let full = table.open.len() >= caps.total || table.sides.iter().any(|n| *n >= caps.side);
        self.0.counters.stand_at(table.open.len(), full);
    }
}

impl ConnectionSlot {
    /// A whole request has come: nobody takes this place any more.
    pub fn prove(&self) {
        self.places.0.table.lock().silent.iter_mut().for_each(|silent| {
            silent.remove(&self.id);
        });
    }

    /// Counts why the connection is ended.
    pub fn refused(&self, refusal: Refusal) {
        self.places.counters().refused(refusal);
    }

    /// Gives the place up; more than once does nothing.
    pub fn release(&self) {
        self.places.0.table.lock().release(self.id);
        self.places.tell();
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.release();
    }
}

type Taken = ((u64, CancellationToken), Option<CancellationToken>);

impl Table {
    fn take(&mut self, side: Side, caps: Caps) -> Result<Taken, Refusal> {
        if let Side::One(client) = side {
            let count = |counts: &HashMap<Client, usize>, of| counts.get(&of).copied().unwrap_or(0);
            if count(&self.owners, client.owner()) >= caps.owner {
                // Where the address is the owner, it is the address that has too many.
                let is_one = client.owner() == client;
                return Err(if is_one { Refusal::Address } else { Refusal::Owner });
            }
            if count(&self.addresses, client) >= caps.address {
                return Err(Refusal::Address);
            }
        }
        let mine = side.index();
        let evicted = if self.sides[mine] >= caps.side {
            Some(self.evict(mine).ok_or(Refusal::Full)?)
        } else if self.open.len() >= caps.total {
            let other = self.evict(1 - mine).or_else(|| self.evict(mine));
            Some(other.ok_or(Refusal::Full)?)
        } else {
            None
        };
        Ok((self.add(side), evicted))
    }

    fn add(&mut self, side: Side) -> (u64, CancellationToken) {
        let (id, token) = (self.next, CancellationToken::new());
        self.next += 1;
        self.open.insert(id, side);
        self.sides[side.index()] += 1;
        if let Side::One(client) = side {
            *self.addresses.entry(client).or_default() += 1;
            *self.owners.entry(client.owner()).or_default() += 1;
        }
        self.silent[side.index()].insert(id, token.clone());
        (id, token)
    }

    /// Frees the place of the oldest silent connection on a side.
    fn evict(&mut self, side: usize) -> Option<CancellationToken> {
        let (id, token) = self.silent[side].pop_first()?;
        self.release(id);
        Some(token)
    }

    fn release(&mut self, id: u64) {
        let Some(side) = self.open.remove(&id) else { return };
        self.sides[side.index()] -= 1;
        self.silent[side.index()].remove(&id);
        if let Side::One(client) = side {
            decrease(&mut self.addresses, client);
            decrease(&mut self.owners, client.owner());
        }
    }
}

impl Side {
    const fn index(self) -> usize {
        match self {
            Self::Many => 0,
            Self::One(_) => 1,
        }
    }
}

fn decrease(counts: &mut HashMap<Client, usize>, client: Client) {
    if let Some(count) = counts.get_mut(&client) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&client);
        }
    }
}

#[cfg(test)]
#[path = "connection_slots_test.rs"]
mod tests;
