//! One socket of a stream: a viewer that asks for the screen, or the presenter's program that dials for a viewer.
//! The task of the viewer's socket splices the two.

use std::{sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, close_code};
use serve::Client;
use tokio::{sync::oneshot, time::timeout};
use wire::shared_screen::{Role, Secret, StreamAnswer, StreamHello};

use super::{HELLO_WITHIN, and_always, first_message, send, splice::splice};
use crate::{
    coordinator::Coordinator,
    hub::{refusal::Refused, streams::StreamId},
    random,
    socket_registry::StreamSignals,
};

/// A stream that waits for the presenter.
struct Opened {
    id: StreamId,
    role: Role,
    signals: StreamSignals,
}

impl Coordinator {
    async fn watch(
        self: &Arc<Self>,
        client: Client,
        key: &Secret,
        sealed: bool,
    ) -> Result<Opened, Refused> {
        let secret = random::credential()?;
        // Before the hub asks the presenter's program, which may dial at once.
        let (id, signals) = self.sockets.lock().add_stream();
        let role = self.change(|hub, now| hub.watch(client, key, (id, secret), sealed, now)).await;
        match role {
            Ok(role) => Ok(Opened { id, role, signals }),
            Err(refused) => {
                self.sockets.lock().remove_stream(id);
                Err(refused)
            }
        }
    }

    fn present(
        &self,
        client: Client,
        secret: &Secret,
    ) -> Result<oneshot::Sender<WebSocket>, Refused> {
        let id = self.with_hub(|hub, _| hub.present(client, secret))?;
        let ended = Refused::UnknownKey { delay: Duration::ZERO };
        self.sockets.lock().take_presenter_slot(id).ok_or(ended)
    }
}

/// Serves one socket of `/screen` until its stream ends.
pub(crate) async fn serve(mut socket: WebSocket, coordinator: Arc<Coordinator>, client: Client) {
    let outcome = match first_message(&mut socket).await {
        Some(StreamHello::Watch { key, sealed }) => {
            match coordinator.watch(client, &key, sealed).await {
                Ok(opened) => return carry(socket, &coordinator, opened).await,
                Err(refused) => Err(refused),
            }
        }
        Some(StreamHello::Present { stream }) => coordinator.present(client, &stream),
        None => Err(Refused::malformed("the first message says what this socket is for")),
    };
    match outcome {
        // The viewer's task has it from here on; if that is gone, the socket closes with it.
        Ok(presenter_socket) => drop(presenter_socket.send(socket)),
        Err(refused) => refuse(socket, &coordinator, &refused).await,
    }
}

async fn carry(viewer: WebSocket, coordinator: &Arc<Coordinator>, opened: Opened) {
    let id = opened.id;
    let ended = coordinator.record(|hub, _| hub.stream_ended(id));
    and_always(carry_until_the_end(viewer, coordinator, opened), ended).await;
}

async fn carry_until_the_end(
    mut viewer: WebSocket,
    coordinator: &Arc<Coordinator>,
    opened: Opened,
) {
    let Opened { id, role, signals: StreamSignals { presenter_socket, mut ended } } = opened;
    let until = coordinator.clock.now().after(coordinator.live().durations.dial);
    let presenter = tokio::select! {
        presenter = presenter_socket => presenter.map_err(|_| Refused::NoPresenter),
        () = coordinator.clock.sleep_until(until) => Err(Refused::NoAnswer),
        // This also reads, without which nobody would notice that the viewer has left.
        () = gone(&mut viewer) => Err(Refused::malformed("nothing may be sent before the stream has begun")),
        _ = &mut ended => Err(Refused::NoPresenter),
    };
    match presenter {
        Ok(presenter) => {
            let sockets = [presenter, viewer];
            if let Some([presenter, viewer]) = join(sockets, role, coordinator, id).await {
                let pace = (&coordinator.clock, coordinator.live().durations.stream_idle);
                splice(viewer, presenter, pace, &mut ended).await;
            }
        }
        Err(refused) => refuse(viewer, coordinator, &refused).await,
    }
}

/// Tells both ends that the other one is there.
async fn join(
    mut sockets: [WebSocket; 2],
    role: Role,
    coordinator: &Arc<Coordinator>,
    id: StreamId,
) -> Option<[WebSocket; 2]> {
    for socket in &mut sockets {
        if !send(socket, &StreamAnswer::Joined { role }).await {
            return None;
        }
    }
    coordinator.apply(|hub, _| hub.stream_joined(id)).await.is_ok().then_some(sockets)
}

/// Returns when a viewer that should wait leaves or sends something.
async fn gone(viewer: &mut WebSocket) {
    while let Some(Ok(Frame::Ping(_) | Frame::Pong(_))) = viewer.recv().await {}
}

async fn refuse(mut socket: WebSocket, coordinator: &Coordinator, refused: &Refused) {
    coordinator.refusals.refused(refused.kind());
    tokio::time::sleep(refused.delay()).await;
    let code = refused.code().to_owned();
    send(&mut socket, &StreamAnswer::Refused { code, error: refused.to_string() }).await;
    let goodbye = CloseFrame { code: close_code::NORMAL, reason: "refused".into() };
    let _ = timeout(HELLO_WITHIN, socket.send(Frame::Close(Some(goodbye)))).await;
}
