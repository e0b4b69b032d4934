//! Streams: each viewer's own pair of connections to the presenter, so that a slow viewer slows nobody else.

use std::collections::{BTreeSet, HashMap};

use serve::Client;
use strum::IntoStaticStr;
use wire::Pin;

use super::{credential::KeyHash, presence::ConnectionId};

/// One stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StreamId(pub u64);

/// Why a stream ended. Its name in `snake_case` is the reason in the close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum StreamEnd {
    /// One end closed it, or is gone.
    Left,
    /// The same page asked for another.
    Replaced,
    /// The live connection of one end is over, and with it the right to this stream.
    #[strum(serialize = "line_ended")]
    ConnectionEnded,
    /// Nothing came for too long.
    Idle,
    /// One end sent what doesn't belong here.
    Malformed,
}

/// All streams, including those that still wait for the presenter.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    all: HashMap<StreamId, Stream>,
    /// The streams that wait for the presenter, by the hash of the secret that it was sent. Each is taken once.
    offers: HashMap<KeyHash, StreamId>,
    /// Each stream is here twice, at both of its ends.
    by_connection: HashMap<ConnectionId, BTreeSet<StreamId>>,
    /// Those that aren't local.
    far: BTreeSet<StreamId>,
    joined: u64,
}

#[derive(Debug)]
pub(crate) struct Stream {
    pub pin: Pin,
    pub viewer: ConnectionId,
    pub presenter: ConnectionId,
    pub secret: KeyHash,
    /// It is end-to-end encrypted.
    pub sealed: bool,
    /// Both sockets came from this machine.
    pub local: bool,
    /// Both ends are there.
    pub joined: bool,
}

impl Streams {
    pub fn insert(&mut self, id: StreamId, stream: Stream) {
        self.offers.insert(stream.secret, id);
        for end in [stream.viewer, stream.presenter] {
            self.by_connection.entry(end).or_default().insert(id);
        }
        if !stream.local {
            self.far.insert(id);
        }
        self.all.insert(id, stream);
    }

    pub fn remove(&mut self, id: StreamId) -> Option<Stream> {
        let stream = self.all.remove(&id)?;
        self.offers.remove(&stream.secret);
        self.far.remove(&id);
        self.joined -= u64::from(stream.joined);
        for end in [stream.viewer, stream.presenter] {
            if let Some(streams) = self.by_connection.get_mut(&end) {
                streams.remove(&id);
                if streams.is_empty() {
                    self.by_connection.remove(&end);
                }
            }
        }
        Some(stream)
    }

    /// The stream, if both ends are there.
    pub fn joined(&self, id: StreamId) -> Option<&Stream> {
        self.all.get(&id).filter(|stream| stream.joined)
    }

    /// The stream that waits for the presenter who knows this secret.
    pub fn take_offer(&mut self, client: Client, secret: &KeyHash) -> Option<StreamId> {
        let id = self.offers.remove(secret)?;
        // A stream is local only if both ends are: closing the network's endpoint must end it otherwise.
        let stream = self.all.get_mut(&id)?;
        stream.local &= client.is_this_machine();
        if !stream.local {
            self.far.insert(id);
        }
        Some(id)
    }

    /// Records that both ends are there, and returns the session; `None` if the stream has ended meanwhile.
    pub fn join(&mut self, id: StreamId) -> Option<Pin> {
        let stream = self.all.get_mut(&id)?;
        self.joined += u64::from(!stream.joined);
        stream.joined = true;
        Some(stream.pin.clone())
    }

    /// How many have both ends.
    pub const fn count_joined(&self) -> u64 {
        self.joined
    }

    /// The streams with this end.
    pub fn of_connection(&self, end: ConnectionId) -> impl Iterator<Item = (StreamId, &Stream)> {
        let ids = self.by_connection.get(&end).into_iter().flatten();
        ids.filter_map(|id| Some((*id, self.all.get(id)?)))
    }

    /// At most `most` of those that aren't local.
    pub fn some_far(&self, most: usize) -> Vec<StreamId> {
        self.far.iter().take(most).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_in_close_frames_stay_as_clients_know_them() {
        let reasons = [
            StreamEnd::Left,
            StreamEnd::Replaced,
            StreamEnd::ConnectionEnded,
            StreamEnd::Idle,
            StreamEnd::Malformed,
        ]
        .map(<&'static str>::from);
        assert_eq!(reasons, ["left", "replaced", "line_ended", "idle", "malformed"]);
    }
}
