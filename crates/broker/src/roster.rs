//! What everybody in a session knows of each other: who is there, who watches and how well.

use std::time::Duration;

use serve::Millis;
use wire::{
    Pin, Side,
    screen::{Sharing, Watcher},
};

use crate::{
    config::Rates,
    error::Refused,
    keys,
    lines::{Seat, Sharer},
    rules::presence::{LineId, PageId},
    state::State,
    words::{Roster, ToPage},
};

/// Quality is told on no more often than this.
const QUALITY_TOLD_EVERY: Duration = Duration::from_secs(2);
/// What a viewer may claim at most: numbers for people, not for sums.
const SLOWEST_MS: u32 = 60_000;
const FASTEST_FPS: u16 = 1_000;

impl State {
    /// The presenter's program says what there is to see.
    pub fn share(&mut self, id: LineId, state: Sharing) -> Result<(), Refused> {
        let line = self.lines.get_mut(&id).ok_or(Refused::PinOver)?;
        match (&mut line.seat, state) {
            (Seat::Presenter(Some(sharer)), Sharing::Shared | Sharing::Paused) => {
                sharer.sharing = state;
            }
            (Seat::Presenter(_) | Seat::Companion | Seat::Viewer(_), _) => {
                return Err(Refused::malformed("only a program that shares a screen says so"));
            }
        }
        let pin = line.pin.clone();
        self.tell_roster(&pin);
        Ok(())
    }

    /// A viewer says how well the screen reaches it. What comes too often is passed over.
    pub fn judge_quality(
        &mut self,
        id: LineId,
        (latency_ms, fps): (u32, u16),
        rates: &Rates,
        now: Millis,
    ) -> Result<(), Refused> {
        let line = self.lines.get_mut(&id).ok_or(Refused::PinOver)?;
        let Seat::Viewer(viewer) = &mut line.seat else {
            return Err(Refused::malformed("only a viewer says this"));
        };
        if self.windows.signals.admit(&line.page, rates.signals, now).is_err() {
            return Ok(());
        }
        viewer.latency_ms = Some(latency_ms.min(SLOWEST_MS));
        viewer.fps = Some(fps.min(FASTEST_FPS));
        let pin = line.pin.clone();
        let Some(entry) = self.sessions.get_mut(&pin) else { return Err(Refused::PinOver) };
        if entry.quality_told.is_none_or(|told| now >= told.after(QUALITY_TOLD_EVERY)) {
            entry.quality_told = Some(now);
            self.tell_roster(&pin);
        }
        Ok(())
    }

    /// A viewer has saved a picture of the screen: the customer is told.
    pub fn saved_picture(&mut self, id: LineId, rates: &Rates, now: Millis) -> Result<(), Refused> {
        let line = self.lines.get(&id).ok_or(Refused::PinOver)?;
        let Seat::Viewer(_) = line.seat else {
            return Err(Refused::malformed("only a viewer says this"));
        };
        let wait = self.windows.signals.admit(&line.page, rates.signals, now);
        wait.map_err(|retry_after| Refused::TooMany { retry_after })?;
        let (pin, told) = (line.pin.clone(), ToPage::Snapshot { by: self.name_of(id) });
        self.tell_where(|line| line.pin == pin && !matches!(line.seat, Seat::Viewer(_)), &told);
        Ok(())
    }

    /// The name that a page gave itself.
    pub fn name_of(&self, id: LineId) -> String {
        let found = self.lines.get(&id).and_then(|line| {
            let presence = self.sessions.get(&line.pin)?.session.presence(line.seat.side()?);
            presence.here().find(|(.., line)| *line == id).map(|(_, name, _)| name.to_owned())
        });
        found.unwrap_or_default()
    }

    /// The program that shares a session's screen, and its line.
    pub fn sharer_of(&self, pin: &Pin) -> Option<(LineId, &Sharer)> {
        let presence = self.sessions.get(pin)?.session.presence(Side::Presenter);
        presence.here().find_map(|(.., id)| match &self.lines.get(&id)?.seat {
            Seat::Presenter(Some(sharer)) => Some((id, sharer)),
            Seat::Presenter(None) | Seat::Companion | Seat::Viewer(_) => None,
        })
    }

    /// Who is there, as pages are told it.
    pub fn roster(&self, pin: &Pin) -> Option<Roster> {
        let session = &self.sessions.get(pin)?.session;
        let names = |side| session.presence(side).names().map(str::to_owned);
        let watcher = |(page, name, line): (PageId, &str, LineId)| {
            let Seat::Viewer(viewer) = &self.lines.get(&line)?.seat else { return None };
            let stream = viewer.stream.and_then(|id| self.streams.joined(id));
            Some(Watcher {
                page: keys::public_half(page.0),
                name: name.to_owned(),
                role: viewer.role,
                watching: stream.is_some(),
                sealed: stream.is_some_and(|stream| stream.sealed),
                latency_ms: viewer.latency_ms.filter(|_| stream.is_some()),
                fps: viewer.fps.filter(|_| stream.is_some()),
            })
        };
        Some(Roster {
            presenter: names(Side::Presenter).next(),
            viewers: names(Side::Viewers).collect(),
            sharing: self.sharer_of(pin).map_or(Sharing::None, |(_, sharer)| sharer.sharing),
            watchers: session.presence(Side::Viewers).here().filter_map(watcher).collect(),
        })
    }

    /// Tells all pages of a session who is there.
    pub fn tell_roster(&mut self, pin: &Pin) {
        if let Some(roster) = self.roster(pin) {
            self.tell(pin, &ToPage::Presence { roster });
        }
    }
}
