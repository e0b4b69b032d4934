//! Presence over time, from the events. The end of each lane agrees with the stored facts.

use engine::journal::EventRecord;
use session::{PresenceChange, Presenter, Record, Timestamp, Viewers};
use wire::{HookType, Side};

use super::event;
use crate::view::{Dot, FactKind, Stretch, Timeline};

/// The swim lanes of a session.
pub fn view(record: &Record, happenings: &[EventRecord], setting: &super::Setting<'_>) -> Timeline {
    let mut presenter = Lane::default();
    let mut viewers = Lane::default();
    for EventRecord { at, event, .. } in happenings {
        match event.facts().hook().map(HookType::side) {
            Some(Side::Presenter) => presenter.told = *at,
            Some(Side::Viewers) => viewers.told = *at,
            None => {}
        }
        // A side is told to be offline only a while after it left.
        let left = event.facts().left().unwrap_or(*at);
        match event.facts().presence_change() {
            Some(PresenceChange::Reported(HookType::PresenterStarted)) => {
                presenter.begin(*at, FactKind::Online);
            }
            Some(PresenceChange::Reported(HookType::PresenterOffline)) => presenter.end(left),
            Some(PresenceChange::Reported(HookType::ViewerStarted)) => {
                viewers.begin(*at, FactKind::Online);
            }
            Some(PresenceChange::Reported(HookType::ViewerOffline)) => viewers.end(left),
            Some(PresenceChange::UnknownSince(since)) => {
                // An outage hides both sides: the hooks of either may have been missed.
                presenter.doubt(since);
                viewers.doubt(since);
            }
            Some(PresenceChange::Known { presenter: online, viewers: present }) => {
                presenter.known(*at, online);
                viewers.known(*at, present);
            }
            Some(PresenceChange::SessionOver) => {
                presenter.end(*at);
                viewers.end(*at);
            }
            None => {}
        }
    }
    if record.is_live() {
        agree(record, &mut presenter, &mut viewers);
    }
    let events = event::logged(happenings);
    let events = events.into_iter().map(|happening| dot(happening, record, setting)).collect();
    Timeline { presenter: presenter.stretches, viewers: viewers.stretches, events }
}

/// Makes the lanes of a live session agree with the stored facts. In an ended one no stretch is open.
fn agree(record: &Record, presenter: &mut Lane, viewers: &mut Lane) {
    presenter.agree(match record.presenter {
        Presenter::Never | Presenter::Offline { .. } => None,
        Presenter::Online { since } => Some((since, FactKind::Online)),
        Presenter::Unknown { since } => Some((since, FactKind::Unknown)),
    });
    viewers.agree(match record.viewers {
        Viewers::Never | Viewers::None { .. } => None,
        Viewers::Some { since } => Some((since, FactKind::Online)),
        Viewers::Unknown { since } => Some((since, FactKind::Unknown)),
    });
    // Whoever has left and may still come back isn't there, as the status has it.
    let observed = &record.observed;
    if let (Presenter::Online { .. }, Some(left)) = (record.presenter, observed.presenter_left) {
        presenter.end(left);
    }
    if let (Viewers::Some { .. }, Some(left)) = (record.viewers, observed.viewers_left) {
        viewers.end(left);
    }
}

fn dot(happening: &EventRecord, record: &Record, setting: &super::Setting<'_>) -> Dot {
    let text = event::line(happening, &record.by, setting).text;
    Dot { at: event::when(happening).0, side: event::side(&happening.event), text }
}

#[derive(Default)]
struct Lane {
    stretches: Vec<Stretch>,
    /// When something was last told of the side.
    told: Timestamp,
}

impl Lane {
    /// Begins a stretch at `at`, unless one of the same kind is open.
    fn begin(&mut self, at: Timestamp, is: FactKind) {
        if self.open().is_some_and(|open| open.is == is) {
            return;
        }
        self.end(at);
        self.stretches.push(Stretch { from: at.0, to: None, is });
    }

    /// What happened since then may have been missed: never before something was told of the side.
    fn doubt(&mut self, since: Timestamp) {
        self.begin(since.max(self.told), FactKind::Unknown);
    }

    fn end(&mut self, at: Timestamp) {
        if let Some(open) = self.open() {
            // The clock may have been set back.
            open.to = Some(at.0.max(open.from));
        }
    }

    /// The side is known to be there, or not to be, from `at` on.
    fn known(&mut self, at: Timestamp, is_there: bool) {
        self.told = at;
        if is_there { self.begin(at, FactKind::Online) } else { self.end(at) }
    }

    fn open(&mut self) -> Option<&mut Stretch> {
        self.stretches.last_mut().filter(|stretch| stretch.to.is_none())
    }

