//! A console's event channel: the states of all sessions that it follows, over one WebSocket
//! ([`wire::session_events`]).

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, close_code};
use serde::Serialize;
use serve::{Client, Turns};
use tokio::time::{Instant, interval_at, sleep_until, timeout};
use wire::{
    Pin,
    session_events::{Follow, FromConsole, ToConsole},
    shared_screen::Secret,
};

use super::{
    HELLO_WITHIN,
    live_connection::{PING_EVERY, SILENT, next_frame},
};
use crate::{
    coordinator::Coordinator,
    event_channels::{EventChannel, MOST_FOLLOWED},
    hub::{credential::KeyHash, refusal::Refused},
};

/// Bytes of the longest message from a console: one that follows as many sessions as it may.
pub(crate) const LONGEST: usize = 2 * 1024 * 1024;
/// How many sessions are looked up before others get at the hub.
const LOOK_UPS: usize = 256;
/// How many chat messages one message carries: at most about 256 KiB.
const CHAT_BATCH: usize = 32;

/// Why a channel ends. It is the reason in the close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
enum End {
    /// The console left, or doesn't answer any more.
    Left,
    /// The console sent what doesn't belong here.
    Malformed,
    /// It has too many channels, or follows too many sessions.
    TooMany,
    /// The broker ends: the console should come back.
    Restarting,
}

/// What one channel is served with.
struct Served {
    coordinator: Arc<Coordinator>,
    client: Client,
    console: KeyHash,
    channel: EventChannel,
    turns: Turns,
    /// The PINs that are unknown, each with the moment up to which that answer is held back.
    unknown: VecDeque<(Instant, Secret)>,
}

/// Serves one channel until either end closes it.
pub(crate) async fn serve(
    mut socket: WebSocket,
    turns: Turns,
    coordinator: Arc<Coordinator>,
    client: Client,
    console: KeyHash,
) {
    let end = match coordinator.channels.open(client) {
        Some(channel) => {
            let unknown = VecDeque::new();
            Served { coordinator, client, console, channel, turns, unknown }.run(&mut socket).await
        }
        None => End::TooMany,
    };
    let reason: &'static str = end.into();
    let goodbye = CloseFrame { code: close_code::NORMAL, reason: reason.into() };
    let _ = timeout(HELLO_WITHIN, socket.send(Frame::Close(Some(goodbye)))).await;
}

impl Served {
    async fn run(mut self, socket: &mut WebSocket) -> End {
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let mut last_received = Instant::now();
        let coordinator = Arc::clone(&self.coordinator);
        loop {
            let answer_at = self.unknown.front().map_or_else(Instant::now, |(at, _)| *at);
            // In this order: while a long message is sent, what the console sends waits, and it must not count as
            // silent for that.
            let going_on = tokio::select! {
                biased;
                () = coordinator.stopping.cancelled() => Err(End::Restarting),
                frame = next_frame(socket, &self.turns) => {
                    last_received = Instant::now();
                    self.receive(frame)
                }
                _ = pings.tick() => sent(socket, Frame::Ping(Vec::new().into())).await,
                () = sleep_until(answer_at), if !self.unknown.is_empty() => {
                    self.answer_unknown(socket).await
                }
                changed = self.channel.next() => match changed {
                    Some(pin) => self.send_session(socket, &pin).await,
                    None => Err(End::Restarting),
                },
                () = sleep_until(last_received + SILENT) => Err(End::Left),
            };
            if let Err(end) = going_on {
                return end;
            }
        }
    }

    fn receive(&mut self, frame: Option<Result<Frame, axum::Error>>) -> Result<(), End> {
        let counted = self.turns.count().map_err(|_| End::TooMany);
        // What has come is carried out all the same.
        self.carry_out(frame).and(counted)
    }

    fn carry_out(&mut self, frame: Option<Result<Frame, axum::Error>>) -> Result<(), End> {
        match frame {
            None | Some(Err(_) | Ok(Frame::Close(_))) => Err(End::Left),
            Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => Ok(()),
            Some(Ok(Frame::Binary(_))) => Err(End::Malformed),
            Some(Ok(Frame::Text(text))) => match serde_json::from_str(text.as_str()) {
                Ok(FromConsole::Follow { sessions }) => self.follow(&sessions),
                Ok(FromConsole::Unfollow { session_pins }) => {
                    let pins = session_pins.iter().filter_map(|pin| pin.expose().parse().ok());
                    pins.for_each(|pin: Pin| self.channel.unfollow(&pin));
                    Ok(())
                }
                Err(_) => Err(End::Malformed),
            },
        }
    }

