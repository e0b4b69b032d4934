//! Events of one side that no hook has reported, of which the broker tells how many there were: the order in which they
//! are told, and which of them say only what was so.
//!
//! Invariant: each is told, and after the last that isn't overtaken the side is as the broker has it.

use crate::{Presenter, Timestamp, Viewers, time::is_later};

/// Whether a side is there, and since when it is so; no time where that was never told, or isn't known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    is_online: bool,
    since: Option<Timestamp>,
}

/// One event to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Telling {
    /// Whether somebody started; otherwise the side went offline.
    pub is_start: bool,
    /// Whether somebody was there already.
    pub again: bool,
    /// Whether something newer of the side is known.
    pub is_overtaken: bool,
}

impl From<Presenter> for Standing {
    fn from(presenter: Presenter) -> Self {
        match presenter {
            Presenter::Never | Presenter::Unknown { .. } => Self { is_online: false, since: None },
            Presenter::Online { since } => Self { is_online: true, since: Some(since) },
            Presenter::Offline { since } => Self { is_online: false, since: Some(since) },
        }
    }
}

impl From<Viewers> for Standing {
    fn from(viewers: Viewers) -> Self {
        match viewers {
            Viewers::Never | Viewers::Unknown { .. } => Self { is_online: false, since: None },
            Viewers::Some { since } => Self { is_online: true, since: Some(since) },
            Viewers::None { since, .. } => Self { is_online: false, since: Some(since) },
        }
    }
}

/// How so many starts and ends are told of a side that stood as `before` and stands as `now`.
pub(super) fn tellings(starts: u64, ends: u64, before: Standing, now: Standing) -> Vec<Telling> {
    let is_again = now.is_online && ends == 0;
    if is_told_already(before, now) && !is_again {
        // All of them happened before what brought the side to where it stands.
        return in_order(starts, ends, before_them(starts, ends), !now.is_online)
            .map(|(is_start, again)| Telling { is_start, again, is_overtaken: true })
            .collect();
    }
    let (mut starts_left, mut ends_left) = (starts, ends);
    // Where it isn't known whether the side was there, as few as can be contradict it.
    let was_online = before.is_online || (before.since.is_none() && before_them(starts, ends));
    in_order(starts, ends, was_online, now.is_online)
        .map(|(is_start, again)| {
            let left = if is_start { &mut starts_left } else { &mut ends_left };
            *left = left.saturating_sub(1);
            let contradicting = if is_start { ends_left } else { starts_left };
            Telling {
                is_start,
                again,
                is_overtaken: is_start != now.is_online || contradicting > 0,
            }
        })
        .collect()
}

/// Whether a newer hook has told already how the side stands now.
fn is_told_already(before: Standing, now: Standing) -> bool {
    let is_newer = match (before.since, now.since) {
        (Some(before), Some(now)) => is_later(before, now),
        (None, _) | (_, None) => true,
    };
    before.is_online == now.is_online && !is_newer
}

/// Whether the side was there before so many starts and ends, which nothing told: as few as can be contradict it.
const fn before_them(starts: u64, ends: u64) -> bool {
    ends > starts
}

/// An order of so many starts and ends that leads from one to the other, where there is one. Each with whether
/// somebody was there already.
fn in_order(
    mut starts: u64,
    mut ends: u64,
    mut is_online: bool,
    ends_online: bool,
) -> impl Iterator<Item = (bool, bool)> {
    std::iter::from_fn(move || {
        if starts == 0 && ends == 0 {
            return None;
        }
        // The last one is kept for the end.
        let leaves = if ends_online { is_online || starts == 1 } else { is_online && ends > 1 };
        let is_start = starts > 0 && (ends == 0 || !leaves);
        *(if is_start { &mut starts } else { &mut ends }) -= 1;
        let was_online = std::mem::replace(&mut is_online, is_start);
        Some((is_start, is_start && was_online))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_side_that_was_unknown_as_few_events_as_can_be_contradict_one_another() {
        let now = Standing { is_online: false, since: Some(Timestamp(9)) };
        let before = Presenter::Unknown { since: Timestamp(1) }.into();
        let told: Vec<_> = tellings(1, 2, before, now)
            .iter()
            .map(|telling| (telling.is_start, telling.is_overtaken))
            .collect();
        assert_eq!(told, [(false, true), (true, true), (false, false)]);
    }
}
