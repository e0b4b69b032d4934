//! What this console asked of each person lately, over all of its sessions: what the brake goes by.
//!
//! Filled from the journal and the archive at a start, and by every session's turns from then on. It forgets
//! nothing when a session is deleted, nor at the start after it: that would be a way around the brake.

use std::collections::HashMap;

use icu_normalizer::ComposingNormalizerBorrowed;
use parking_lot::{Mutex, MutexGuard};
use ring::digest::{SHA256, digest};
use session::{
    Record, Timestamp, Verification,
    push_brake::{self, Brake, Denials, REMEMBERED},
    verification::VerificationRequest,
};

use crate::{
    SessionId,
    archive::{AskRecord, Fingerprint},
};

const COMPATIBLE: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

/// What was asked of people lately.
#[derive(Default)]
pub(crate) struct AskedPeople {
    asked: Mutex<HashMap<(SessionId, u32), Verification>>,
    /// What was asked in sessions that were deleted before the start.
    deleted: Mutex<Vec<(Fingerprint, Verification)>>,
    /// When codes were e-mailed to whom.
    mailed: Mutex<HashMap<Fingerprint, Vec<Timestamp>>>,
    turn: Mutex<()>,
}

impl AskedPeople {
    /// Held while somebody looks at the brake and then asks: two sessions must not pass it together.
    pub fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        self.turn.lock()
    }

    /// Notes how a session's verifications stand. One that the disk refused is none any more.
    pub fn note(&self, session: SessionId, record: &Record) {
        let newest = record.verifications.iter().map(|v| v.id).max().unwrap_or(0);
        let mut asked = self.asked.lock();
        asked.retain(|(of, id), _| *of != session || *id <= newest);
        asked.extend(record.verifications.iter().map(|v| ((session, v.id), v.clone())));
    }

    /// Adds what the archive has of earlier; the sessions that run know better.
    pub fn remember(&self, earlier: Vec<(SessionId, Verification)>) {
        let mut asked = self.asked.lock();
        for (session, verification) in earlier {
            asked.entry((session, verification.id)).or_insert(verification);
        }
    }

    /// Adds what the archive has beside its sessions.
    pub fn remember_beside(&self, all: Vec<AskRecord>) {
        let (mut deleted, mut mailed) = (self.deleted.lock(), self.mailed.lock());
        for AskRecord { person, at, verification } in all {
            match verification {
                Some(verification) => deleted.push((person, verification)),
                None => mailed.entry(person).or_default().push(at),
            }
        }
        mailed.values_mut().for_each(|sent| sent.sort_unstable());
    }

    /// What is to be remembered at `at` of a session that is deleted: no name, and nothing that was said.
    pub fn of_session(&self, session: SessionId, at: Timestamp) -> Vec<AskRecord> {
        let asked = self.asked.lock();
        let recent =
            asked.iter().filter(|((of, _), v)| *of == session && at.since(v.at) < REMEMBERED);
        recent
            .map(|(_, v)| {
                let person = fingerprint(&person(&v.asked.user, v.asked.by_id));
                let VerificationRequest { who, by_id, how, denied_before, .. } = v.asked;
                let (user, by, reason) = (String::new(), String::new(), String::new());
                let shown = Vec::new();
                let asked =
                    VerificationRequest { who, user, by_id, how, by, reason, shown, denied_before };
                let (at, status) = (v.at, v.status.clone());
                AskRecord {
                    person,
                    at,
                    verification: Some(Verification { id: v.id, asked, at, status }),
                }
            })
            .collect()
    }

    /// Why the person may not be asked so at `at`; none if they may.
    pub fn brake(
        &self,
        session: SessionId,
        wanted: &VerificationRequest,
        at: Timestamp,
    ) -> Option<Brake> {
        let mut asked = self.asked.lock();
        asked.retain(|_, v| v.status.is_under_way() || at.since(v.at) < REMEMBERED);
        let deleted = self.deleted.lock();
        let all = concerning(&asked, session, wanted).chain(in_deleted(&deleted, wanted));
        push_brake::brake(all, wanted.how, at)
    }

    /// What the person, or whoever was asked in their place in this session, has denied lately.
    pub fn denials(
        &self,
        session: SessionId,
        wanted: &VerificationRequest,
        at: Timestamp,
    ) -> Option<Denials> {
        let (asked, deleted) = (self.asked.lock(), self.deleted.lock());
        let all = concerning(&asked, session, wanted).chain(in_deleted(&deleted, wanted));
        push_brake::denials(all, at)
    }

    /// Notes that a code is e-mailed to this person at `at`, or says why none is.
    pub fn mail(&self, user_id: &str, at: Timestamp) -> Result<Fingerprint, Brake> {
        let person = fingerprint(&person(user_id, true));
        let mut mailed = self.mailed.lock();
        mailed.retain(|_, sent| sent.last().is_some_and(|&last| at.since(last) < REMEMBERED));
        let sent = mailed.entry(person).or_default();
        if let Some(brake) = push_brake::mail_brake(sent, at) {
            return Err(brake);
        }
        sent.push(at);
        Ok(person)
    }
}

/// What was asked of the person, by this name or id, in any session; and what was asked for their side in this
/// one, since nobody here can tell that a name and an id are the same person's.
fn concerning<'a>(
    asked: &'a HashMap<(SessionId, u32), Verification>,
    session: SessionId,
    wanted: &VerificationRequest,
) -> impl Iterator<Item = &'a Verification> {
    let (who, of) = (wanted.who, person(&wanted.user, wanted.by_id));
    asked
        .iter()
        .filter(move |((in_, _), v)| {
            let same_side = *in_ == session && v.asked.who == who;
            same_side || person(&v.asked.user, v.asked.by_id) == of
        })
        .map(|(_, v)| v)
}