    fn follow(&mut self, sessions: &[Follow]) -> Result<(), End> {
        for some in sessions.chunks(LOOK_UPS) {
            let checked: Vec<_> = self.coordinator.with_hub(|hub, now| {
                let check = |one: &Follow| -> Result<(Pin, u64), Refused> {
                    let pin: Pin =
                        one.session_pin.expose().parse().map_err(|_| Refused::NotYours)?;
                    hub.check_console(self.client, Some(&self.console), &pin, now)?;
                    let guid = one.chat_after_guid.as_deref();
                    let position = hub.chat_position(&pin, one.chat_after, guid);
                    Ok((pin, position))
                };
                some.iter().map(check).collect()
            });
            for (one, checked) in some.iter().zip(checked) {
                match checked {
                    Ok((pin, position)) if self.channel.follow(&pin, position) => {}
                    Ok(_) => return Err(End::TooMany),
                    // Whether there is such a session isn't known to somebody who has guessed too often, so nothing
                    // is said of it.
                    Err(Refused::TooMany { .. } | Refused::Guessing { .. }) => {}
                    Err(refused) => self.hold_back(one.session_pin.clone(), &refused)?,
                }
            }
        }
        Ok(())
    }

    /// Queues an `Unknown`. As everywhere, the answers to those who guess come slower and slower.
    fn hold_back(&mut self, pin: Secret, refused: &Refused) -> Result<(), End> {
        if self.channel.followed() + self.unknown.len() >= MOST_FOLLOWED {
            return Err(End::TooMany);
        }
        let earliest = self.unknown.back().map_or_else(Instant::now, |(at, _)| *at);
        let answer_at = earliest.max(Instant::now()) + refused.delay();
        self.unknown.push_back((answer_at, pin));
        Ok(())
    }

    async fn answer_unknown(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        match self.unknown.pop_front() {
            Some((_, session_pin)) => sent_json(socket, &ToConsole::Unknown { session_pin }).await,
            None => Ok(()),
        }
    }

    /// Sends a session's state, as it is now, and the chat that is new.
    async fn send_session(&mut self, socket: &mut WebSocket, pin: &Pin) -> Result<(), End> {
        // It may have been unfollowed while it waited.
        let Some(&mut position) = self.channel.chat_position(pin) else { return Ok(()) };
        let known = self.coordinator.with_hub(|hub, now| {
            let facts = self.coordinator.facts(hub, pin, now)?;
            // A console may have more than this broker has, if that lost its last writes in a power cut.
            let position = position.min(facts.messages);
            Some((facts, hub.chat_after(pin, position, CHAT_BATCH, now)))
        });
        let Some((facts, messages)) = known else {
            self.channel.unfollow(pin);
            let session_pin = Secret::from(pin.expose().to_owned());
            return sent_json(socket, &ToConsole::Unknown { session_pin }).await;
        };
        let last = facts.messages;
        sent_json(socket, &ToConsole::State(Box::new(facts))).await?;
        let more = messages.len() == CHAT_BATCH;
        let position = messages.last().map_or(last, |message| message.number);
        if !messages.is_empty() {
            sent_json(socket, &ToConsole::Chat { session_pin: pin.clone(), messages }).await?;
        }
        if let Some(sent) = self.channel.chat_position(pin) {
            *sent = position;
        }
        if more {
            self.channel.send_again(pin);
        }
        Ok(())
    }
}

async fn sent_json(socket: &mut WebSocket, message: &impl Serialize) -> Result<(), End> {
    let text = serde_json::to_string(message).map_err(|_| End::Left)?;
    sent(socket, Frame::Text(text.into())).await
}

/// A console that takes nothing for as long as one that says nothing counts as gone.
async fn sent(socket: &mut WebSocket, frame: Frame) -> Result<(), End> {
    let within: Duration = SILENT;
    match timeout(within, socket.send(frame)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Left),
    }
}
