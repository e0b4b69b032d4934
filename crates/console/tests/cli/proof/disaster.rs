//! What happens to the console and to the broker, each time while webhooks and e-mails are under way.

use std::time::Duration;

use system_tests::chance::Chance;

/// The channel is known to be broken by then (10 s of silence).
const BREAKS_THE_CHANNEL: Duration = Duration::from_secs(20);

/// Whom a disaster befalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    Console,
    Broker,
    Both,
}

impl Whom {
    pub const fn console(self) -> bool {
        matches!(self, Self::Console | Self::Both)
    }

    pub const fn broker(self) -> bool {
        matches!(self, Self::Broker | Self::Both)
    }
}

#[derive(Debug, Clone, Copy)]
pub enum Disaster {
    /// Killed by SIGKILL.
    Kill(Whom),
    /// Ended in good order and started again.
    Restart(Whom),
    /// Stopped as by SIGSTOP, for so long.
    Stop(Whom, Duration),
    /// The console is killed and, after its start, refused the channel while everybody acts.
    WithoutChannel,
}

impl Disaster {
    pub const fn ends_broker(self) -> bool {
        matches!(self, Self::Kill(whom) | Self::Restart(whom) if whom.broker())
    }

    /// Whether the console is refused the channel for a while: it has lost that of a broker which was stopped so long.
    pub fn takes_channel(self) -> bool {
        match self {
            Self::WithoutChannel => true,
            Self::Stop(Whom::Broker, time) => time >= BREAKS_THE_CHANNEL,
            Self::Stop(Whom::Console | Whom::Both, _) | Self::Kill(_) | Self::Restart(_) => false,
        }
    }
}

/// Each kind of end once, in an order that the seed decides.
pub fn ends(chance: &mut Chance) -> Vec<Disaster> {
    let mut left = vec![
        Disaster::Kill(Whom::Console),
        Disaster::Kill(Whom::Broker),
        Disaster::Kill(Whom::Both),
        Disaster::Restart(Whom::Console),
        Disaster::Restart(Whom::Broker),
        Disaster::WithoutChannel,
    ];
    (0..left.len()).map(|_| left.swap_remove(chance.index(left.len()))).collect()
}