/// What was asked of the person in sessions that were deleted before the start.
fn in_deleted<'a>(
    deleted: &'a [(Fingerprint, Verification)],
    wanted: &VerificationRequest,
) -> impl Iterator<Item = &'a Verification> {
    let of = fingerprint(&person(&wanted.user, wanted.by_id));
    deleted.iter().filter(move |(person, _)| *person == of).map(|(_, v)| v)
}

fn fingerprint(person: &str) -> Fingerprint {
    let hash = digest(&SHA256, person.as_bytes());
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(hash.as_ref());
    fingerprint
}

fn person(user: &str, by_id: bool) -> String {
    push_brake::person(&COMPATIBLE.normalize(user), by_id)
}

#[cfg(test)]
mod tests {
    use session::{
        About, State,
        push_brake::BrakeReason,
        verification::{Method, Status, Subject, VerificationOutcome},
    };

    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);
    const ONE: SessionId = SessionId::from_bytes([1; 16]);
    const TWO: SessionId = SessionId::from_bytes([2; 16]);

    fn request(who: Subject, user: &str, by_id: bool) -> VerificationRequest {
        VerificationRequest {
            who,
            user: user.into(),
            by_id,
            how: Method::Push,
            by: "anna".into(),
            reason: "printer".into(),
            shown: Vec::new(),
            denied_before: None,
        }
    }

    fn denied(user: &str, by_id: bool) -> AskedPeople {
        let people = AskedPeople::default();
        let status = Status::Ended { at: NOW, end: VerificationOutcome::Denied };
        let mut record = State::new(About::default(), "anna".into(), NOW).record;
        let asked = request(Subject::Customer, user, by_id);
        record.verifications.push(Verification { id: 1, asked, at: NOW, status });
        people.note(ONE, &record);
        people
    }

    #[test]
    fn a_person_is_the_same_in_another_session_side_case_and_width() {
        let people = denied("maria.lopez", false);
        for user in ["maria.lopez", "MARIA.Lopez", " maria. lopez\u{200b}", "ｍaria.lopez"] {
            for who in [Subject::Customer, Subject::Technician] {
                let brake = people.brake(TWO, &request(who, user, false), NOW);
                assert!(
                    matches!(brake, Some(Brake { why: BrakeReason::Denied(_), .. })),
                    "{user:?}: {brake:?}"
                );
            }
        }
        assert_eq!(people.brake(TWO, &request(Subject::Customer, "john", false), NOW), None);
    }

    #[test]
    fn the_same_side_of_a_session_is_the_same_person_by_whatever_name() {
        let people = denied("maria.lopez", false);
        let id = "0".repeat(40);
        assert!(people.brake(ONE, &request(Subject::Customer, &id, true), NOW).is_some());
        assert_eq!(people.brake(ONE, &request(Subject::Technician, "anna", false), NOW), None);
        let denials = people.denials(ONE, &request(Subject::Customer, &id, true), NOW);
        assert_eq!(denials, Some(Denials { times: 1, last: NOW }));
    }

    #[test]
    fn a_session_that_is_deleted_before_a_start_is_no_way_around_it() {
        let before = denied("maria.lopez", false);
        let kept = before.of_session(ONE, NOW);
        assert!(!format!("{kept:?}").contains("maria"), "no name is kept");
        assert_eq!(before.of_session(TWO, NOW), []);
        assert_eq!(before.of_session(ONE, NOW.plus(REMEMBERED)), [], "it wouldn't count any more");
        let people = AskedPeople::default();
        people.remember_beside(kept);
        let wanted = |user| request(Subject::Technician, user, false);
        let brake = people.brake(TWO, &wanted(" MARIA.lopez"), NOW);
        assert!(matches!(brake, Some(Brake { why: BrakeReason::Denied(_), .. })), "{brake:?}");
        let denials = people.denials(TWO, &wanted("maria.lopez"), NOW);
        assert_eq!(denials, Some(Denials { times: 1, last: NOW }));
        assert_eq!(people.brake(TWO, &wanted("john"), NOW), None);
        assert_eq!(people.brake(TWO, &wanted("maria.lopez"), NOW.plus(REMEMBERED)), None);
    }

    #[test]
    fn e_mailed_codes_count_over_a_start() {
        let before = AskedPeople::default();
        let sent = (0..3).map(|_| before.mail("ABC", NOW).unwrap());
        let sent = sent.map(|person| AskRecord { person, at: NOW, verification: None }).collect();
        let people = AskedPeople::default();
        people.remember_beside(sent);
        let brake = people.mail("abc", NOW).unwrap_err();
        assert!(matches!(brake.why, BrakeReason::Mailed { times: 3 }));
    }

    #[test]
    fn a_verification_that_the_disk_refused_holds_nobody_up() {
        let people = denied("maria.lopez", false);
        people.note(ONE, &State::new(About::default(), "anna".into(), NOW).record);
        assert_eq!(people.brake(ONE, &request(Subject::Customer, "maria.lopez", false), NOW), None);
    }

    #[test]
    fn nobody_is_sent_one_code_after_another() {
        let people = AskedPeople::default();
        for _ in 0..3 {
            people.mail("ABC", NOW).unwrap();
        }
        let brake = people.mail("abc", NOW).unwrap_err();
        assert!(matches!(brake.why, BrakeReason::Mailed { times: 3 }));
        people.mail("abc", brake.until).unwrap();
    }
}
