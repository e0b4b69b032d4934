//! What a decision asks others to do: what to write, what to tell at once, and what to do once it is on disk.

use wire::Pin;

use super::{
    chat::Message,
    hooks::{FiredHook, HookDelivery},
    messages::ServerMessage,
    outbox::Mail,
    presence::ConnectionId,
    records::Write,
    session::Session,
    streams::{StreamEnd, StreamId},
};
use wire::Side;

/// What one decision asks for.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// Goes to disk, in the order of the decisions.
    pub writes: Vec<Write>,
    /// Carried out at once, before anybody else decides: so nobody hears of two changes in the wrong order.
    pub notices: Vec<Notice>,
    /// Done once the writes are on disk, so that no crash can make it happen twice.
    pub effects: Vec<Effect>,
    /// What falls due next may have changed.
    pub reschedules: bool,
}

/// What goes to a socket.
#[derive(Debug)]
pub(crate) enum Notice {
    /// Tells a connection something.
    Send { to: ConnectionId, message: ServerMessage },
    /// Tells a connection one last thing and closes it.
    HangUp { connection: ConnectionId, message: ServerMessage },
    /// Ends a stream at both of its ends.
    EndStream { stream: StreamId, why: StreamEnd },
}

/// What has to be done once a change is on disk.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Deliver a consumed hook.
    Deliver(HookDelivery),
    /// Tell all pages of a session who is there by then.
    SendRoster(Pin),
    /// Show a chat message to all pages of a session.
    SendChat(Pin, Message),
    /// Send an e-mail.
    SendMail(Mail),
}

impl Change {
    /// A change that is only written down.
    pub fn with_write(write: Write) -> Self {
        Self { writes: vec![write], ..Self::default() }
    }

    /// A change that is only told.
    pub fn with_notices(notices: Vec<Notice>) -> Self {
        Self { notices, ..Self::default() }
    }

    /// Writes down that a hook was consumed, and has it delivered after that.
    pub fn add_fired(&mut self, pin: &Pin, session: &Session, fired: Option<FiredHook>) {
        if let Some(fired) = fired {
            self.writes.push(Write::HookConsumed { pin: pin.clone(), hook: fired.hook });
            let delivery = HookDelivery { pin: pin.clone(), fired, minter: session.minter };
            self.effects.push(Effect::Deliver(delivery));
        }
    }

    /// Writes down who is there on one side.
    pub fn add_presence(&mut self, pin: &Pin, session: &Session, side: Side) {
        let presence = session.presence(side).to_stored();
        let announced = session.announced(side);
        self.writes.push(Write::SideChanged { pin: pin.clone(), side, presence, announced });
    }
}
