//! What has been seen on the feed so far, and waiting for what shall be seen next.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::{Instant, timeout_at};

use crate::{
    app::Feed,
    view::{ConsoleView, EventView, Push, RegionsView, SessionDetail, SessionRow},
};

/// Everything that was pushed, the newest of each kind and all that happened.
#[derive(Default)]
pub struct Seen {
    /// The console.
    pub console: Option<ConsoleView>,
    /// Rows by session.
    pub rows: BTreeMap<String, SessionRow>,
    /// Details by session.
    pub details: BTreeMap<String, SessionDetail>,
    /// The regions' race.
    pub regions: Option<RegionsView>,
    /// All that happened, in its order.
    pub happenings: Vec<EventView>,
}

/// A feed that is watched.
pub struct Watch {
    feed: Feed,
    /// Everything that was pushed so far.
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
            Push::Detail(detail) => {
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

    /// Waits until `look` finds what it looks for; none if it doesn't within `patience`, or the
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
