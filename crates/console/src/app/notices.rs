//! The events worth a notification, for a subscriber that must get every one, even across a crash.
//!
//! The disk knows of each event whether it was dealt with; those that weren't are given again at the next start. So one
//! that takes long holds up no other, a crash between a notification and its mark shows that one twice, and none is
//! ever lost.

use std::sync::Arc;

use engine::{
    Engine,
    clock::now,
    journal::{EventRecord, JournalError, Seen},
};
use parking_lot::Mutex;
use session::{PresenceChange, Timestamp};
use wire::HookType;

use super::{Console, feed::name_of};
use crate::{
    present::{self, trouble},
    view,
    words::count,
};

/// How many events are read at a time.
const PAGE: u32 = 500;
/// How many notifications from an earlier run are shown one by one; more are summed up.
const ONE_BY_ONE: usize = 5;
/// How old an event of an earlier run may be to be shown as news, in ms.
const NEWS: i64 = 15 * 60_000;
/// A viewer that comes this soon after we opened a window counts as that window's, in ms.
const OWN_VIEWER: i64 = 60_000;

/// Finds the events that are worth a notification for one subscriber.
pub struct Notices(Marks);

/// One notification. Once it is shown, or isn't to be, call [`Marks::dealt_with`].
#[derive(Debug, Clone)]
pub enum Tell {
    /// Something that happened.
    Happened(view::EventView),
    /// A sentence that sums up events.
    Summary {
        /// The sentence.
        text: String,
        /// The numbers of the events.
        events: Vec<u64>,
    },
}

/// Stores what a subscriber has dealt with; clones do so for the same subscriber.
#[derive(Clone)]
pub struct Marks {
    console: Arc<Console>,
    subscriber: &'static str,
    /// None before the first look.
    seen: Arc<Mutex<Option<Seen>>>,
}

impl Notices {
    pub(super) fn new(console: Arc<Console>, subscriber: &'static str) -> Self {
        Self(Marks { console, subscriber, seen: Arc::default() })
    }

    /// The handle that stores that a notification was dealt with, whether shown or suppressed.
    pub fn marks(&self) -> Marks {
        self.0.clone()
    }

    /// The notifications since the last look, oldest first; at the first look, those that no earlier run has dealt
    /// with. To be called again whenever something has happened.
    pub async fn read(&mut self) -> Vec<Tell> {
        let console = self.0.console.clone();
        let Some(engine) = console.engine.get().await else { return Vec::new() };
        let known = self.0.seen.lock().clone();
        let first = known.is_none();
        let known = if first { self.0.begin(&engine).await } else { known };
        let Some(seen) = known else { return Vec::new() };
        // Later on, what is owed is about to be told, and isn't read again.
        let from = if first { seen.read_after() } else { seen.up_to };
        let Some(happenings) = read_after(&engine, from).await else { return Vec::new() };
        let tell = worth_telling(&console, &engine, &seen, &happenings).await;
        let tell = if console.access.state.is_locked() {
            without_names(&tell)
        } else if first {
            after_a_break(tell, now())
        } else {
            tell.into_iter().map(Tell::Happened).collect()
        };
        let newest = happenings.last().map_or(seen.up_to, |newest| newest.seq.max(seen.up_to));
        self.0.owe(&engine, newest, &tell).await;
        tell
    }
}

impl Tell {
    /// The numbers of the events that it tells.
    fn events(&self) -> &[u64] {
        match self {
            Self::Happened(happening) => std::slice::from_ref(&happening.seq),
            Self::Summary { events, .. } => events,
        }
    }

    fn summary(text: String, of: &[view::EventView]) -> Self {
        Self::Summary { text, events: of.iter().map(|happening| happening.seq).collect() }
    }
}

impl Marks {
    /// Stores that a notification was dealt with, whatever became of others.
    pub async fn dealt_with(&self, tell: &Tell) {
        if let Some(seen) = &mut *self.seen.lock() {
            for event in tell.events() {
                seen.owed.remove(event);
            }
        }
        if let Some(engine) = self.console.engine.get().await {
            self.store(&engine).await;
        }
    }

