//! Who is at this console: after the start, and after somebody locks it or goes away.

use std::{sync::Arc, time::Duration};

use engine::{
    access::{Access, Person, Presence, Why},
    clock::now,
};
use parking_lot::Mutex;
use session::Timestamp;
use tokio::{sync::watch, time::Instant};

use super::{AuditEntry, Console, settings_in_force::SettingsInForce};
use crate::{
    Settings,
    view::{AccessKind, AccessView, LockReason, PersonView},
};

/// The longest sleep before the clock is looked at again.
// A computer that slept has missed its timer, which counts only the time that it was awake.
const LOOK: Duration = Duration::from_secs(20);

/// Who is here after a start: nobody yet, if anybody has a profile.
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

/// Who is at this console, who else could be, and the time of the last activity.
pub(crate) struct AccessControl {
    /// Shared with every engine, which refuses the work that a locked console must not do.
    pub state: Access,
    /// Who has a profile at this console.
    pub people: Mutex<Vec<Person>>,
    last_activity: watch::Sender<Timestamp>,
    settings: Arc<SettingsInForce>,
}

impl AccessControl {
    pub fn new(state: Access, people: Vec<Person>, settings: Arc<SettingsInForce>) -> Self {
        let last_activity = watch::Sender::new(now());
        Self { state, people: Mutex::new(people), last_activity, settings }
    }

    /// Notes that somebody is active at this console.
    pub fn note_activity(&self) {
        self.last_activity.send_replace(now());
    }

    /// The name for e-mails, viewers and messages: that of the signed-in person, else the one
    /// in the settings.
    pub fn technician(&self) -> String {
        match self.state.presence() {
            Presence::SignedIn { person, .. } | Presence::Locked { person: Some(person), .. } => {
                person.name
            }
            Presence::Locked { person: None, .. }
            | Presence::FirstStart { .. }
            | Presence::Open => self.settings.current().technician.clone(),
        }
    }

    /// The name for records: that of the signed-in person, else `given`; where that is the program's own, as of an
    /// operating system's user, the one in the settings.
    pub fn recorded_name(&self, given: &str) -> String {
        let given = || match crate::words::plain(given, 64) {
            name if crate::words::is_programs_name(&name) => self.technician(),
            name => name,
        };
        self.state.person().map_or_else(given, |person| person.name)
    }

    /// Applies changed settings. They decide about access only while nobody has a profile.
    pub fn apply_settings(&self) {
        match self.state.presence() {
            Presence::FirstStart { .. } | Presence::Open => {
                self.state.set(without_people(&self.settings.current()));
            }
            Presence::SignedIn { .. } | Presence::Locked { .. } => {}
        }
    }
}

impl Console {
    /// Locks the console, if somebody is signed in.
    pub(crate) async fn lock(&self, why: Why) {
        let Some(person) = self.access.state.lock(why, now()) else { return };
        self.ceremonies.current.lock().lock();
        self.updates.announce();
        let reason = match why {
            Why::Asked => "Locked Deskhand.",
            Why::Idle => "Did nothing for a while, so Deskhand locked itself.",
            Why::Screen => "Locked the screen, and Deskhand with it.",
            Why::Started => "Started Deskhand.",
        };
        let text = reason.to_owned();
        let entry = AuditEntry { by: person.name, action: "locked", text, session: None };
        self.audit.record_or_warn(entry).await;
    }

    /// Who is signed in, and whether the console is locked.
    pub(crate) fn access_view(&self) -> AccessView {
        let settings = self.settings.current();
        let (is, since, person) = match self.access.state.presence() {
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
            why: self.access.state.locked_why().map(lock_reason),
            person: person.as_ref().map(person_view),
            people: self.access.people.lock().iter().map(person_view).collect(),
            required: settings.require_sign_in,
            ceremony: self.ceremonies.current.lock().view(),
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

/// Locks the console whenever nobody has been active for the time in the settings.
pub(super) async fn lock_when_idle(console: Arc<Console>) {
    let mut presence = console.access.state.watch();
    let after = || {
        let minutes = console.settings.current().lock_after_min;
        (minutes > 0).then(|| Duration::from_secs(u64::from(minutes) * 60))
    };
    let follow = async {
        loop {
            let signed_in = |presence: &Presence| matches!(presence, Presence::SignedIn { .. });
            if presence.wait_for(signed_in).await.is_err() {
                return;
            }
            idle(console.access.last_activity.subscribe(), after, now).await;
            console.lock(Why::Idle).await;
        }
    };
    tokio::select! {
        () = follow => {}
        () = console.lifecycle.watch.stopping.cancelled() => {}
    }
}

/// Returns once nobody has been active for the time that `after` gives at that moment.
async fn idle(
    mut acted: watch::Receiver<Timestamp>,
    after: impl Fn() -> Option<Duration>,
    clock: impl Fn() -> Timestamp,
) {
    let mut since = Instant::now();
    loop {
        if acted.has_changed().unwrap_or(false) {
            since = Instant::now();
        }
        // By the wall clock, which goes on while the computer sleeps, and by the monotonic one, which
        // nobody sets back.
        let last = *acted.borrow_and_update();
        let idle = clock().since(last).max(since.elapsed());
        let left = after().map(|after| after.saturating_sub(idle));
        if left == Some(Duration::ZERO) {
            return;
        }
        tokio::time::sleep(left.map_or(LOOK, |left| left.min(LOOK))).await;
    }
}

#[cfg(test)]
mod tests {
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
    async fn a_clock_that_is_set_back_keeps_nothing_unlocked() {
        let start = Instant::now();
        let (_deed, acted) = watch::channel(Timestamp(i64::MAX));
        idle(acted, || Some(15 * MINUTE), || Timestamp(0)).await;
        assert_eq!(start.elapsed(), 15 * MINUTE);
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
