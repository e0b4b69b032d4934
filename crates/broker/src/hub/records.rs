//! What outlives the broker's process: the changes that are written to the store, and what is read back from it.

use serve::{Millis, Owner};
use uuid::Uuid;
use wire::{HookType, Pin, Side, shared_screen::Requester};

use super::{
    abuse::Block,
    chat::Message,
    credential::KeyHash,
    customer::StoredCustomer,
    outbox::{Mail, MailState},
    session::Session,
    stored_presence::StoredPresence,
    tickets::Ticket,
};

/// One change to what the store holds.
#[derive(Debug)]
pub(crate) enum Write {
    Minted {
        pin: Pin,
        session: Box<Session>,
    },
    HookPut {
        pin: Pin,
        hook: HookType,
        url: String,
    },
    HookConsumed {
        pin: Pin,
        hook: HookType,
    },
    SideChanged {
        pin: Pin,
        side: Side,
        presence: StoredPresence,
        announced: bool,
    },
    CustomerChanged {
        pin: Pin,
        customer: StoredCustomer,
    },
    ConfGiven {
        pin: Pin,
        hash: KeyHash,
    },
    RequesterSet {
        pin: Pin,
        requester: Requester,
        unattended: bool,
    },
    TicketMade {
        hash: KeyHash,
        ticket: Ticket,
    },
    Revoked {
        pin: Pin,
    },
    /// Everything about a session, but that there was such a PIN, and that it is over.
    Deleted {
        pin: Pin,
    },
    ChatAdded {
        pin: Pin,
        message: Message,
    },
    Reported {
        minter: Owner,
        pin: Pin,
        reporter: Owner,
        at: Millis,
    },
    Blocked {
        owner: Owner,
        at: Millis,
    },
    BlockLifted {
        owner: Owner,
    },
    MailQueued {
        mail: Mail,
    },
    MailChanged {
        id: Uuid,
        state: MailState,
    },
    /// Forgets sessions that expired, and messages whose time was over, before these moments.
    Forget {
        sessions_before: Millis,
        messages_before: Millis,
    },
}

/// The state that was stored. Connections and streams are not part of it.
#[derive(Debug, Default)]
pub(crate) struct StoredState {
    pub sessions: Vec<(Pin, Session)>,
    pub messages: Vec<(Pin, Message)>,
    /// The number of each session's last chat message, also if that is forgotten.
    pub last_messages: Vec<(Pin, u64)>,
    /// Every revision of an earlier run is less than this.
    pub first_revision: u64,
    /// Minter, PIN and reporter of each.
    pub reports: Vec<(Owner, Pin, Owner)>,
    pub blocked: Vec<Block>,
    pub outbox: Vec<Mail>,
    pub tickets: Vec<(KeyHash, Ticket)>,
}
