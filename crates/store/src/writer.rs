//! The group-commit writer: a thread that takes everything queued, writes it in one transaction, and
//! answers afterwards. While it waits for the disk, the next batch gathers.

use std::{
    future::Future,
    pin::Pin,
    sync::mpsc::{Receiver, Sender, channel},
    task::{Context, Poll},
    thread::JoinHandle,
};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{StoreError, WriteConnection, fault, io_fault};

/// The most writes that one transaction takes.
const BATCH: usize = 1024;

/// What a writer writes to: a connection, and what is counted in memory beside it.
pub trait Transactional: Send + 'static {
    /// The connection that the writer's transactions are on.
    fn connection(&self) -> &Connection;

    /// Called at the end of each transaction, before the commit; an error rolls it back.
    ///
    /// # Errors
    /// Any reason for which the transaction must not be committed.
    fn before_commit(&mut self, _doing: &'static str) -> Result<(), StoreError> {
        Ok(())
    }

    /// Called once a transaction is committed.
    fn committed(&mut self) {}

    /// Called once a transaction was rolled back, so that nothing in memory is ahead of the disk.
    fn rolled_back(&mut self) {}
}

impl Transactional for WriteConnection {
    fn connection(&self) -> &Connection {
        self
    }
}

/// Writes something that changes nothing: the version that the database has already. Committed, it shows that the
/// disk takes writes.
///
/// # Errors
/// The disk's.
pub fn probe_write(connection: &Connection, doing: &'static str) -> Result<(), StoreError> {
    const VERSION: &str = "user_version";
    let version: i64 =
        connection.pragma_query_value(None, VERSION, |row| row.get(0)).map_err(fault(doing))?;
    connection.pragma_update(None, VERSION, version).map_err(fault(doing))
}

/// A write that is not committed yet: a future of its result. Dropping it doesn't undo the write.
#[must_use = "a write may fail"]
#[derive(Debug)]
pub struct PendingWrite<T> {
    doing: &'static str,
    outcome: oneshot::Receiver<Result<T, StoreError>>,
}

impl<T> Future for PendingWrite<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let doing = self.doing;
        Pin::new(&mut self.outcome)
            .poll(context)
            .map(|outcome| outcome.unwrap_or(Err(StoreError::Closed { doing })))
    }
}

impl<T> PendingWrite<T> {
    /// A result that needs no write.
    pub fn ready(doing: &'static str, value: T) -> Self {
        let (answer, outcome) = oneshot::channel();
        let _ = answer.send(Ok(value));
        Self { doing, outcome }
    }

    /// Waits on this thread, which must not be an async one.
    ///
    /// # Errors
    /// The write's.
    pub fn wait(self) -> Result<T, StoreError> {
        let doing = self.doing;
        self.outcome.blocking_recv().unwrap_or(Err(StoreError::Closed { doing }))
    }
}

/// The thread's handle. Dropped, it waits until what is queued is written and the database is closed.
#[derive(Debug)]
pub struct Writer<L> {
    /// None once it is closed.
    queue: Mutex<Option<Sender<Box<dyn Job<L>>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<L: Transactional> Writer<L> {
    /// Starts the thread `name`, which writes to `ledger`.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the operating system gives no thread.
    pub fn start(name: &str, ledger: L) -> Result<Self, StoreError> {
        let (queue, jobs) = channel();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || run(ledger, &jobs))
            .map_err(io_fault("start a database's writer"))?;
        Ok(Self { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)) })
    }

    /// Queues `work` behind what is queued already. It may run more than once, of which only the last
    /// run is committed.
    pub fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl Fn(&mut L) -> Result<T, StoreError> + Send + 'static,
    ) -> PendingWrite<T> {
        let (answer, outcome) = oneshot::channel();
        if let Some(queue) = &*self.queue.lock() {
            // Refused only when the thread is gone: the answer's other end is dropped then.
            let _ = queue.send(Box::new(Task { doing, work, done: None, answer }));
        }
        PendingWrite { doing, outcome }
    }
}

impl<L> Writer<L> {
    /// Takes no more writes; what is queued is still written.
    pub fn close(&self) {
        self.queue.lock().take();
    }

