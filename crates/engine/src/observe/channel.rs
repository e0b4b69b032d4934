//! One open channel: which sessions are followed on it, and where what comes by it goes.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use session::{Input, SavedChat, Timestamp};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at},
};
use wire::{
    Pin, Side,
    loginwithme::ChatMessage,
    session_events::{Follow, FromConsole, NumberedMessage, SessionFacts, ToConsole},
};

use super::facts::observation;
use crate::{
    SessionId,
    actor::message::SessionMessage,
    archive::Writer,
    bus::Snapshot,
    clock::now,
    context::Context,
    perform::archive_chat,
    remote::{EventChannel, Received},
};

/// How often the broker is asked for a sign of life...
const PING: Duration = Duration::from_secs(4);
/// ...and how long it may be silent before the channel counts as broken.
const SILENCE: Duration = Duration::from_secs(10);
/// So many sessions at most are named in one message.
const A_MESSAGE: usize = 256;
/// Before chat that could not be archived is asked for again.
const CHAT_RETRY: Duration = Duration::from_secs(5);

/// The sessions that are followed on one channel.
pub(super) struct Followed<S> {
    context: Arc<Context>,
    channel: EventChannel<S>,
    pins: HashMap<SessionId, Pin>,
    sessions: HashMap<String, SessionId>,
    chat: mpsc::UnboundedSender<ArrivedChat>,
    last_heard: (Timestamp, Instant),
    /// When the broker was last heard on an earlier channel.
    known_until: Option<Timestamp>,
}

