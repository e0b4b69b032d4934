//! Opening streams of the screen: a viewer requests one, and the presenter's program is asked to dial for it.

use std::time::Duration;

use serve::{Client, Millis};
use wire::shared_screen::{Role, Secret, ToPresenter};

use super::{
    Hub,
    change::{Change, Notice},
    connections::Link,
    credential::{self, Credential},
    messages::ServerMessage,
    presence::ConnectionId,
    refusal::Refused,
    streams::{Stream, StreamEnd, StreamId},
};

impl Hub {
    /// A viewer asks for its stream with the key that it was welcomed with.
    pub fn watch(
        &mut self,
        client: Client,
        key: &Secret,
        stream: (StreamId, Credential),
        sealed: bool,
        now: Millis,
    ) -> Result<(Role, Change), Refused> {
        let found = self.connections.with_watch_key(&credential::sha256(key.expose()));
        let id = self.known_credential(client, found, now)?;
        let connection = self.connections.get(id).ok_or(Refused::PinOver)?;
        let (pin, viewer) = (connection.pin.clone(), connection.client);
        // The key lasts as long as the connection, which can outlive the PIN by a moment.
        self.live(client, &pin, now)?;
        let allowed = self.rates(client).streams;
        // By the live connection, whichever address shows its key.
        self.usage.streams.admit((id, viewer), allowed, now).map_err(Refused::too_many)?;
        self.open_stream(client, id, stream, sealed)
    }

    fn open_stream(
        &mut self,
        client: Client,
        viewer_id: ConnectionId,
        (id, secret): (StreamId, Credential),
        sealed: bool,
    ) -> Result<(Role, Change), Refused> {
        let connection = self.connections.get(viewer_id).ok_or(Refused::PinOver)?;
        let viewer = connection.participant.as_viewer().ok_or(Refused::PinOver)?;
        let (pin, role, old) = (connection.pin.clone(), viewer.role, viewer.stream);
        let (invited, own) = (viewer.invited, viewer.own);
        let page = credential::public_half(connection.page.0);
        let (presenter, _) = self.presenter_program(&pin).ok_or(Refused::NoPresenter)?;
        // A stand-in has no socket that the request could be sent to, and never dials.
        if self.connections.get(presenter).is_none_or(|one| one.link != Link::Open) {
            return Err(Refused::NoPresenter);
        }
        let name = self.page_name(viewer_id);
        let request =
            ToPresenter::Viewer { stream: secret.secret, page, name, role, sealed, invited, own };
        let message = ServerMessage::Presenter(request);
        let mut notices = vec![Notice::Send { to: presenter, message }];
        // No roster for the old stream's end: the one that follows when the new stream begins shows no gap.
        if let Some(old) = old.filter(|old| self.streams.remove(*old).is_some()) {
            notices.push(Notice::EndStream { stream: old, why: StreamEnd::Replaced });
        }
        let stream = Stream {
            pin,
            viewer: viewer_id,
            presenter,
            secret: secret.hash,
            sealed,
            local: client.is_this_machine(),
            joined: false,
        };
        self.streams.insert(id, stream);
        let connection = self.connections.get_mut(viewer_id);
        if let Some(viewer) = connection.and_then(|one| one.participant.as_viewer_mut()) {
            viewer.stream = Some(id);
        }
        Ok((role, Change::with_notices(notices)))
    }

    /// The presenter's program dials for a stream.
    ///
    /// A wrong secret doesn't count as a guess. Otherwise a viewer could get the presenter locked
    /// out by requesting streams and leaving, so that the presenter dials too late.
    pub fn present(&mut self, client: Client, secret: &Secret) -> Result<StreamId, Refused> {
        let offer = self.streams.take_offer(client, &credential::sha256(secret.expose()));
        offer.ok_or(Refused::UnknownKey { delay: Duration::ZERO })
    }

    /// Both ends of a stream are there; an error if it has ended meanwhile.
    pub fn stream_joined(&mut self, id: StreamId) -> Result<Change, Refused> {
        let pin = self.streams.join(id).ok_or(Refused::NoPresenter)?;
        let notices = self.roster_notices(&pin);
        Ok(Change { changed: vec![pin], ..Change::with_notices(notices) })
    }

    /// The sockets of a stream are closed.
    pub fn stream_ended(&mut self, id: StreamId) -> Change {
        let pin = self.streams.joined(id).map(|stream| stream.pin.clone());
        let notices = self.end_streams(vec![id], StreamEnd::Left);
        Change { changed: pin.into_iter().collect(), ..Change::with_notices(notices) }
    }
}