    /// Closes it, and waits until all is written and the database is closed. Blocks.
    pub fn finish(&self) {
        self.close();
        // Taken first: a second caller needn't wait for the lock while the first one joins.
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl<L> Drop for Writer<L> {
    fn drop(&mut self) {
        self.finish();
    }
}

trait Job<L>: Send {
    fn doing(&self) -> &'static str;
    fn run(&mut self, ledger: &mut L) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Task<T, F> {
    doing: &'static str,
    work: F,
    done: Option<T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<L, T, F> Job<L> for Task<T, F>
where
    T: Send,
    F: Fn(&mut L) -> Result<T, StoreError> + Send,
{
    fn doing(&self) -> &'static str {
        self.doing
    }

    fn run(&mut self, ledger: &mut L) -> Result<(), StoreError> {
        self.done = Some((self.work)(ledger)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let closed = StoreError::Closed { doing: self.doing };
        let Self { done, answer, .. } = *self;
        // Nobody may wait for the result any more; the write is valid all the same.
        let _ = answer.send(outcome.and_then(|()| done.ok_or(closed)));
    }
}

fn run<L: Transactional>(mut ledger: L, jobs: &Receiver<Box<dyn Job<L>>>) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        batch.extend(jobs.try_iter().take(BATCH - 1));
        commit(&mut ledger, batch);
    }
}

fn commit<L: Transactional>(ledger: &mut L, mut batch: Vec<Box<dyn Job<L>>>) {
    let outcome = write(ledger, &mut batch);
    if outcome.is_err() && batch.len() > 1 {
        // One by one, so that a bad write fails alone and a small one may still fit.
        for job in batch {
            commit(ledger, vec![job]);
        }
    } else {
        for job in batch {
            job.answer(outcome.clone());
        }
    }
}

/// Runs a batch in one transaction: all of it, or nothing.
fn write<L: Transactional>(
    ledger: &mut L,
    batch: &mut [Box<dyn Job<L>>],
) -> Result<(), StoreError> {
    let doing = batch.first().map_or("write to the database", |job| job.doing());
    let outcome = execute(ledger, "BEGIN IMMEDIATE", doing)
        .and_then(|()| batch.iter_mut().try_for_each(|job| job.run(ledger)))
        .and_then(|()| ledger.before_commit(doing))
        .and_then(|()| execute(ledger, "COMMIT", doing));
    if outcome.is_ok() {
        ledger.committed();
    } else {
        // SQLite has rolled back by itself after some errors, such as a full disk.
        if !ledger.connection().is_autocommit() {
            let _ = execute(ledger, "ROLLBACK", doing);
        }
        ledger.rolled_back();
    }
    outcome
}

fn execute<L: Transactional>(ledger: &L, sql: &str, doing: &'static str) -> Result<(), StoreError> {
    let mut statement = ledger.connection().prepare_cached(sql).map_err(fault(doing))?;
    statement.execute([]).map(drop).map_err(fault(doing))
}

#[cfg(test)]
mod tests {
    use rusqlite_migration::M;

    use super::*;
    use crate::{Definition, Durability, Sharing};

    const NUMBERS: Definition = Definition {
        opening: "open the numbers",
        migrations: &[M::up("CREATE TABLE numbers(number INTEGER PRIMARY KEY);")],
        sharing: Sharing::Shared,
        durability: Durability::ProcessEnd,
        settings: "",
        statements: 8,
    };

    fn add(writer: &Writer<WriteConnection>, number: u32) -> PendingWrite<()> {
        writer.write("add a number", move |c| {
            c.execute("INSERT INTO numbers VALUES (?1)", [number]).map(drop).map_err(fault("add"))
        })
    }

    #[test]
    fn a_bad_write_fails_alone_and_what_is_queued_is_written_before_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("numbers.db");
        let writer = Writer::start("numbers", NUMBERS.open(&path, None).unwrap()).unwrap();
        let answers: Vec<_> = [1, 2, 2, 3].map(|number| add(&writer, number)).into();
        writer.finish();
        let late = add(&writer, 4);
        let good: Vec<_> = answers.into_iter().map(|answer| answer.wait().is_ok()).collect();
        assert_eq!(good, [true, true, false, true]);
        assert_eq!(late.wait(), Err(StoreError::Closed { doing: "add a number" }));
        let reader = NUMBERS.open_reader(&path, None).unwrap();
        let sum: u32 =
            reader.query_row("SELECT sum(number) FROM numbers", [], |r| r.get(0)).unwrap();
        assert_eq!(sum, 6);
    }
}
