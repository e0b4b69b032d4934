//! Who gets one of a server's places for connections.
//!
//! An owner of addresses (an IPv4 address, an IPv6 /48) gets a part of the places, and of that each IPv6 /64 gets a part,
//! so that no one of them shuts out the others. A trusted proxy's own address, and this machine's, say nothing about who
//! it is: their connections aren't held to a part for each address, but to a part for all together, and so are all others. Hence neither shuts out the other. Of those whom
//! a trusted proxy passes on each address has its part all the same: as many requests under way and sockets at once as
//! it could have connections.
//!
//! Whoever finds a part used up takes the place of a connection in it that nobody misses: the oldest that has sent no
//! request yet, else the one that has been without a request for longest. Silence never shuts out anybody, also not
//! through loopback, or from the same address.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use axum::http::HeaderMap;
use parking_lot::{Mutex, RwLock};
use tokio_util::sync::CancellationToken;

use crate::{
    Client, Counters, Limits, Owner, TrustedProxies,
    caps::{Caps, decrease},
    counters::Refusal,
    idle::{Idle, change, change_of},
    pace::{Paced, Schedules},
};

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
    door: RwLock<PeerPolicy>,
    caps: RwLock<Caps>,
    counters: Counters,
    table: Mutex<Table>,
    paces: Schedules,
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
    open: HashMap<u64, Open>,
    /// How many on each side: first that of [`Side::Many`].
    sides: [usize; 2],
    addresses: HashMap<Client, usize>,
    owners: HashMap<Owner, usize>,
    /// Those whose places may be taken, by side; and those of addresses of their own by address and by owner.
    idle: [BTreeMap<Idle, u64>; 2],
    idle_by_address: HashMap<Client, BTreeMap<Idle, u64>>,
    idle_by_owner: HashMap<Owner, BTreeMap<Idle, u64>>,
}

#[derive(Debug)]
struct Open {
    side: Side,
    taken: CancellationToken,
    /// While nothing is under way on it.
    idle: Option<Idle>,
}

/// One connection's place. It is free again when this is dropped or [given up](ConnectionSlot::release).
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    id: u64,
    peer: SocketAddr,
    /// Who has it, where its address says that.
    pub owner: Option<Owner>,
    pub places: ConnectionSlots,
    /// Cancelled when another connection takes the place.
    pub taken: CancellationToken,
}

/// What one of those behind a trusted proxy has under way, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    client: Client,
    places: ConnectionSlots,
}

impl ConnectionSlots {
    pub fn new(limits: &Limits, door: PeerPolicy, counters: Counters) -> Self {
        let caps = Caps::new(limits.connections, limits);
        counters.set_limit(caps.total);
        let (door, caps) = (RwLock::new(door), RwLock::new(caps));
        let (table, paces) = (Mutex::default(), Schedules::new(limits.paces));
        Self(Arc::new(Inner { door, caps, counters, table, paces }))
    }

    /// Tells connections apart by another policy, from the next one on.
    pub fn use_door(&self, door: PeerPolicy) {
        *self.0.door.write() = door;
    }

    /// Gives so many places from the next connection on. Nobody loses theirs who doesn't have to give way anyway.
    pub fn use_connections(&self, total: usize, limits: &Limits) {
        *self.0.caps.write() = Caps::new(total, limits);
        self.0.counters.set_limit(total);
        self.tell();
    }

    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// A place for a connection, or why there is none, which is counted.
    pub fn take(&self, peer: SocketAddr) -> Result<ConnectionSlot, Refusal> {
        let side = self.side(peer);
        let owner = side.owner();
        // First, since it costs least.
        owner.map_or(Ok(Duration::ZERO), |owner| self.count(Paced::Connections, owner, 1))?;
        let caps = *self.0.caps.read();
        let taken = self.0.table.lock().take(side, caps);
        let (place, evicted) = taken.inspect_err(|refusal| self.0.counters.refused(*refusal))?;
        if let Some(evicted) = evicted {
            self.0.counters.refused(Refusal::Silent);
            evicted.cancel();
        }
        self.tell();
        let (id, taken) = place;
        Ok(ConnectionSlot { id, peer, owner, places: self.clone(), taken })
    }

