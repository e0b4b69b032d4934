//! Streams: each viewer's own pair of connections to the presenter, so that a slow viewer slows nobody else.

use std::collections::HashMap;

use serve::Client;
use strum::IntoStaticStr;
use wire::Pin;

use super::{credential::KeyHash, presence::ConnectionId};

/// One stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
        self.all.insert(id, stream);
    }

    pub fn remove(&mut self, id: StreamId) -> Option<Stream> {
        let stream = self.all.remove(&id)?;
        self.offers.remove(&stream.secret);
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
        self.all.get_mut(&id)?.local &= client.is_this_machine();
        Some(id)
    }

    /// Records that both ends are there, and returns the session; `None` if the stream has ended meanwhile.
    pub fn join(&mut self, id: StreamId) -> Option<Pin> {
        let stream = self.all.get_mut(&id)?;
        stream.joined = true;
        Some(stream.pin.clone())
    }

    pub fn ids_where(&self, chosen: impl Fn(&Stream) -> bool) -> Vec<StreamId> {
        self.all.iter().filter(|(_, stream)| chosen(stream)).map(|(id, _)| *id).collect()
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
