//! The events worth a notification, for a subscriber that must get every one, even across a crash.
//!
//! A mark on the disk holds the last event that was dealt with. Later events are given again at the
//! next start; so a crash between a notification and its mark shows that notification twice, and
//! none is ever lost.

use std::sync::Arc;

use engine::{Engine, clock::now, journal::EventRecord};
use session::{PresenceChange, Timestamp};
use wire::HookType;

use super::{Console, feed::name_of};
use crate::{present, view, words::count};

/// How many events are read at a time.
const PAGE: u32 = 500;
/// How many notifications from an earlier run are shown one by one; more are summed up.
const ONE_BY_ONE: usize = 5;
/// How old an event of an earlier run may be to be shown as news, in ms.
const NEWS: i64 = 15 * 60_000;
/// A viewer that comes this soon after we opened a window counts as that window's, in ms.
const OWN_VIEWER: i64 = 60_000;

/// Finds the events that are worth a notification for one subscriber.
pub struct Notices {
    console: Arc<Console>,
    subscriber: &'static str,
    /// The newest event that was read; none before the first look.
    read_to: Option<u64>,
}

/// The notifications since the last look. Once all are dealt with, call [`Marks::dealt_with`].
#[derive(Debug, Default)]
pub struct News {
    /// The notifications, oldest first.
    pub tell: Vec<Tell>,
    /// The last event that was read.
    up_to: u64,
}

/// One notification.
#[derive(Debug, Clone)]
pub enum Tell {
    /// Something that happened.
    Happened(view::EventView),
    /// A sentence that sums up the events of an earlier run.
    Summary(String),
}

/// Stores how far a subscriber has got; clones do so for the same subscriber.
#[derive(Clone)]
pub struct Marks {
    console: Arc<Console>,
    subscriber: &'static str,
}

impl Notices {
    pub(super) fn new(console: Arc<Console>, subscriber: &'static str) -> Self {
        Self { console, subscriber, read_to: None }
    }

    /// The handle that stores that all of a [`News`] was dealt with, whether shown or suppressed.
    pub fn marks(&self) -> Marks {
        Marks { console: self.console.clone(), subscriber: self.subscriber }
    }

    /// The notifications since the last look, or since the mark of an earlier run; to be called
    /// again whenever something has happened. None if there are none.
    pub async fn read(&mut self) -> Option<News> {
        let console = self.console.clone();
        let engine = console.engine.get().await?;
        let (from, first) = match self.read_to {
            Some(seq) => (seq, false),
            None => (self.begin(&engine).await?, true),
        };
        let happenings = read_after(&engine, from).await?;
        let up_to = happenings.last().map_or(from, |happening| happening.seq);
        self.read_to = Some(up_to);
        let mut tell = Vec::new();
        for happening in happenings.iter().filter(|happening| !is_own(&console, happening)) {
            let name = name_of(&console.zone, &engine, happening.session).await;
            let mut told = present::event::happening(happening, &name);
            match chat_news(&console, &engine, happening, &happenings, &name).await {
                ChatNews::NotChat => {}
                ChatNews::Text(text) => (told.text, told.notify) = (text, true),
                ChatNews::NoNews => told.notify = false,
            }
            if told.notify {
                tell.push(told);
            }
        }
        let tell = if console.access.state.is_locked() {
            without_names(tell.len())
        } else if first {
            after_a_break(tell, now())
        } else {
            tell.into_iter().map(Tell::Happened).collect()
        };
        (up_to > from).then_some(News { tell, up_to })
    }

    /// The event at which an earlier run stopped; the newest one if there was none.
    async fn begin(&self, engine: &Engine) -> Option<u64> {
        match engine.journal().seen(self.subscriber).await {
            Ok(Some(seq)) => return Some(seq),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "read up to where notifications were shown");
                return None;
            }
        }
        let newest = self.console.updates.newest();
        // Stored at once: if this run ends before the next event is shown, that event must not be
        // taken for old.
        note(engine, self.subscriber, newest).await;
        Some(newest)
    }
}

impl Marks {
    /// Stores that every event of `news` was dealt with.
    pub async fn dealt_with(&self, news: &News) {
        if let Some(engine) = self.console.engine.get().await {
            note(&engine, self.subscriber, news.up_to).await;
        }
    }
}

async fn note(engine: &Engine, subscriber: &str, seq: u64) {
    if let Err(error) = engine.journal().mark_seen(subscriber, seq).await {
        tracing::warn!(%error, "note up to where notifications were shown; they may come again");
    }
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
    let technician = console.access.technician();
    let newest = console.unread.newest(engine, happening.session, &technician).await;
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
fn without_names(things: usize) -> Vec<Tell> {
    match u32::try_from(things).unwrap_or(u32::MAX) {
        0 => Vec::new(),
        1 => vec![Tell::Summary("A session changed".to_owned())],
        many => vec![Tell::Summary(format!("{many} things happened in your sessions"))],
    }
}

/// The notifications that an earlier run didn't get to: one by one if few and new, else
/// in a sentence.
fn after_a_break(tell: Vec<view::EventView>, now: Timestamp) -> Vec<Tell> {
    let old = tell.iter().any(|happening| now.0.saturating_sub(happening.at) > NEWS);
    if old || tell.len() > ONE_BY_ONE {
        let many = u32::try_from(tell.len()).unwrap_or(u32::MAX);
        let things = count(many, "thing", "things");
        vec![Tell::Summary(format!("{things} happened while Deskhand was not running"))]
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
        };
        let tell = after_a_break(ages_ms.iter().map(happening).collect(), NOW);
        let text = |tell| match tell {
            Tell::Happened(happening) => happening.text,
            Tell::Summary(text) => text,
        };
        tell.into_iter().map(text).collect()
    }

    #[test]
    fn little_and_new_is_told_one_by_one() {
        assert_eq!(told(&[]), [""; 0]);
        assert_eq!(told(&[60_000, 0]), ["Maria Lopez is online"; 2]);
    }

    #[test]
    fn much_is_summed_up() {
        assert_eq!(told(&[0; 12]), ["12 things happened while Deskhand was not running"]);
    }

    #[test]
    fn what_is_old_is_not_told_as_if_it_were_news() {
        let summed = ["2 things happened while Deskhand was not running"];
        assert_eq!(told(&[NEWS + 1, 0]), summed);
        assert_eq!(told(&[NEWS + 1]), ["1 thing happened while Deskhand was not running"]);
    }
}
