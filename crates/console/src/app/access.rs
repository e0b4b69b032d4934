//! Who is at this console: at the start, and when somebody locks it or goes away.

use std::{sync::Arc, time::Duration};

use engine::{
    access::{Access, Person, Presence, Why},
    clock::now,
};
use session::Timestamp;
use tokio::sync::watch;

use super::{AuditEntry, Inner};
use crate::{
    Settings,
    view::{AccessKind, AccessView, LockReason, PersonView},
};

/// How often it is looked whether somebody has gone away, at least: a computer that slept has missed
/// its alarm.
const LOOK: Duration = Duration::from_secs(20);

/// Who is here after a start: nobody, where somebody has a profile.
pub(super) fn at_start(settings: &Settings, people: &[Person]) -> Access {
    Access::new(match people {
        [] => without_people(settings),
        [only] => locked(Some(only.clone())),
        [..] => locked(None),
    })
}

fn locked(person: Option<Person>) -> Presence {
    Presence::Locked { person, why: Why::Started, since: now() }
}

fn without_people(settings: &Settings) -> Presence {
    match (settings.require_sign_in, settings.sign_in_skipped) {
        (true, _) => Presence::FirstStart { required: true },
        (false, true) => Presence::Open,
        (false, false) => Presence::FirstStart { required: false },
    }
}

impl Inner {
    /// Somebody did something at this console.
    pub(crate) fn acted(&self) {
        self.acted.send_replace(now());
    }

    /// Who is at this console, for mails, viewers and messages: who signed in, else who the settings name.
    pub(crate) fn technician(&self) -> String {
        match self.access.presence() {
            Presence::SignedIn { person, .. } | Presence::Locked { person: Some(person), .. } => {
                person.name
            }
            Presence::Locked { person: None, .. }
            | Presence::FirstStart { .. }
            | Presence::Open => self.settings().technician.clone(),
        }
    }

    /// What goes on record as whose deed it is: who signed in, else `given`.
    pub(crate) fn who_acts(&self, given: &str) -> String {
        let given = || crate::words::plain(given, 64);
        self.access.person().map_or_else(given, |person| person.name)
    }

    /// Applies settings that were changed: they decide only where nobody has a profile.
    pub(crate) fn settle_access(&self) {
        match self.access.presence() {
            Presence::FirstStart { .. } | Presence::Open => {
                self.access.set(without_people(&self.settings()));
            }
            Presence::SignedIn { .. } | Presence::Locked { .. } => {}
        }
        self.tell_change();
    }

    /// Locks, where somebody is signed in; false where nobody is.
    pub(crate) async fn lock_for(&self, why: Why) -> bool {
        let Some(person) = self.access.lock(why, now()) else { return false };
        self.ceremony(super::ceremony::Ceremony::lock);
        self.tell_change();
        let reason = match why {
            Why::Asked => "Locked Deskhand.",
            Why::Idle => "Did nothing for a while, so Deskhand locked itself.",
            Why::Screen => "Locked the screen, and Deskhand with it.",
            Why::Started => "Started Deskhand.",
        };
        let text = reason.to_owned();
        self.record_or_warn(AuditEntry { by: person.name, action: "locked", text, session: None })
            .await;
        true
    }

    /// Records what is done anyway: a full disk must neither keep a person out nor the console open.
    pub(crate) async fn record_or_warn(&self, entry: AuditEntry) {
        if let Err(trouble) = self.record(entry).await {
            tracing::warn!(text = trouble.text, "record what was done");
        }
    }

    /// Who is signed in, and whether the console is locked.
    pub(crate) fn access_view(&self) -> AccessView {
        let settings = self.settings();
        let (is, since, person) = match self.access.presence() {
            Presence::FirstStart { .. } => (AccessKind::FirstStart, None, None),
            Presence::Open => (AccessKind::Open, None, None),
            Presence::SignedIn { person, since } => {
                (AccessKind::SignedIn, Some(since.0), Some(person))
            }
            Presence::Locked { person, since, .. } => (AccessKind::Locked, Some(since.0), person),
        };
        AccessView {
            is,
            since,
            why: self.access.locked_why().map(lock_reason),
            person: person.as_ref().map(person_view),
            people: self.side(|side| side.people.iter().map(person_view).collect()),
            required: settings.require_sign_in,
            ceremony: self.ceremony(|ceremony| ceremony.view()),
        }
    }
}

