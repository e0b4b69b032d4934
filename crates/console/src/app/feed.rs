//! A subscriber's feed: the whole present state, then the changes. An idle subscriber gets a change
//! at once; while there is much, batches come at most once a frame.
//!
//! A slow subscriber delays nobody: a batch is made only when the subscriber can take it, from the
//! state at that moment. States may be skipped; events are read from the journal by number and
//! never are.

mod pace;
mod sent_chat;
mod views;

use std::{collections::HashMap, sync::Arc, time::Instant};

use engine::{Changes, Engine, Race, Subscription};
use tokio::sync::{mpsc, watch};

use self::{pace::Pace, sent_chat::SentChat};
use super::Console;
use crate::view::{ConsoleView, Push, RegionsView, SessionRow};

pub(crate) use self::views::{detail_for_file, detail_of, name as name_of, quitting, setting};

/// How many events are read at a time.
const PAGE: u32 = 500;

/// A subscription; it ends when dropped.
pub struct Feed {
    batches: mpsc::Receiver<Vec<Push>>,
}

impl Feed {
    /// The next batch; none once the console has stopped. May be dropped while it waits.
    pub async fn next(&mut self) -> Option<Vec<Push>> {
        self.batches.recv().await
    }

    pub(super) fn start(console: Arc<Console>, details: bool) -> Self {
        let (out, batches) = mpsc::channel(1);
        let tasks = console.lifecycle.watch.tasks.clone();
        let cursor = console.updates.start_of_feed();
        tasks.spawn(async move {
            let stopping = console.lifecycle.watch.stopping.clone();
            let feeding = Feeding { console, out, details, sent: Sent::default(), cursor };
            tokio::select! {
                () = feeding.run() => {}
                () = stopping.cancelled() => {}
            }
        });
        Self { batches }
    }
}

struct Feeding {
    console: Arc<Console>,
    out: mpsc::Sender<Vec<Push>>,
    /// Whether the subscriber wants the session on screen, too.
    details: bool,
    sent: Sent,
    /// The number of the newest event that was sent.
    cursor: u64,
}

/// The views that the subscriber has, in order to leave out those that didn't change.
#[derive(Default)]
struct Sent {
    rows: HashMap<String, SessionRow>,
    console: Option<ConsoleView>,
    regions: Option<RegionsView>,
    chat: SentChat,
    /// All views but the console's were taken back.
    locked: bool,
}

/// The changes that may have come since the last batch.
#[derive(Default)]
struct News {
    changes: Changes,
    /// A change that no snapshot shows.
    beside: bool,
    race: bool,
    on_screen: bool,
}

/// The sources of one engine's news.
struct Sources {
    snapshots: Subscription,
    race: watch::Receiver<Option<Race>>,
}

impl Feeding {
    async fn run(mut self) {
        let mut generation = self.console.engine.generations();
        let mut changed = self.console.updates.changes();
        let mut on_screen = self.console.updates.on_screen.subscribe();
        let mut pace = Pace::new(Instant::now());
        loop {
            generation.mark_unchanged();
            let engine = self.console.engine.get().await;
            let sources = engine
                .as_deref()
                .map(|engine| Sources { snapshots: engine.subscribe(), race: engine.race() });
            drop(engine);
            // The first batch has everything.
            let mut news = News::all();
            news.changes.happened = false;
            let Some(mut sources) = sources else {
                if !self.send(news).await || generation.changed().await.is_err() {
                    return;
                }
                continue;
            };
            loop {
                // Changes that come meanwhile go out with the next batch.
                tokio::time::sleep_until(pace.next().into()).await;
                news.add(tokio::select! {
                    changes = sources.snapshots.changed() => News { changes, ..News::default() },
                    Ok(()) = changed.changed() => News { beside: true, ..News::default() },
                    Ok(()) = sources.race.changed() => News { race: true, ..News::default() },
                    Ok(()) = on_screen.changed() => News { on_screen: true, ..News::default() },
                    Ok(()) = generation.changed() => break,
                    else => return,
                });
                if !self.send(std::mem::take(&mut news)).await {
                    return;
                }
                pace.went(Instant::now());
            }
        }
    }

    /// Makes a batch of `news` as soon as the subscriber can take it; false once the
    /// subscriber is gone.
    async fn send(&mut self, news: News) -> bool {
        let Ok(permit) = self.out.clone().reserve_owned().await else { return false };
        let cursor = self.cursor;
        let mut batch = self.batch(news).await;
        if self.console.access.state.is_locked() && !self.sent.locked {
            // The console was locked while the batch was made: its events are sent after the next
            // sign-in.
            self.cursor = cursor;
            batch = self.batch(News::default()).await;
        }
        if !batch.is_empty() {
            permit.send(batch);
        }
        true
    }