    /// What an earlier run has dealt with; all until now if there was none. None if that can't be read.
    async fn begin(&self, engine: &Engine) -> Option<Seen> {
        match engine.journal().seen(self.subscriber).await {
            Ok(Some(seen)) => {
                self.says(None);
                return Some(seen);
            }
            Ok(None) => {}
            // It stays so, and notifications go on: what isn't known to be shown must be looked up by a person.
            Err(error @ JournalError::Damaged { .. }) => {
                tracing::error!(%error, "read which notifications were shown");
                self.console.hold_up("notifications_unknown", trouble::of_lost_marks(&error)).await;
            }
            Err(error) => {
                tracing::warn!(%error, "read which notifications were shown");
                self.says(Some(trouble::of_marks("read", &error)));
                return None;
            }
        }
        self.says(None);
        let newest = Seen::up_to(self.console.updates.newest());
        *self.seen.lock() = Some(newest.clone());
        // Stored at once: if this run ends before the next event is shown, that event must not be
        // taken for old.
        self.store(engine).await;
        Some(newest)
    }

    /// Notes that all events up to one were read, of which those of `tell` are still to be told.
    async fn owe(&self, engine: &Engine, up_to: u64, tell: &[Tell]) {
        let changed = {
            let mut known = self.seen.lock();
            let seen = known.get_or_insert_default();
            let before = std::mem::replace(&mut seen.up_to, up_to);
            seen.owed.extend(tell.iter().flat_map(Tell::events));
            before != up_to
        };
        // What is to be told needn't be stored: until the first of it is, all of it is new to the next run.
        if changed && tell.is_empty() {
            self.store(engine).await;
        }
    }

    async fn store(&self, engine: &Engine) {
        let written = {
            let known = self.seen.lock();
            let Some(seen) = &*known else { return };
            // Queued while nobody else can: what is older must not overwrite what is newer.
            engine.journal().mark_seen(self.subscriber, seen)
        };
        match written.await {
            Ok(()) => self.says(None),
            Err(error) => {
                tracing::warn!(%error, "note which notifications were shown; they may come again");
                self.says(Some(trouble::of_marks("note", &error)));
            }
        }
    }

    /// Says what keeps it from knowing which notifications were shown, until that is over.
    fn says(&self, trouble: Option<view::Trouble>) {
        if self.console.standing.replace(trouble::is_of_marks, trouble) {
            self.console.updates.announce();
        }
    }
}

/// What of `happenings` is worth a notification, but for what was `seen` already.
async fn worth_telling(
    console: &Console,
    engine: &Engine,
    seen: &Seen,
    happenings: &[EventRecord],
) -> Vec<view::EventView> {
    let mut tell = Vec::new();
    let new = happenings.iter().filter(|happening| seen.lacks(happening.seq));
    for happening in new.filter(|happening| !is_own(console, happening)) {
        let name = name_of(&console.zone, engine, happening.session).await;
        let mut told = present::event::happening(happening, &name);
        match chat_news(console, engine, happening, happenings, &name).await {
            ChatNews::NotChat => {}
            ChatNews::Text(text) => (told.text, told.notify) = (text, true),
            ChatNews::NoNews => told.notify = false,
        }
        if told.notify {
            tell.push(told);
        }
    }
    tell
}

/// All events after `from`; none if they can't be read now.
async fn read_after(engine: &Engine, mut from: u64) -> Option<Vec<EventRecord>> {
    let mut all = Vec::new();
    loop {
        match engine.journal().events_after(from, PAGE).await {
            Ok(page) => {
                let Some(last) = page.last() else { return Some(all) };
                from = last.seq;
                all.extend(page);
            }
            Err(error) => {
                tracing::warn!(%error, "read what happened");
                return None;
            }
        }
    }
}

/// What an event is to who wants to know of new messages.
enum ChatNews {
    /// It brings no messages.
    NotChat,
    /// The text for those that nobody has read here.
    Text(String),
    /// All were read, or written here; or a later event's newest message stands for them.
    NoNews,
}

async fn chat_news(
    console: &Console,
    engine: &Engine,
    happening: &EventRecord,
    all: &[EventRecord],
    name: &str,
) -> ChatNews {
    let brings = |other: &EventRecord| {
        other.event.facts().brings_messages() && other.session == happening.session
    };
    let is_last = !all.iter().any(|other| other.seq > happening.seq && brings(other));
    if !brings(happening) {
        return ChatNews::NotChat;
    }
    if !is_last {
        return ChatNews::NoNews;
    }
    let newest = console.unread.newest(engine, happening.session).await;
    let Some((newest, unread)) = newest else { return ChatNews::NoNews };
    let text = console.settings.current().chat_in_notifications.then_some(newest.body.as_str());
    ChatNews::Text(present::event::chat_message(name, &newest.subject, text, unread))
}

