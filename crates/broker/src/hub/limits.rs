//! How long things last and how often they may be done, by where a client comes from.

use std::time::Duration;

use serve::Client;
use wire::Region;

use super::{rates::Rate, target::TargetPolicy};

/// What the hub's decisions depend on beside its state.
#[derive(Debug, Clone)]
pub(crate) struct HubSettings {
    pub regions: Vec<Region>,
    pub durations: Durations,
    pub rates: ByClient<Rates>,
    pub hook_targets: ByClient<TargetPolicy>,
    pub allow_unattended: bool,
    /// E-mails are sent; otherwise they stay in the outbox.
    pub sends_mail: bool,
}

/// One value for clients on this machine, another for all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByClient<T> {
    /// For clients on this machine.
    pub local: T,
    /// For all others.
    pub remote: T,
}

impl<T> ByClient<T> {
    /// The value for this client.
    pub const fn for_client(&self, client: Client) -> &T {
        if client.is_this_machine() { &self.local } else { &self.remote }
    }
}

impl<T: Copy> From<T> for ByClient<T> {
    fn from(same: T) -> Self {
        Self { local: same, remote: same }
    }
}

/// How long things last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durations {
    /// A side is offline once it was away for *more than* this.
    pub offline_grace: Duration,
    /// How long a PIN can be used.
    pub pin_life: Duration,
    /// How long a chat message can be fetched.
    pub chat_life: Duration,
    /// How long a hook's receiver has to answer. Measured by the machine's clock, not by the broker's.
    pub hook_timeout: Duration,
    /// How long the presenter's program has to dial a stream that a viewer waits for.
    pub dial: Duration,
    /// A stream that carried nothing in either direction for this long is ended.
    pub stream_idle: Duration,
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            offline_grace: Duration::from_secs(60),
            pin_life: Duration::from_secs(86_400),
            chat_life: Duration::from_secs(86_400),
            hook_timeout: Duration::from_secs(5),
            dial: Duration::from_secs(10),
            stream_idle: Duration::from_secs(1_800),
        }
    }
}

/// How often things may be done. An IPv4 address is an owner by itself, and has all that an owner has.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// PINs minted by one client. All addresses of its owner ([`Owner`](serve::Owner)) may do `OWNERS_SHARE` times as much.
    pub mint: Rate,
    /// E-mails asked for by one owner.
    pub mail_by_client: Rate,
    /// E-mails about one PIN.
    pub mail_by_pin: Rate,
    /// E-mails to one recipient.
    pub mail_by_recipient: Rate,
    /// E-mails of all strangers together, and of this machine.
    pub mail_in_all: Rate,
    /// Sessions that are kept at once of all strangers together, and of this machine: those whose PIN works, and those
    /// that are remembered for a while after that. One stranger has a quarter of them, one IPv6 /32 half.
    pub sessions_in_all: usize,
    /// Chat messages on one connection. All connections of one client may do four times as much, and all those of its
    /// owner four times as much as a client; so it is with everything on connections.
    pub chat: Rate,
    /// Unknown PINs asked for by one client, an IPv4 address or an IPv6 /64. After that every PIN is refused for the rest
    /// of the window. All addresses of an IPv6 /48 have `GUESSERS_SHARE` times as many.
    pub guesses: Rate,
    /// Unknown PINs asked for by all strangers together. After that each one costs its owner a pause
    /// ([`Rates::guess_pause`]), and an owner without one notices nothing.
    pub guesses_in_all: Rate,
    /// See [`Rates::guesses_in_all`]: the first pause, four times as long after each further guess.
    pub guess_pause: Duration,
    /// From this many guesses on, each answer takes [`Rates::guess_delay`] longer than the last one.
    pub slow_after: usize,
    /// See [`Rates::slow_after`]. Measured by the machine's clock.
    pub guess_delay: Duration,
    /// Tests whether one client's listener can be reached. All addresses of its owner may have `OWNERS_SHARE` times as many.
    pub reach: Rate,
    /// Programs that one client is sent: each is some megabytes. All addresses of its owner may have `OWNERS_SHARE` times
    /// as many.
    pub downloads: Rate,
    /// Chats that one client is given whole. All addresses of its owner may have `OWNERS_SHARE` times as many.
    pub transcripts: Rate,
    /// Reports of abuse by one owner.
    pub reports: Rate,
    /// Live connections of one client at once; four times as many of its owner.
    pub connections_by_client: usize,
    /// Live connections that one client begins.
    pub joins: Rate,
    /// Viewers of one session at once; each has one stream at most.
    pub viewers_by_pin: usize,
    /// Streams that one viewer asks for on one live connection.
    pub streams: Rate,
    /// How often one connection may report its quality, a picture that it saved, another name or a pause.
    pub signals: Rate,
}

/// How many times as much as one client all addresses of its owner may do together.
pub const OWNERS_SHARE: usize = 4;
/// As [`OWNERS_SHARE`], of guesses.
pub const GUESSERS_SHARE: usize = 3;

impl Rates {
    /// For a broker that strangers can reach.
    pub const fn network() -> Self {
        Self {
            mint: Rate::new(60, 600),
            // 1.4 KiB each, without their chats.
            sessions_in_all: 160_000,
            mail_by_client: Rate::new(30, 3_600),
            mail_by_pin: Rate::new(10, 3_600),
            mail_by_recipient: Rate::new(6, 3_600),
            mail_in_all: Rate::new(300, 3_600),
            chat: Rate::new(20, 10),
            // Nobody mistypes a PIN that often, and of 17^9 possible ones nobody finds a live one at this pace.
            guesses: Rate::new(20, 900),
            // As many as customers of a large help desk mistype in that time.
            guesses_in_all: Rate::new(300, 900),
            guess_pause: Duration::from_secs(10),
            slow_after: 5,
            guess_delay: Duration::from_millis(200),
            reach: Rate::new(6, 60),
            downloads: Rate::new(120, 600),
            // A console asks for each session on a screen every 2 s: so many that an office with 80 of them meets no end.
            transcripts: Rate::new(2_400, 60),
            reports: Rate::new(20, 3_600),
            connections_by_client: 64,
            // All of them, three times a minute: as when everybody comes back after a restart.
            joins: Rate::new(192, 60),
            viewers_by_pin: wire::shared_screen::MOST_VIEWERS,
            streams: Rate::new(30, 60),
            signals: Rate::new(20, 10),
        }
    }

    /// For the embedded broker's console, on this machine. Guessing is limited all the same.
    pub const fn embedded() -> Self {
        Self {
            mint: Rate::new(20_000, 60),
            sessions_in_all: 1_000_000,
            mail_by_client: Rate::new(1_000, 3_600),
            mail_by_pin: Rate::new(60, 3_600),
            mail_by_recipient: Rate::new(60, 3_600),
            mail_in_all: Rate::new(1_000, 3_600),
            guesses: Rate::new(1_000, 60),
            guesses_in_all: Rate::new(10_000, 60),
            slow_after: 200,
            reach: Rate::new(60, 60),
            downloads: Rate::new(10_000, 60),
            transcripts: Rate::new(200_000, 60),
            reports: Rate::new(1_000, 3_600),
            connections_by_client: 4_096,
            joins: Rate::new(20_000, 60),
            ..Self::network()
        }
    }
}

#[cfg(test)]
impl Default for HubSettings {
    fn default() -> Self {
        Self {
            regions: Vec::new(),
            durations: Durations::default(),
            rates: Rates::network().into(),
            hook_targets: TargetPolicy::default().into(),
            allow_unattended: false,
            sends_mail: false,
        }
    }
}