const fn lock_reason(why: Why) -> LockReason {
    match why {
        Why::Started => LockReason::Started,
        Why::Asked => LockReason::Asked,
        Why::Idle => LockReason::Idle,
        Why::Screen => LockReason::Screen,
    }
}

fn person_view(person: &Person) -> PersonView {
    PersonView { id: person.id.to_string(), name: person.name.clone(), email: person.email.clone() }
}

/// Locks whenever nobody did anything for as long as the settings say.
pub(super) async fn lock_when_idle(inner: Arc<Inner>) {
    let mut presence = inner.access.watch();
    let after = || {
        let minutes = inner.settings().lock_after_min;
        (minutes > 0).then(|| Duration::from_secs(u64::from(minutes) * 60))
    };
    let follow = async {
        loop {
            let signed_in = |presence: &Presence| matches!(presence, Presence::SignedIn { .. });
            if presence.wait_for(signed_in).await.is_err() {
                return;
            }
            idle(inner.acted.subscribe(), after, now).await;
            inner.lock_for(Why::Idle).await;
        }
    };
    tokio::select! {
        () = follow => {}
        () = inner.stopping.cancelled() => {}
    }
}

/// Returns when nobody did anything for as long as `after` says at that moment.
async fn idle(
    mut acted: watch::Receiver<Timestamp>,
    after: impl Fn() -> Option<Duration>,
    clock: impl Fn() -> Timestamp,
) {
    loop {
        // By the wall clock, which goes on while the computer sleeps.
        let last = *acted.borrow_and_update();
        let left = after().map(|after| after.saturating_sub(clock().since(last)));
        if left == Some(Duration::ZERO) {
            return;
        }
        tokio::time::sleep(left.map_or(LOOK, |left| left.min(LOOK))).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;
    use uuid::Uuid;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn person(n: u128) -> Person {
        Person { id: Uuid::from_u128(n), name: "Anna".into(), email: String::new() }
    }

    fn kind(settings: &str, people: &[Person]) -> Presence {
        let settings = Settings::default().layer(&serde_json::from_str(settings).unwrap()).unwrap();
        at_start(&settings, people).presence()
    }

    #[test]
    fn whoever_has_a_profile_signs_in_after_a_start_whatever_the_settings_say() {
        for settings in ["{}", r#"{"sign_in_skipped":true}"#, r#"{"require_sign_in":true}"#] {
            let Presence::Locked { person: one, .. } = kind(settings, &[person(1)]) else {
                panic!("{settings}")
            };
            assert_eq!(one, Some(person(1)));
            let two = kind(settings, &[person(1), person(2)]);
            assert!(matches!(two, Presence::Locked { person: None, .. }), "{settings}");
        }
    }

    #[test]
    fn without_a_profile_not_now_is_remembered_unless_somebody_must_sign_in() {
        assert_eq!(kind("{}", &[]), Presence::FirstStart { required: false });
        assert_eq!(kind(r#"{"sign_in_skipped":true}"#, &[]), Presence::Open);
        let both = r#"{"sign_in_skipped":true,"require_sign_in":true}"#;
        assert_eq!(kind(both, &[]), Presence::FirstStart { required: true });
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_idle_only_after_the_last_deed() {
        let start = Instant::now();
        let clock = move || Timestamp(i64::try_from(start.elapsed().as_millis()).unwrap());
        let (deed, acted) = watch::channel(clock());
        let watching = tokio::spawn(async move {
            idle(acted, || Some(15 * MINUTE), clock).await;
            start.elapsed()
        });
        tokio::time::sleep(10 * MINUTE).await;
        deed.send_replace(clock());
        assert_eq!(watching.await.unwrap(), 25 * MINUTE);
    }

    #[tokio::test(start_paused = true)]
    async fn zero_minutes_means_never_and_a_change_of_that_counts() {
        let start = Instant::now();
        let clock = move || Timestamp(i64::try_from(start.elapsed().as_millis()).unwrap());
        let after = move || (start.elapsed() > 60 * MINUTE).then_some(15 * MINUTE);
        idle(watch::channel(clock()).1, after, clock).await;
        assert!(start.elapsed() >= 60 * MINUTE && start.elapsed() <= 60 * MINUTE + 2 * LOOK);
    }
}
