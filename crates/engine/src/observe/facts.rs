//! The broker's words as the session machine takes them: how long ago something was becomes when it was.

use std::{collections::HashSet, time::Duration};

use session::{
    Arrival, Incident, LiveFacts, Observation, ObservedSide, Participant, Timestamp,
    text::{plain, plain_name},
};
use wire::{
    session_events::{self as wire_events, MailFacts, SessionFacts, SideFacts},
    shared_screen::{MOST_VIEWERS, WaitingViewer},
};

/// The longest words of a mail server that are kept, in characters.
const LONGEST_REASON: usize = 500;
/// The longest identity of an incident or a run that is kept, in characters.
const LONGEST_ID: usize = 64;
/// So many participants are shown.
const MOST_PARTICIPANTS: usize = 256;
/// The most bytes in each text of a viewer that waits.
const LONGEST_WAITING: usize = 256;
/// So many mails of a session are followed, the newest.
const MOST_MAILS: usize = 256;

/// The facts as of `now`, when they arrived.
pub(super) fn observation(facts: &SessionFacts, now: Timestamp) -> Observation {
    Observation {
        revision: facts.revision,
        run: facts.run.as_deref().map(|run| plain(run, LONGEST_ID)),
        life: facts.life,
        expires: facts.expires_in_ms.map(|ms| now.plus(Duration::from_millis(ms))),
        arrival: arrival(facts.arrival, now),
        presenter: side(facts.presenter, now),
        viewers: side(facts.viewers, now),
        reopened: facts.reopened,
        happened: facts.happened,
        happened_at: facts.happened_ms.map(|ms| ms.map(|ms| ago(now, ms))),
        mails: mails(facts),
        facts: live(facts, now),
        other_program: facts
            .other_program_ms
            .map(|ms| incident(ago(now, ms), facts.other_program_id.as_deref())),
        sharing_end: facts
            .sharing_end
            .as_ref()
            .map(|end| (end.why, incident(ago(now, end.ago_ms), end.id.as_deref()))),
        under_way: facts.under_way,
    }
}

fn incident(at: Timestamp, id: Option<&str>) -> Incident {
    Incident { at, id: id.map(|id| plain(id, LONGEST_ID)) }
}

fn live(facts: &SessionFacts, now: Timestamp) -> LiveFacts {
    let participants = facts.participants.iter().take(MOST_PARTICIPANTS);
    let participants = participants.map(|one| Participant {
        side: one.side,
        page: one.page.clone(),
        name: plain_name(&one.name),
        role: one.role,
        since: ago(now, one.for_ms),
        watching: one.watching,
        sealed: one.sealed,
        platform: one.platform.clone(),
    });
    LiveFacts {
        sharing: facts.sharing,
        participants: participants.collect(),
        waiting: waiting(&facts.waiting),
    }
}

/// The viewers that wait, each once: two streams of one viewer wait for one answer.
fn waiting(told: &[WaitingViewer]) -> Vec<WaitingViewer> {
    let mut seen = HashSet::new();
    let once = told.iter().filter(|one| is_short(one) && seen.insert(&one.challenge));
    once.take(MOST_VIEWERS).cloned().collect()
}

/// Whether a viewer that waits is one that a broker of ours would tell of.
fn is_short(one: &WaitingViewer) -> bool {
    [&one.challenge, &one.page, &one.name].into_iter().all(|text| text.len() <= LONGEST_WAITING)
}

/// The mails, without the PIN: a mail server that refuses a mail may repeat the mail's text, which has the link.
fn mails(facts: &SessionFacts) -> Vec<MailFacts> {
    let pin = facts.session_pin.expose();
    let told = facts.mails.iter().skip(facts.mails.len().saturating_sub(MOST_MAILS));
    let cleaned = told.map(|mail| MailFacts {
        id: mail.id.clone(),
        state: mail.state,
        reason: mail.reason.as_ref().map(|reason| plain(&without(reason, pin), LONGEST_REASON)),
    });
    cleaned.collect()
}

