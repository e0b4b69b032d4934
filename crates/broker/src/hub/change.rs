//! The outcome of a decision: rows to write, notices to send at once, and effects to carry out once the rows are
//! on disk.

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

/// Everything that follows from one decision.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// Goes to disk, in the order of the decisions.
    pub writes: Vec<Write>,
    /// Sent at once, before the next decision, so that nobody learns of two changes in the wrong order.
    pub notices: Vec<Notice>,
    /// Done once the writes are on disk, so that no crash can make it happen twice.
    pub effects: Vec<Effect>,
    /// The sessions of which consoles are told once the writes are on disk, or could not be written.
    pub changed: Vec<Pin>,
    /// The next deadline may have changed, so the timer has to look again.
    pub reschedules: bool,
}

/// A message for a socket, or its end.
#[derive(Debug)]
pub(crate) enum Notice {
    /// Sends a message to a connection.
    Send { to: ConnectionId, message: ServerMessage },
    /// Sends a connection its last message and closes it.
    HangUp { connection: ConnectionId, message: ServerMessage },
    /// Ends a stream at both of its ends.
    EndStream { stream: StreamId, why: StreamEnd },
}

/// Something that is done only once a change is on disk.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Deliver a consumed hook.
    Deliver(HookDelivery),
    /// Send the roster to all pages of a session, as it is by then.
    SendRoster(Pin),
    /// Send a chat message to all pages of a session.
    SendChat(Pin, Message),
    /// Send an e-mail.
    SendMail(Mail),
}

impl Change {
    /// A change that only writes a row.
    pub fn with_write(write: Write) -> Self {
        Self { writes: vec![write], ..Self::default() }
    }

    /// A change of one session that consoles are told of.
    pub fn of_session(pin: &Pin, write: Write) -> Self {
        Self { changed: vec![pin.clone()], ..Self::with_write(write) }
    }

    /// A change that only sends notices.
    pub fn with_notices(notices: Vec<Notice>) -> Self {
        Self { notices, ..Self::default() }
    }

    /// Adds the consumption of a hook to the rows, and its delivery to the effects.
    pub fn add_fired(&mut self, pin: &Pin, session: &Session, fired: Option<FiredHook>) {
        if let Some(fired) = fired {
            self.writes.push(Write::HookConsumed { pin: pin.clone(), hook: fired.hook });
            let delivery = HookDelivery {
                pin: pin.clone(),
                fired,
                minter: session.minter,
                console: session.console,
                // Known once the whole change is: `Hub::stamp` fills it in.
                revision: 0,
            };
            self.effects.push(Effect::Deliver(delivery));
        }
    }

    /// Adds the presence of one side to the rows.
    pub fn add_presence(&mut self, pin: &Pin, session: &Session, side: Side) {
        let presence = session.presence(side).to_stored();
        let announced = session.announced(side);
        self.writes.push(Write::SideChanged { pin: pin.clone(), side, presence, announced });
        self.changed.push(pin.clone());
    }

    /// Adds to the rows how far the customer has come.
    pub fn add_customer(&mut self, pin: &Pin, session: &Session) {
        let customer = session.customer.to_stored();
        self.writes.push(Write::CustomerChanged { pin: pin.clone(), customer });
        self.changed.push(pin.clone());
    }
}