    /// Ends a connection that nobody misses, since there is no file for another one; false if there is none.
    pub fn make_room(&self) -> bool {
        let evicted = {
            let mut table = self.0.table.lock();
            // Of the side that has more of them.
            let more = usize::from(table.idle[1].len() > table.idle[0].len());
            table.evict(more)
        };
        if let Some(evicted) = &evicted {
            evicted.cancel();
            self.tell();
        }
        evicted.is_some()
    }

    /// Counts so much of what an owner does; for how long it has to wait, or why it is refused, which is counted.
    pub fn count(&self, paced: Paced, owner: Owner, cost: u32) -> Result<Duration, Refusal> {
        let waits = self.0.paces.count(paced, owner, cost);
        waits.ok_or(Refusal::Fast).inspect_err(|refusal| self.0.counters.refused(*refusal))
    }

    fn side(&self, peer: SocketAddr) -> Side {
        let ip = peer.ip().to_canonical();
        let door = self.0.door.read();
        if door.proxies.trusts(ip) || (ip.is_loopback() && !door.counts_loopback) {
            Side::Many
        } else {
            Side::One(Client::from_ip(ip))
        }
    }

    fn tell(&self) {
        let (caps, table) = (*self.0.caps.read(), self.0.table.lock());
        let full = table.open.len() >= caps.total || table.sides.iter().any(|n| *n >= caps.side);
        self.0.counters.stand_at(table.open.len(), full);
    }
}

impl ConnectionSlot {
    /// A whole request has come: nobody takes this place while it is under way.
    pub fn begin(&self) {
        self.places.0.table.lock().set_idle(self.id, |_| None);
    }

    /// No request is under way any more, but those of which only the answer waits.
    pub fn rest(&self) {
        self.places.0.table.lock().set_idle(self.id, |now| Some(Idle::Since(now)));
    }

    /// For how long a request has to wait, whose share this is if it isn't of the connection's peer; or why it is refused,
    /// which is counted.
    pub fn wait(&self, share: Option<&Share>) -> Result<Duration, Refusal> {
        let owner = self.requester(share);
        owner.map_or(Ok(Duration::ZERO), |owner| self.places.count(Paced::Requests, owner, 1))
    }

    /// As [`wait`](Self::wait), for a request that is handled at once: its answer waits, and nothing is refused.
    pub fn wait_of_answer(&self, share: Option<&Share>) -> Duration {
        let paces = &self.places.0.paces;
        let wait = |owner| paces.count_patiently(Paced::Requests, owner, 1);
        self.requester(share).map_or(Duration::ZERO, wait)
    }

    fn requester(&self, share: Option<&Share>) -> Option<Owner> {
        share.map(Share::owner).or_else(|| self.places.side(self.peer).owner())
    }

