//! The one writer: a thread that takes everything queued, writes it in one transaction, and answers
//! afterwards. While it waits for the disk, the next batch gathers.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    task::{Context, Poll},
    thread::JoinHandle,
    time::Duration,
};

use tokio::sync::oneshot;

use super::ledger::Ledger;
use crate::sqlite::StoreError;

/// How long a lock of another connection is waited for.
pub(super) const BUSY: Duration = Duration::from_secs(5);
/// The most writes that one transaction takes.
const BATCH: usize = 1024;

/// What a write will answer once it is on the disk. Dropping it doesn't undo the write.
#[must_use = "a write may fail"]
pub struct Answer<T> {
    doing: &'static str,
    outcome: oneshot::Receiver<Result<T, StoreError>>,
}

impl<T> Future for Answer<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let doing = self.doing;
        Pin::new(&mut self.outcome)
            .poll(context)
            .map(|outcome| outcome.unwrap_or(Err(StoreError::Closed { doing })))
    }
}

impl<T> Answer<T> {
    /// Waits on this thread, which must not be an async one.
    ///
    /// # Errors
    /// The write's.
    pub fn wait(self) -> Result<T, StoreError> {
        let doing = self.doing;
        self.outcome.blocking_recv().unwrap_or(Err(StoreError::Closed { doing }))
    }
}

/// Makes writes fail on demand, for tests of what happens then. Clones switch the same fault.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<(Mutex<Option<Fault>>, Condvar)>);

/// How writes fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// As on a full disk.
    DiskFull,
    /// As on a broken one.
    Io,
    /// They wait, as for a disk that starts up, until the fault is over.
    Hangs,
}

impl Faults {
    /// From now on every write fails so; none: writes succeed again.
    pub fn set(&self, fault: Option<Fault>) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        self.0.1.notify_all();
    }

    fn check(&self, doing: &'static str) -> Result<(), StoreError> {
        let fault = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hangs = |fault: &mut Option<Fault>| matches!(fault, Some(Fault::Hangs));
        match *self.0.1.wait_while(fault, hangs).unwrap_or_else(PoisonError::into_inner) {
            None | Some(Fault::Hangs) => Ok(()),
            Some(Fault::DiskFull) => Err(StoreError::DiskFull { doing }),
            Some(Fault::Io) => Err(StoreError::Io { doing, why: "a fault was asked for".into() }),
        }
    }
}

/// The thread's handle; dropped, it writes what is queued and ends.
pub(super) struct Writer {
    queue: Option<Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(ledger: Ledger, faults: Faults) -> Result<Self, StoreError> {
        let (queue, jobs) = channel();
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || run(ledger, &jobs, &faults))
            .map_err(crate::sqlite::io_fault("start the journal's writer"))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Queues `work`, which may run more than once: only its last run is committed.
    pub fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl Fn(&mut Ledger) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<T> {
        let (answer, outcome) = oneshot::channel();
        let job = Task { doing, work, done: None, answer };
        if let Some(queue) = &self.queue {
            // Refused only when the thread is gone: the answer's other end is dropped then.
            let _ = queue.send(Box::new(job));
        }
        Answer { doing, outcome }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

trait Job: Send {
    fn doing(&self) -> &'static str;
    fn run(&mut self, ledger: &mut Ledger) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Task<T, F> {
    doing: &'static str,
    work: F,
    done: Option<T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: Fn(&mut Ledger) -> Result<T, StoreError> + Send,
{
    fn doing(&self) -> &'static str {
        self.doing
    }

    fn run(&mut self, ledger: &mut Ledger) -> Result<(), StoreError> {
        self.done = Some((self.work)(ledger)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let closed = StoreError::Closed { doing: self.doing };
        let Self { done, answer, .. } = *self;
        // Whoever asked may be gone; the write stands.
        let _ = answer.send(outcome.and_then(|()| done.ok_or(closed)));
    }
}

fn run(mut ledger: Ledger, jobs: &Receiver<Box<dyn Job>>, faults: &Faults) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        batch.extend(jobs.try_iter().take(BATCH - 1));
        commit(&mut ledger, batch, faults);
    }
}

fn commit(ledger: &mut Ledger, mut batch: Vec<Box<dyn Job>>, faults: &Faults) {
    let outcome = write(ledger, &mut batch, faults);
    if outcome.is_err() && batch.len() > 1 {
        // One by one, so that a bad write fails alone and a small one may still fit.
        for job in batch {
            commit(ledger, vec![job], faults);
        }
    } else {
        for job in batch {
            job.answer(outcome.clone());
        }
    }
}

fn write(
    ledger: &mut Ledger,
    batch: &mut [Box<dyn Job>],
    faults: &Faults,
) -> Result<(), StoreError> {
    let doing = batch.first().map_or("write the journal", |job| job.doing());
    ledger.in_transaction(doing, |ledger| {
        batch.iter_mut().try_for_each(|job| job.run(ledger))?;
        faults.check(doing)
    })
}
