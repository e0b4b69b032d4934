//! How long something new waits inside of the broker before a worker begins with it, and how much of that is the machine:
//! for how long a thread that wants to run doesn't.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use tokio::runtime::Handle;

const EVERY: Duration = Duration::from_millis(2);

/// What was measured since it was asked for last, in microseconds.
#[derive(Debug, Default, Clone)]
pub struct Waits(Arc<Mutex<[Vec<u64>; 2]>>);

impl Waits {
    /// Begins to measure, in a thread beside this runtime, as long as the process lives.
    pub fn start() -> Self {
        let (waits, runtime) = (Self::default(), Handle::current());
        let noted = waits.clone();
        thread::spawn(move || {
            loop {
                let asleep = Instant::now();
                thread::sleep(EVERY);
                noted.note(0, asleep.elapsed().saturating_sub(EVERY));
                let (asked, noted) = (Instant::now(), noted.clone());
                runtime.spawn(async move { noted.note(1, asked.elapsed()) });
            }
        });
        waits
    }

    fn note(&self, which: usize, took: Duration) {
        self.0.lock().unwrap()[which].push(u64::try_from(took.as_micros()).unwrap());
    }

    /// The 50th and the 99th percentile of the machine's waits, and of a worker's.
    pub fn take(&self) -> [u64; 4] {
        let [mut machine, mut worker] = std::mem::take(&mut *self.0.lock().unwrap());
        let of = |waits: &mut Vec<u64>, percent| {
            waits.sort_unstable();
            waits.get(waits.len() * percent / 100).copied().unwrap_or_default()
        };
        [of(&mut machine, 50), of(&mut machine, 99), of(&mut worker, 50), of(&mut worker, 99)]
    }
}