    /// A share for whoever a trusted proxy passes on with these headers, or why there is none, which is counted. None
    /// is needed where the connection's own address says who it is, or nobody can.
    pub fn share(&self, headers: &HeaderMap) -> Result<Option<Share>, Refusal> {
        let client = {
            let door = self.places.0.door.read();
            if !door.proxies.trusts(self.peer.ip()) {
                return Ok(None);
            }
            door.proxies.client(self.peer, headers)
        };
        let Side::One(client) = self.places.side((client.0, 0).into()) else { return Ok(None) };
        let caps = *self.places.0.caps.read();
        let counted = self.places.0.table.lock().add_share(client, caps);
        counted.inspect_err(|refusal| self.places.counters().refused(*refusal))?;
        Ok(Some(Share { client, places: self.places.clone() }))
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

impl Share {
    /// Whose it is.
    pub fn owner(&self) -> Owner {
        self.client.owner()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.places.0.table.lock().remove_share(self.client);
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
        if let Side::One(client) = side
            && let Err(refusal) = self.check_share(client, caps)
        {
            let evicted = self.evict_own(client, refusal, caps).ok_or(refusal)?;
            return Ok((self.add(side), Some(evicted)));
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

    fn check_share(&self, client: Client, caps: Caps) -> Result<(), Refusal> {
        if self.owners.get(&client.owner()).is_some_and(|count| *count >= caps.owner) {
            // Where the address is the owner, it is the address that has too many.
            return Err(if client.is_whole_owner() { Refusal::Address } else { Refusal::Owner });
        }
        if self.has_its_part(client, caps) { Err(Refusal::Address) } else { Ok(()) }
    }

    /// Whether it is an address among others of its owner that has as many as one of them may.
    fn has_its_part(&self, client: Client, caps: Caps) -> bool {
        let open = self.addresses.get(&client);
        !client.is_whole_owner() && open.is_some_and(|count| *count >= caps.address)
    }

    fn add_share(&mut self, client: Client, caps: Caps) -> Result<(), Refusal> {
        self.check_share(client, caps)?;
        self.count_share(client);
        Ok(())
    }

    fn count_share(&mut self, client: Client) {
        *self.addresses.entry(client).or_default() += 1;
        *self.owners.entry(client.owner()).or_default() += 1;
    }

    fn remove_share(&mut self, client: Client) {
        decrease(&mut self.addresses, client);
        decrease(&mut self.owners, client.owner());
    }

    fn add(&mut self, side: Side) -> (u64, CancellationToken) {
        let (id, token) = (self.next, CancellationToken::new());
        self.next += 1;
        self.open.insert(id, Open { side, taken: token.clone(), idle: None });
        self.sides[side.index()] += 1;
        if let Side::One(client) = side {
            self.count_share(client);
        }
        self.set_idle(id, |now| Some(Idle::Silent(now)));
        (id, token)
    }

    /// Notes whether a place may be taken, and since when.
    fn set_idle(&mut self, id: u64, idle: impl FnOnce(u64) -> Option<Idle>) {
        let Some(open) = self.open.get_mut(&id) else { return };
        let side = open.side;
        let before = std::mem::replace(&mut open.idle, idle(self.next));
        let after = open.idle;
        self.next += 1;
        change(&mut self.idle[side.index()], id, before, after);
        if let Side::One(client) = side {
            change_of(&mut self.idle_by_address, client, id, before, after);
            change_of(&mut self.idle_by_owner, client.owner(), id, before, after);
        }
    }

    /// Frees the place on a side that is missed least.
    fn evict(&mut self, side: usize) -> Option<CancellationToken> {
        let id = *self.idle[side].first_key_value()?.1;
        self.take_from(id)
    }

    /// Frees a place of this client's own address, or one of its owner's where only the owner has too many.
    fn evict_own(
        &mut self,
        client: Client,
        refusal: Refusal,
        caps: Caps,
    ) -> Option<CancellationToken> {
        let own = self.idle_by_address.get(&client);
        let of_owner = || {
            let is_enough = refusal == Refusal::Owner && !self.has_its_part(client, caps);
            self.idle_by_owner.get(&client.owner()).filter(|_| is_enough)
        };
        let id = *own.or_else(of_owner)?.first_key_value()?.1;
        self.take_from(id)
    }

    fn take_from(&mut self, id: u64) -> Option<CancellationToken> {
        let token = self.open.get(&id).map(|open| open.taken.clone());
        self.release(id);
        token
    }

    fn release(&mut self, id: u64) {
        self.set_idle(id, |_| None);
        let Some(Open { side, .. }) = self.open.remove(&id) else { return };
        self.sides[side.index()] -= 1;
        if let Side::One(client) = side {
            self.remove_share(client);
        }
    }
}

impl Side {
    fn owner(self) -> Option<Owner> {
        match self {
            Self::Many => None,
            Self::One(client) => Some(client.owner()),
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Many => 0,
            Self::One(_) => 1,
        }
    }
}

#[cfg(test)]
#[path = "connection_slots_test.rs"]
mod tests;
