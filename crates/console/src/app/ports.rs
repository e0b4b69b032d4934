//! The ports of the last run, so that links and hooks survive a restart.

use std::{fs, path::Path};

use serde::{Deserialize, Serialize};

use super::standing_troubles::StandingTroubles;
use crate::view::{Code, Trouble};

/// The file within the data folder.
pub(crate) const PORTS_FILE: &str = "ports.json";

/// The ports of the last run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Ports {
    pub listener: Option<u16>,
    pub broker: Option<u16>,
    /// The port at which the broker admits customers on this network.
    pub network: Option<u16>,
    pub sandbox_logintc: Option<u16>,
    pub sandbox_rocketchat: Option<u16>,
    pub sandbox_passwordless: Option<u16>,
}

impl Ports {
    /// The ports of the last run; none if the file is missing or damaged, since any port
    /// will do then.
    pub fn read(data: &Path) -> Self {
        let text = fs::read(data.join(PORTS_FILE)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Stores the ports for the next start; a failure stands as a trouble.
    pub fn remember(self, data: &Path, standing: &StandingTroubles) {
        if let Err(error) = self.write(data) {
            standing.add(Trouble {
                code: Code::FreeSpace,
                text: format!("Remember the ports for the next start: {error}."),
                remedy: "Free some space and check the data folder's permissions.".into(),
            });
        }
    }

    pub fn write(self, data: &Path) -> std::io::Result<()> {
        if Self::read(data) == self {
            return Ok(());
        }
        let text = serde_json::to_vec(&self).unwrap_or_default();
        crate::settings::replace(&data.join(PORTS_FILE), &text)
    }
}

/// The port to take: `asked` as a person set it, and no other; 0 means the one of the last run, `last`,
/// or any.
///
/// `promised`: others were given the last run's port, so no other will do.
pub(super) fn choose(asked: u16, last: Option<u16>, promised: bool) -> serve::Port {
    match (asked, last) {
        (0, None) => serve::Port::Any,
        (0, Some(last)) if promised => serve::Port::Exactly(last),
        (0, Some(last)) => serve::Port::Remembered(last),
        (asked, _) => serve::Port::Exactly(asked),
    }
}

#[cfg(test)]
mod tests {
    use serve::Port;

    use super::*;

    #[test]
    fn the_port_of_last_time_is_tried_first_and_is_a_must_where_it_was_promised() {
        assert_eq!(choose(0, None, true), Port::Any);
        assert_eq!(choose(0, Some(7), false), Port::Remembered(7));
        assert_eq!(choose(0, Some(7), true), Port::Exactly(7));
        assert_eq!(choose(9, Some(7), false), Port::Exactly(9), "a person asked for it");
        assert_eq!(choose(9, Some(7), true), Port::Exactly(9));
    }

    #[test]
    fn remembers_ports_and_forgives_a_damaged_file() {
        let data = tempfile::tempdir().unwrap();
        let ports =
            Ports { listener: Some(1), broker: Some(2), network: Some(3), ..Ports::default() };
        ports.write(data.path()).unwrap();
        assert_eq!(Ports::read(data.path()), ports);
        fs::write(data.path().join(PORTS_FILE), "garbage").unwrap();
        assert_eq!(Ports::read(data.path()), Ports::default());
    }
}
