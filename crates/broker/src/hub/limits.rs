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

/// How often things may be done.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// PINs minted by one client.
    pub mint: Rate,
    /// E-mails asked for by one client.
    pub mail_by_client: Rate,
    /// E-mails about one PIN.
    pub mail_by_pin: Rate,
    /// Chat messages of one page.
    pub chat: Rate,
    /// Unknown PINs asked for by one client. After that every PIN is refused for the rest of the window.
    pub guesses: Rate,
    /// From this many guesses on, each answer takes [`Rates::guess_delay`] longer than the last one.
    pub slow_after: usize,
    /// See [`Rates::slow_after`]. Measured by the machine's clock.
    pub guess_delay: Duration,
    /// Tests whether one client's listener can be reached.
    pub reach: Rate,
    /// Live connections of one client at once.
    pub connections_by_client: usize,
    /// Viewers of one session at once; each has one stream at most.
    pub viewers_by_pin: usize,
    /// Streams that one viewer's page asks for.
    pub streams: Rate,
    /// How often one viewer's page may report its quality or a picture that it saved.
    pub signals: Rate,
}

impl Rates {
    /// For a broker that strangers can reach.
    pub const fn network() -> Self {
        Self {
            mint: Rate::new(60, 600),
            mail_by_client: Rate::new(30, 3_600),
            mail_by_pin: Rate::new(10, 3_600),
            chat: Rate::new(20, 10),
            // Nobody mistypes a PIN that often, and of 17^9 possible ones nobody finds a live one at this pace.
            guesses: Rate::new(20, 900),
            slow_after: 5,
            guess_delay: Duration::from_millis(200),
            reach: Rate::new(6, 60),
            connections_by_client: 64,
            viewers_by_pin: 32,
            streams: Rate::new(30, 60),
            signals: Rate::new(20, 10),
        }
    }

    /// For the embedded broker's console, on this machine. Guessing is limited all the same.
    pub const fn embedded() -> Self {
        Self {
            mint: Rate::new(20_000, 60),
            mail_by_client: Rate::new(1_000, 3_600),
            mail_by_pin: Rate::new(60, 3_600),
            guesses: Rate::new(1_000, 60),
            slow_after: 200,
            reach: Rate::new(60, 60),
            connections_by_client: 4_096,
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