    /// Makes the end of the lane agree with the stored fact: one side may be unknown and
    /// the other not.
    fn agree(&mut self, fact: Option<(Timestamp, FactKind)>) {
        let open = self.open().map(|stretch| stretch.is);
        match (open, fact) {
            // Nobody was there before the outage, so nobody can have left unseen.
            (Some(FactKind::Unknown), None) => {
                self.stretches.pop();
            }
            (Some(FactKind::Unknown), Some((_, FactKind::Online))) => {
                self.stretches.pop();
                match self.stretches.last_mut() {
                    // Uninterrupted presence is one stretch, not two with a gap.
                    Some(before) if before.is == FactKind::Online => before.to = None,
                    Some(_) | None => self.reopen(fact),
                }
            }
            (None, Some(_)) => self.reopen(fact),
            // It was told late, when the side had gone already.
            (Some(_), None) => {
                self.stretches.pop();
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    fn reopen(&mut self, fact: Option<(Timestamp, FactKind)>) {
        if let Some((at, is)) = fact {
            self.begin(at, is);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(from: i64, to: Option<i64>, is: FactKind) -> Stretch {
        Stretch { from, to, is }
    }

    #[test]
    fn an_outage_is_a_stretch_of_its_own() {
        let mut lane = Lane::default();
        lane.begin(Timestamp(1), FactKind::Online);
        lane.begin(Timestamp(2), FactKind::Online);
        lane.begin(Timestamp(5), FactKind::Unknown);
        lane.begin(Timestamp(9), FactKind::Online);
        lane.end(Timestamp(12));
        assert_eq!(
            lane.stretches,
            [
                stretch(1, Some(5), FactKind::Online),
                stretch(5, Some(9), FactKind::Unknown),
                stretch(9, Some(12), FactKind::Online),
            ]
        );
    }

    #[test]
    fn doubt_begins_after_the_last_that_was_told_of_the_side() {
        let mut lane = Lane::default();
        lane.begin(Timestamp(1), FactKind::Online);
        lane.told = Timestamp(7);
        lane.doubt(Timestamp(5));
        lane.known(Timestamp(9), false);
        lane.doubt(Timestamp(8));
        let expected = [
            stretch(1, Some(7), FactKind::Online),
            stretch(7, Some(9), FactKind::Unknown),
            stretch(9, None, FactKind::Unknown),
        ];
        assert_eq!(lane.stretches, expected);
    }

    #[test]
    fn a_side_that_was_never_in_doubt_shows_no_doubt() {
        let mut lane = Lane::default();
        lane.begin(Timestamp(1), FactKind::Online);
        lane.begin(Timestamp(5), FactKind::Unknown);
        lane.agree(Some((Timestamp(1), FactKind::Online)));
        assert_eq!(lane.stretches, [stretch(1, None, FactKind::Online)]);
        let mut never = Lane::default();
        never.begin(Timestamp(5), FactKind::Unknown);
        never.agree(None);
        assert_eq!(never.stretches, []);
    }

    #[test]
    fn a_lane_ends_when_somebody_left_before_they_count_as_offline_and_after() {
        let setting = super::super::Setting {
            now: Timestamp(90),
            zone: &jiff::tz::TimeZone::UTC,
            dated: false,
        };
        let mut record =
            session::State::new(session::About::default(), "Anna".into(), Timestamp(0)).record;
        record.life = session::Life::Live(session::state::Allocation {
            region: "us-east-1".parse().unwrap(),
            at: Timestamp(0),
            expires: Timestamp(1_000),
        });
        let mut happenings = Vec::new();
        let tell = |happenings: &mut Vec<EventRecord>, at, event: session::PresenceEvent| {
            let (session, seq) = (engine::SessionId::from_bytes([0; 16]), 1);
            happenings.push(EventRecord { seq, session, at: Timestamp(at), event: event.into() });
        };
        use session::PresenceEvent as Told;
        tell(&mut happenings, 5, Told::PresenterOnline { again: false, overtaken: None });
        tell(&mut happenings, 6, Told::ViewerJoined { again: false, overtaken: None });
        record.presenter = Presenter::Online { since: Timestamp(5) };
        record.viewers = Viewers::Some { since: Timestamp(6) };
        record.observed.presenter_left = Some(Timestamp(20));
        record.observed.viewers_left = Some(Timestamp(30));
        let ends = |record: &Record, happenings: &[EventRecord]| {
            let Timeline { presenter, viewers, .. } = view(record, happenings, &setting);
            (presenter, viewers)
        };
        let expected = (
            vec![stretch(5, Some(20), FactKind::Online)],
            vec![stretch(6, Some(30), FactKind::Online)],
        );
        assert_eq!(ends(&record, &happenings), expected);
        record.presenter = Presenter::Offline { since: Timestamp(80) };
        record.viewers = Viewers::None { since: Timestamp(90), reopened: false };
        record.observed.presenter_left = None;
        record.observed.viewers_left = None;
        let left = |at| Some(Timestamp(at));
        tell(&mut happenings, 80, Told::PresenterOffline { overtaken: None, left: left(20) });
        tell(&mut happenings, 90, Told::ViewersGone { overtaken: None, left: left(30) });
        assert_eq!(ends(&record, &happenings), expected);
    }
}