    async fn batch(&mut self, news: News) -> Vec<Push> {
        let console = self.console.clone();
        let guard = console.engine.get().await;
        let engine = guard.as_deref();
        let mut batch = Vec::new();
        if console.access.state.is_locked() && news.changes.happened {
            // A locked subscriber learns that something happened, but not what: the console's view
            // is sent again, and whoever shows notices then looks for them.
            self.sent.console = None;
        }
        if let Some(view) = self.sent.console(views::console(&console, engine)) {
            batch.push(Push::Console(Box::new(view)));
        }
        if console.access.state.is_locked() {
            self.sent.lock(&mut batch);
            return batch;
        }
        let news = if std::mem::take(&mut self.sent.locked) { News::all() } else { news };
        let Some(engine) = engine else { return batch };
        // Events are read first and sent last, so that a subscriber who gets an event already has
        // the state that it made.
        let mut told = Vec::new();
        if news.changes.happened {
            self.happenings(engine, &mut told).await;
        }
        for id in &news.changes.gone {
            let id = id.to_string();
            self.sent.rows.remove(&id);
            batch.push(Push::Gone { id });
        }
        self.rows(engine, &news, &mut batch);
        self.detail(engine, &news, &mut batch).await;
        if news.race {
            let race = engine.race().borrow().as_ref().map(crate::present::region_race::running);
            if let Some(view) = race
                && self.sent.regions.as_ref() != Some(&view)
            {
                self.sent.regions = Some(view.clone());
                batch.push(Push::Regions(view));
            }
        }
        batch.append(&mut told);
        batch
    }

    fn rows(&mut self, engine: &Engine, news: &News, batch: &mut Vec<Push>) {
        let all = if news.beside { engine.snapshots() } else { Vec::new() };
        for known in all.iter().chain(&news.changes.snapshots) {
            let revision = self.console.updates.next_revision();
            // Read after the revision is taken: a later change gets a higher one.
            let Some(snapshot) = engine.snapshot(known.id) else { continue };
            let row = views::row(&self.console, &snapshot, revision);
            if let Some(row) = self.sent.row(row) {
                batch.push(Push::Row(row));
            }
        }
    }

    async fn detail(&mut self, engine: &Engine, news: &News, batch: &mut Vec<Push>) {
        let on_screen = *self.console.updates.on_screen.borrow();
        let Some(id) = on_screen.filter(|_| self.details) else { return };
        let touched = news.beside
            || news.on_screen
            || news.changes.snapshots.iter().any(|snapshot| snapshot.id == id);
        if touched {
            match detail_of(&self.console, engine, id).await {
                Ok(mut detail) => {
                    let (session, chat) = (&detail.row.id, &mut detail.chat);
                    detail.chat_after = self.sent.chat.leave_out_sent(session, chat);
                    batch.push(Push::Detail(Box::new(detail)));
                }
                Err(trouble) => tracing::warn!(text = trouble.text, "show the session on screen"),
            }
        }
    }

    async fn happenings(&mut self, engine: &Engine, batch: &mut Vec<Push>) {
        loop {
            let happenings = match engine.journal().events_after(self.cursor, PAGE).await {
                Ok(happenings) => happenings,
                Err(error) => return tracing::warn!(%error, "read what happened"),
            };
            let Some(last) = happenings.last().map(|happening| happening.seq) else { return };
            for happening in &happenings {
                let name = views::name(&self.console.zone, engine, happening.session).await;
                batch.push(Push::Event(crate::present::event::happening(happening, &name)));
            }
            self.cursor = last;
        }
    }
}

impl News {
    fn all() -> Self {
        let changes = Changes { happened: true, ..Changes::default() };
        Self { changes, beside: true, race: true, on_screen: true }
    }

    fn add(&mut self, more: Self) {
        self.changes.snapshots.extend(more.changes.snapshots);
        self.changes.gone.extend(more.changes.gone);
        self.changes.happened |= more.changes.happened;
        self.changes.health |= more.changes.health;
        self.beside |= more.beside;
        self.race |= more.race;
        self.on_screen |= more.on_screen;
    }
}

impl Sent {
    /// Takes back all views but the console's: nobody's name is shown while it is locked.
    fn lock(&mut self, batch: &mut Vec<Push>) {
        batch.extend(self.rows.drain().map(|(id, _)| Push::Gone { id }));
        self.regions = None;
        self.chat = SentChat::default();
        self.locked = true;
    }

    /// The row, unless the subscriber has the same one already.
    fn row(&mut self, row: SessionRow) -> Option<SessionRow> {
        let same = |old: &SessionRow| SessionRow { revision: row.revision, ..old.clone() } == row;
        if self.rows.get(&row.id).is_some_and(same) {
            return None;
        }
        self.rows.insert(row.id.clone(), row.clone());
        Some(row)
    }

    /// The console's view, if it differs from the one that the subscriber has.
    fn console(&mut self, view: ConsoleView) -> Option<ConsoleView> {
        let same =
            |old: &ConsoleView| ConsoleView { revision: view.revision, ..old.clone() } == view;
        if self.console.as_ref().is_some_and(same) {
            return None;
        }
        self.console = Some(view.clone());
        Some(view)
    }
}