/// `text` without `pin`, in either case and with or without its dashes.
fn without(text: &str, pin: &str) -> String {
    let bare = pin.replace('-', "");
    let mut text = text.to_owned();
    for secret in [pin, bare.as_str()] {
        // Upper case in ASCII keeps every place.
        while let Some(at) = text.to_ascii_uppercase().find(secret) {
            text.replace_range(at..at + secret.len(), "(PIN)");
        }
    }
    text
}

fn arrival(arrival: wire_events::Arrival, now: Timestamp) -> Arrival {
    use wire_events::Arrival as Told;
    match arrival {
        Told::Nothing => Arrival::Nothing,
        Told::PageOpen { for_ms } => Arrival::PageOpen { since: ago(now, for_ms) },
        Told::PageClosed { for_ms } => Arrival::PageClosed { since: ago(now, for_ms) },
        Told::Downloaded { for_ms, page_open: _ } => {
            Arrival::Downloaded { since: ago(now, for_ms) }
        }
        Told::Asked { for_ms } => Arrival::Asked { since: ago(now, for_ms) },
        Told::Declined { for_ms } => Arrival::Declined { since: ago(now, for_ms) },
        Told::Agreed { for_ms } => Arrival::Agreed { since: ago(now, for_ms) },
    }
}

fn side(side: SideFacts, now: Timestamp) -> ObservedSide {
    match side {
        SideFacts::Never => ObservedSide::Never,
        SideFacts::Online { for_ms } => ObservedSide::Online { since: ago(now, for_ms) },
        SideFacts::Leaving { for_ms } => ObservedSide::Leaving { since: ago(now, for_ms) },
        SideFacts::Offline { for_ms } => ObservedSide::Offline { since: ago(now, for_ms) },
    }
}

fn ago(now: Timestamp, for_ms: u64) -> Timestamp {
    let ms = i64::try_from(Duration::from_millis(for_ms).as_millis()).unwrap_or(i64::MAX);
    Timestamp(now.0.saturating_sub(ms))
}

#[cfg(test)]
mod tests {
    use wire::shared_screen::Role;

    use super::*;

    #[test]
    fn a_mail_servers_words_are_one_line_without_the_pin() {
        let words = "554 http://x/join#7w2-97-8570 and\r\n7W2978570 are\u{202E} blocked";
        let clean = plain(&without(words, "7W2-97-8570"), LONGEST_REASON);
        assert_eq!(clean, "554 http://x/join#(PIN) and (PIN) are blocked");
    }

    #[test]
    fn a_viewer_that_is_told_of_twice_waits_once() {
        let viewer = |challenge: &str| WaitingViewer {
            challenge: challenge.to_owned(),
            page: "p".to_owned(),
            name: "Ben".to_owned(),
            role: Role::Watch,
            sealed: true,
            invited: false,
        };
        let told = [viewer("a"), viewer("a"), viewer(&"x".repeat(257)), viewer("b"), viewer("a")];
        assert_eq!(waiting(&told), [viewer("a"), viewer("b")]);
        // All are told whom a broker lets in.
        let many: Vec<_> = (0..MOST_VIEWERS + 1).map(|n| viewer(&n.to_string())).collect();
        assert_eq!(waiting(&many), many[..MOST_VIEWERS]);
    }

    #[test]
    fn a_time_is_counted_back_from_now_and_an_absurd_one_does_no_harm() {
        let now = Timestamp(1_700_000_000_000);
        let online = side(SideFacts::Online { for_ms: 1_500 }, now);
        assert_eq!(online, ObservedSide::Online { since: Timestamp(now.0 - 1_500) });
        let absurd = arrival(wire_events::Arrival::PageOpen { for_ms: u64::MAX }, now);
        assert_eq!(absurd, Arrival::PageOpen { since: Timestamp(now.0.saturating_sub(i64::MAX)) });
    }
}
