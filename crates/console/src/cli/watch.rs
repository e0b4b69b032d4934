//! The views and events that came on a feed so far, and waiting for further ones.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::{Instant, timeout_at};

use crate::{
    app::Feed,
    view::{ConsoleView, EventView, Push, RegionsView, SessionDetail, SessionRow},
};

/// The newest of each kind of view, and all events.
#[derive(Default)]
pub struct Seen {
    /// The console.
    pub console: Option<ConsoleView>,
    /// Rows by session.
    pub rows: BTreeMap<String, SessionRow>,
    /// The details of each session.
    pub details: BTreeMap<String, SessionDetail>,
    pub regions: Option<RegionsView>,
    /// All events, in their order.
    pub happenings: Vec<EventView>,
}

/// A feed with everything that it has pushed.
pub struct Watch {
    feed: Feed,
    /// Everything pushed so far.
    pub seen: Seen,
}

impl Seen {
    /// How often `event` happened in `session`.
    pub fn count(&self, session: &str, event: &str) -> usize {
        let of = |happening: &&EventView| happening.session == session && happening.event == event;
        self.happenings.iter().filter(of).count()
    }

    fn take(&mut self, push: Push) {
        match push {
            Push::Console(console) => self.console = Some(*console),
            Push::Row(row) => {
                self.rows.insert(row.id.clone(), row);
            }
            Push::Gone { id } => {
                self.rows.remove(&id);
            }
            Push::Detail(mut detail) => {
                if let Some(known) = self.details.get(&detail.row.id) {
                    detail.continue_chat(&known.chat);
                }
                self.details.insert(detail.row.id.clone(), *detail);
            }
            Push::Regions(regions) => self.regions = Some(regions),
            Push::Event(happening) => self.happenings.push(happening),
        }
    }
}

impl Watch {
    /// Watches a feed.
    pub fn new(feed: Feed) -> Self {
        Self { feed, seen: Seen::default() }
    }

    /// Waits until `look` finds something; none if it doesn't within `patience`, or if the
    /// feed has ended.
    pub async fn until<T>(
        &mut self,
        patience: Duration,
        mut look: impl FnMut(&Seen) -> Option<T>,
    ) -> Option<T> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(found) = look(&self.seen) {
                return Some(found);
            }
            let pushes = timeout_at(deadline, self.feed.next()).await.ok()??;
            pushes.into_iter().for_each(|push| self.seen.take(push));
        }
    }
}