/// Whether the event is the person's own act at this console, which needs no notification.
fn is_own(console: &Console, happening: &EventRecord) -> bool {
    let change = happening.event.facts().presence_change();
    if change != Some(PresenceChange::Reported(HookType::ViewerStarted)) {
        return false;
    }
    let opened = console.viewers.opened_here.lock().remove(&happening.session);
    opened.is_some_and(|opened| happening.at.0.saturating_sub(opened.0) < OWN_VIEWER)
}

/// The notifications while the console is locked.
fn without_names(tell: &[view::EventView]) -> Vec<Tell> {
    let text = match tell.len() {
        0 => return Vec::new(),
        1 => "A session changed".to_owned(),
        many => format!("{many} things happened in your sessions"),
    };
    vec![Tell::summary(text, tell)]
}

/// The notifications that an earlier run didn't get to: one by one if few and new, else
/// in a sentence.
fn after_a_break(tell: Vec<view::EventView>, now: Timestamp) -> Vec<Tell> {
    let old = tell.iter().any(|happening| now.0.saturating_sub(happening.at) > NEWS);
    if old || tell.len() > ONE_BY_ONE {
        let many = u32::try_from(tell.len()).unwrap_or(u32::MAX);
        let things = count(many, "thing", "things");
        let text = format!("{things} happened that you were not told of yet");
        vec![Tell::summary(text, &tell)]
    } else {
        tell.into_iter().map(Tell::Happened).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(10_000_000);

    fn told(ages_ms: &[i64]) -> Vec<String> {
        let happening = |age: &i64| view::EventView {
            seq: 1,
            at: NOW.0 - age,
            session: "a".into(),
            name: "Maria Lopez".into(),
            event: "presenter_online".into(),
            text: "Maria Lopez is online".into(),
            notify: true,
            overtaken: false,
        };
        let tell = after_a_break(ages_ms.iter().map(happening).collect(), NOW);
        let text = |tell| match tell {
            Tell::Happened(happening) => happening.text,
            Tell::Summary { text, .. } => text,
        };
        tell.into_iter().map(text).collect()
    }

    #[test]
    fn little_and_new_is_told_one_by_one() {
        assert_eq!(told(&[]), [""; 0]);
        assert_eq!(told(&[60_000, 0]), ["Maria Lopez is online"; 2]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn marks_that_cannot_be_read_are_said_and_notifications_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let options = crate::app::Options::for_a_while(folder.path(), "a test");
        let app = crate::App::start(options).await.unwrap();
        let troubles = || {
            let held = app.console().standing.list();
            held.into_iter().filter(|held| held.text.contains("which notifications were shown"))
        };
        {
            let engine = app.console().engine.get().await;
            engine.as_deref().unwrap().journal().mark("seen/window", Some(b"what?")).await.unwrap();
        }
        assert!(app.notices("window").read().await.is_empty());
        let held: Vec<_> = troubles().collect();
        assert_eq!(held.len(), 1, "{held:?}");
        assert!(held[0].id.is_some() && held[0].remedy.contains("sessions' logs"), "{held:?}");
        assert!(app.notices("window").read().await.is_empty());
        assert_eq!(troubles().count(), 1, "it is known again from where it began");
        {
            let engine = app.console().engine.get().await;
            assert!(engine.as_deref().unwrap().journal().seen("window").await.unwrap().is_some());
        }
        app.stop().await;
    }

    #[test]
    fn much_is_summed_up() {
        assert_eq!(told(&[0; 12]), ["12 things happened that you were not told of yet"]);
    }

    #[test]
    fn what_is_old_is_not_told_as_if_it_were_news() {
        let summed = ["2 things happened that you were not told of yet"];
        assert_eq!(told(&[NEWS + 1, 0]), summed);
        assert_eq!(told(&[NEWS + 1]), ["1 thing happened that you were not told of yet"]);
    }
}
