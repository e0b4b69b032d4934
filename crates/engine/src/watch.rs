//! Background tasks that nobody waits for. Each is watched: its end is a restart or a trouble that
//! the console shows, never silence.
//!
//! Invariant: a task that is kept ends for good only when `stopping` is cancelled.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Before the first restart, and doubled with each one after it...
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// ...up to this: so that a task that fails at once doesn't use up the processor.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A task that has run for this long counts as healthy again.
const WELL_AFTER: Duration = Duration::from_secs(60);

/// Starts background tasks, restarts those that end too early, and knows which of them have failed.
#[derive(Clone)]
pub struct Watch {
    /// Whoever cancels `stopping` waits for these.
    pub tasks: TaskTracker,
    pub stopping: CancellationToken,
    changed: Arc<dyn Fn() + Send + Sync>,
    unwell: Arc<Mutex<BTreeMap<&'static str, TaskFault>>>,
}

/// A task panicked; the panic hook has logged where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panicked;

/// Awaits `work` and turns a panic into an error.
pub(crate) async fn survive<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| Panicked)
}

impl Watch {
    /// `changed` is called whenever [`Self::unwell`] may give another answer.
    pub fn new(changed: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            changed: Arc::new(changed),
            unwell: Arc::default(),
        }
    }

    /// Runs the task that `make` creates until `stopping` is cancelled, and creates it anew whenever it
    /// ends earlier. `doing` completes "could not ...". State that must survive a panic belongs to
    /// `make`.
    pub fn keep<F>(&self, doing: &'static str, mut make: impl FnMut() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let watch = self.clone();
        self.tasks.spawn(async move {
            let mut pause = FIRST_PAUSE;
            loop {
                let mut run = Box::pin(survive(make()));
                if tokio::time::timeout(WELL_AFTER, &mut run).await.is_err() {
                    pause = FIRST_PAUSE;
                    watch.is_well(doing);
                    // A return and a panic are treated alike: the task is needed and doesn't run.
                    let _ = run.await;
                }
                if watch.stopping.is_cancelled() {
                    return;
                }
                tracing::error!(doing, "a background task ended and is started again");
                watch.is_unwell(doing, TaskFault::Restarted);
                let rest = tokio::time::sleep(pause);
                if watch.stopping.run_until_cancelled(rest).await.is_none() {
                    return;
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        });
    }

    /// Shows it when an actor that nobody supervises ends before the engine stops.
    pub fn actor(&self, doing: &'static str, ended: JoinHandle<()>) {
        let watch = self.clone();
        tokio::spawn(async move {
            let _ = ended.await;
            if !watch.stopping.is_cancelled() {
                tracing::error!(doing, "an actor that must keep running has ended");
                watch.is_unwell(doing, TaskFault::Ended);
            }
        });
    }

    /// The background tasks that have failed and are not yet stable.
    pub fn unwell(&self) -> Vec<BackgroundFault> {
        let unwell = self.unwell.lock();
        unwell.iter().map(|(&doing, &fault)| BackgroundFault { doing, fault }).collect()
    }

    fn is_unwell(&self, doing: &'static str, what: TaskFault) {
        self.unwell.lock().insert(doing, what);
        (self.changed)();
    }

    fn is_well(&self, doing: &'static str) {
        if self.unwell.lock().remove(doing).is_some() {
            (self.changed)();
        }
    }
}

/// A background task that doesn't run as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{doing}: {fault}")]
pub struct BackgroundFault {
    pub doing: &'static str,
    pub fault: TaskFault,
}

/// The consequence of a background task's early end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TaskFault {
    #[error("a part of Deskhand failed and was started again")]
    Restarted,
    #[error("a part of Deskhand failed")]
    Ended,
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::bus::Bus;

    const DOING: &str = "count the runs";

    /// A task that panics, or ends, as often as `fails` says and lives from then on; counts
    /// its runs.
    fn failing(watch: &Watch, fails: u32, panics: bool) -> Arc<AtomicU32> {
        let runs = Arc::new(AtomicU32::new(0));
        let (counted, stopping) = (runs.clone(), watch.stopping.clone());
        watch.keep(DOING, move || {
            let run = counted.fetch_add(1, Ordering::Relaxed);
            let stopping = stopping.clone();
            async move {
                if run < fails {
                    assert!(!panics, "run {run}");
                    return;
                }
                stopping.cancelled().await;
            }
        });
        runs
    }

    async fn after(time: Duration) {
        tokio::time::sleep(time).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_runs_again_and_is_a_trouble_until_it_has_been_well_for_a_while() {
        let watch = Watch::new(|| {});
        let runs = failing(&watch, 2, true);
        after(Duration::from_secs(1)).await;
        assert_eq!(runs.load(Ordering::Relaxed), 3);
        assert_eq!(watch.unwell(), [BackgroundFault { doing: DOING, fault: TaskFault::Restarted }]);
        after(WELL_AFTER).await;
        assert_eq!(watch.unwell(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_just_ends_is_no_less_of_a_trouble() {
        let watch = Watch::new(|| {});
        let runs = failing(&watch, 1, false);
        after(Duration::from_secs(1)).await;
        assert_eq!((runs.load(Ordering::Relaxed), watch.unwell().len()), (2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_cannot_live_is_tried_less_and_less_often() {
        let watch = Watch::new(|| {});
        let runs = failing(&watch, u32::MAX, true);
        after(Duration::from_secs(60)).await;
        let first = runs.load(Ordering::Relaxed);
        assert!((9..=11).contains(&first), "{first} runs in the first minute");
        after(Duration::from_secs(600)).await;
        let then = runs.load(Ordering::Relaxed) - first;
        assert!((19..=21).contains(&then), "{then} runs in ten minutes");
    }

    #[tokio::test(start_paused = true)]
    async fn the_engines_end_ends_it_and_is_no_trouble() {
        let watch = Watch::new(|| {});
        let runs = failing(&watch, 0, true);
        after(Duration::from_secs(1)).await;
        watch.stopping.cancel();
        watch.tasks.close();
        watch.tasks.wait().await;
        assert_eq!((runs.load(Ordering::Relaxed), watch.unwell().len()), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn an_actor_that_ends_is_a_trouble_for_good() {
        let watch = Watch::new(|| {});
        watch.actor(DOING, tokio::spawn(async { panic!("a bug") }));
        after(WELL_AFTER * 2).await;
        assert_eq!(watch.unwell(), [BackgroundFault { doing: DOING, fault: TaskFault::Ended }]);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_shows_troubles_is_told_of_each() {
        let bus = Arc::new(Bus::default());
        let mut told = bus.subscribe();
        told.changed().await;
        let watch = Watch::new(move || bus.health_changed());
        failing(&watch, 1, true);
        assert!(told.changed().await.health);
        after(Duration::from_millis(1)).await;
        assert_eq!(watch.unwell().len(), 1);
        assert!(told.changed().await.health, "it is well again");
        assert_eq!(watch.unwell().len(), 0);
    }
}