/// Messages of one session on their way to the archive.
struct ArrivedChat {
    session: SessionId,
    messages: Vec<NumberedMessage>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Followed<S> {
    pub fn new(
        context: Arc<Context>,
        channel: EventChannel<S>,
        known_until: Option<Timestamp>,
    ) -> Self {
        let (chat, arrived) = mpsc::unbounded_channel();
        // In a task of its own: a slow archive must not hold up the states. It ends with the channel.
        context.watch.tasks.spawn(save_chat(context.clone(), arrived));
        let last_heard = (now(), Instant::now());
        let (pins, sessions) = (HashMap::new(), HashMap::new());
        Self { context, channel, pins, sessions, chat, last_heard, known_until }
    }

    /// Follows all live sessions until the channel breaks or the engine stops; returns when the broker was last heard.
    pub async fn run(mut self) -> Timestamp {
        let context = self.context.clone();
        let mut subscription = context.bus.subscribe();
        let mut ping = interval_at(Instant::now() + PING, PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let open = tokio::select! {
                heard = self.channel.next() => self.hear_if_open(heard),
                changes = subscription.changed() => self.keep_up(&changes.snapshots).await,
                asked = context.state_requests.asked() => self.ask(&asked).await,
                _ = ping.tick() => self.is_alive() && self.channel.ping().await,
                () = context.watch.stopping.cancelled() => false,
            };
            if !open {
                break;
            }
        }
        let last_heard = self.last_heard.0;
        self.channel.close().await;
        last_heard
    }

    /// Follows sessions that are new and leaves those that are over.
    async fn keep_up(&mut self, changed: &[Arc<Snapshot>]) -> bool {
        let (mut new, mut over) = (Vec::new(), Vec::new());
        for snapshot in changed {
            let pin = snapshot.pin.as_ref().filter(|_| snapshot.record.is_live());
            match (pin, self.pins.get(&snapshot.id)) {
                (Some(pin), known) if known != Some(pin) => {
                    self.sessions.insert(pin.expose().to_owned(), snapshot.id);
                    self.pins.insert(snapshot.id, pin.clone());
                    new.push(follow(pin, snapshot));
                }
                (None, Some(_)) => over.extend(self.forget(snapshot.id)),
                (Some(_), _) | (None, None) => {}
            }
        }
        let unfollow =
            over.iter().map(|pin: &Pin| pin.expose().to_owned().into()).collect::<Vec<_>>();
        let unfollow = FromConsole::Unfollow { session_pins: unfollow };
        self.follow(new).await && (over.is_empty() || self.channel.send(&unfollow).await)
    }

    /// Asks for the present state of sessions that are followed already.
    async fn ask(&mut self, asked: &HashSet<SessionId>) -> bool {
        let again = asked.iter().filter_map(|id| {
            let snapshot = self.context.bus.latest(*id)?;
            self.pins.get(id).map(|pin| follow(pin, &snapshot))
        });
        let again = again.collect();
        self.follow(again).await
    }

    async fn follow(&mut self, mut sessions: Vec<Follow>) -> bool {
        while !sessions.is_empty() {
            let rest = sessions.split_off(sessions.len().min(A_MESSAGE));
            if !self.channel.send(&FromConsole::Follow { sessions }).await {
                return false;
            }
            sessions = rest;
        }
        true
    }

    fn forget(&mut self, id: SessionId) -> Option<Pin> {
        let pin = self.pins.remove(&id)?;
        self.sessions.remove(pin.expose());
        Some(pin)
    }

    /// Whether the broker was heard lately. What it said comes before the clock: after time that passed without this
    /// program both are there at once, and a broker whose words wait was not silent.
    fn is_alive(&mut self) -> bool {
        let is_open = match self.channel.waiting() {
            Some(heard) => self.hear_if_open(heard),
            None => true,
        };
        is_open && self.last_heard.1.elapsed() < SILENCE
    }

    /// Takes in what came; false if it was the channel's end.
    fn hear_if_open(&mut self, heard: Option<Received>) -> bool {
        let is_open = heard.is_some();
        if let Some(heard) = heard {
            self.hear(heard);
        }
        is_open
    }

    fn hear(&mut self, heard: Received) {
        // It may have waited while this program was stopped: the sessions are told of that first.
        self.context.look();
        self.last_heard = (now(), Instant::now());
        let Received::Said(message) = heard else { return };
        match message {
            ToConsole::State(facts) => self.tell_state(&facts),
            ToConsole::Chat { session_pin, messages } => {
                if let Some(&session) = self.sessions.get(session_pin.expose()) {
                    // Its receiver lives as long as this.
                    let _ = self.chat.send(ArrivedChat { session, messages });
                }
            }
            ToConsole::Unknown { session_pin } => {
                if let Some(&session) = self.sessions.get(session_pin.expose()) {
                    let unknown_since = self.unknown_since(session);
                    self.tell(session, Input::Unobserved { unknown_since });
                }
            }
        }
    }

    /// Since when nothing is known of a session that the broker doesn't know; none where its hooks tell.
    fn unknown_since(&self, session: SessionId) -> Option<Timestamp> {
        // Otherwise it was minted before this console had its key, or by another one.
        let was_told = self.context.bus.latest(session)?.record.observed.revision > 0;
        // The broker has forgotten it, so its hooks are gone as well.
        was_told.then(|| self.known_until.unwrap_or(self.last_heard.0))
    }

    fn tell_state(&self, facts: &SessionFacts) {
        if let Some(&session) = self.sessions.get(facts.session_pin.expose()) {
            let seen = observation(facts, self.last_heard.0);
            self.tell(session, Input::Observed(Box::new(seen)));
        }
    }

    fn tell(&self, session: SessionId, input: Input) {
        if let Some(actor) = self.context.actor(session) {
            // One that just died asks for its state when it starts again.
            let _ = actor.cast(SessionMessage::Input(input));
        }
    }
}

fn follow(pin: &Pin, snapshot: &Snapshot) -> Follow {
    let observed = &snapshot.record.observed;
    Follow {
        session_pin: pin.expose().to_owned().into(),
        chat_after: observed.chat_number,
        chat_after_guid: observed.chat_guid.clone(),
    }
}

/// Archives chat in the order of its arrival, until the channel is gone and all of it is archived.
async fn save_chat(context: Arc<Context>, mut arrived: mpsc::UnboundedReceiver<ArrivedChat>) {
    while let Some(ArrivedChat { session, messages }) = arrived.recv().await {
        let last = messages.last().map(|message| (message.number, message.guid.clone()));
        let messages = messages.into_iter().map(message).collect();
        let input = match archive_chat(&context, session, messages).await {
            Ok(saved) => Input::ChatSaved(SavedChat { last, ..saved }),
            Err(failure) => {
                let again = tokio::time::sleep(CHAT_RETRY);
                let _ = context.watch.stopping.run_until_cancelled(again).await;
                context.state_requests.ask(session);
                Input::ChatFailed { failure, transcript: false }
            }
        };
        if let Some(actor) = context.actor(session) {
            let _ = actor.cast(SessionMessage::Input(input));
        }
    }
}

fn message(message: NumberedMessage) -> (ChatMessage, Option<Writer>) {
    let NumberedMessage { number: _, guid, timestamp, subject, body, side, by_console } = message;
    let writer = match side {
        Some(Side::Presenter) => Some(Writer::Customer),
        // Some other viewer wrote the rest, whatever name they took.
        Some(Side::Viewers) | None => by_console.then_some(Writer::Console),
    };
    (ChatMessage { guid, ttl: 0, timestamp, subject, body }, writer)
}
