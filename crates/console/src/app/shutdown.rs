//! The running parts as a stack of guards: each part that was started leaves behind how
//! it is closed.
//!
//! A failed start and the end of a console close the same stack, so both close in the same order:
//! the part that was started last is closed first.

use std::sync::Arc;

use engine::Watch;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use super::updates::Updates;

/// How to close every started part, in the order of their starts.
#[derive(Default)]
pub(super) struct Guards(Vec<BoxFuture<'static, ()>>);

impl Guards {
    /// Adds the closing of a part. A part that was never started may be closed, too.
    pub fn push(&mut self, close: impl Future<Output = ()> + Send + 'static) {
        self.0.push(Box::pin(close));
    }

    /// Closes everything.
    pub async fn close(mut self) {
        while let Some(close) = self.0.pop() {
            close.await;
        }
    }
}

impl Drop for Guards {
    fn drop(&mut self) {
        // A vector drops its first element first. That element holds the folder's lock, which must
        // outlive the folder's users.
        while self.0.pop().is_some() {}
    }
}

/// The tasks of a console, and its end.
pub(crate) struct Lifecycle {
    /// Keeps the tasks that must run as long as the console does; all others are spawned on its
    /// tracker.
    pub watch: Watch,
    /// Held by a change of settings and by the end, so that only one of them is under way.
    pub exclusive: tokio::sync::Mutex<()>,
    guards: Mutex<Guards>,
}

impl Lifecycle {
    pub fn new(updates: Arc<Updates>) -> Self {
        Self {
            watch: Watch::new(move || updates.announce()),
            exclusive: tokio::sync::Mutex::default(),
            guards: Mutex::default(),
        }
    }

    /// Takes over the guards, to close them at the end.
    pub(super) fn keep(&self, guards: Guards) {
        *self.guards.lock() = guards;
    }

    /// Ends the work under way, and closes all parts. A second caller waits for the first.
    pub async fn stop(&self) {
        self.watch.stopping.cancel();
        // A change of settings that is under way finishes first.
        let _exclusive = self.exclusive.lock().await;
        // Taken out, so that a second stop closes nothing again.
        let guards = std::mem::take(&mut *self.guards.lock());
        guards.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guards(closed: &Arc<Mutex<Vec<u8>>>) -> Guards {
        let mut guards = Guards::default();
        for step in [1, 2, 3] {
            let closed = closed.clone();
            guards.push(async move { closed.lock().push(step) });
        }
        guards
    }

    #[tokio::test]
    async fn what_was_started_last_is_closed_first() {
        let closed = Arc::default();
        guards(&closed).close().await;
        assert_eq!(*closed.lock(), [3, 2, 1]);
    }

    #[tokio::test]
    async fn a_second_stop_closes_nothing_twice() {
        let closed = Arc::default();
        let lifecycle = Lifecycle::new(Arc::new(Updates::new(None, 0)));
        lifecycle.keep(guards(&closed));
        lifecycle.stop().await;
        lifecycle.stop().await;
        assert_eq!(*closed.lock(), [3, 2, 1]);
        assert!(lifecycle.watch.stopping.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_fails_is_a_fault_until_it_is_well_and_feeds_look_each_time() {
        let updates = Arc::new(Updates::new(None, 0));
        let (mut changes, lifecycle) = (updates.changes(), Lifecycle::new(updates));
        let (mut runs, stopping) = (0, lifecycle.watch.stopping.clone());
        lifecycle.watch.keep("lock this console", move || {
            runs += 1;
            let (run, stopping) = (runs, stopping.clone());
            async move {
                assert!(run > 1, "the first run fails");
                stopping.cancelled().await;
            }
        });
        changes.changed().await.unwrap();
        let faults = lifecycle.watch.unwell();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].to_string().starts_with("lock this console: "), "{}", faults[0]);
        changes.changed().await.unwrap();
        assert_eq!(lifecycle.watch.unwell(), []);
        lifecycle.stop().await;
    }
}
