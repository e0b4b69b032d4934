//! Counts the key exchanges that broke off before they were whole.
//!
//! Whoever sits in the middle learns with this program's answer which words the customer would see.
//! If those aren't the words that the viewer sees, it can drop the exchange and try another: each
//! is one guess in 2^33 (crate `seal`). So each that is answered and never completed counts, also
//! if the connection is lost meanwhile, which a middle can do too. [`MOST`] within [`WINDOW`] end
//! the sharing, so a middle that stays below has 48 guesses a day. A poor network has to break off
//! three times an hour exactly in the one round trip that an exchange takes.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::Instant,
};

/// So many exchanges that broke off end the sharing.
const MOST: usize = 3;
/// Those before this time are forgotten.
const WINDOW: Duration = Duration::from_secs(3600);

/// Admits one exchange at a time: many at once would be as many guesses before the first counts, and
/// one outage would break them all.
#[derive(Clone)]
pub(crate) struct Exchanges {
    turn: Arc<Semaphore>,
    broken: mpsc::UnboundedSender<()>,
}

/// An exchange whose turn it is. Once answered it counts as broken off, unless it is completed.
pub(crate) struct Exchange {
    _turn: OwnedSemaphorePermit,
    answered: bool,
    broken: mpsc::UnboundedSender<()>,
}

/// The exchanges that broke off lately.
#[derive(Debug, Default)]
pub(crate) struct BrokenOff(VecDeque<Instant>);

impl Exchanges {
    /// The admission, and the channel on which each exchange that broke off is reported.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<()>) {
        let (broken, reports) = mpsc::unbounded_channel();
        (Self { turn: Arc::new(Semaphore::new(1)), broken }, reports)
    }

    /// Waits for this exchange's turn.
    pub async fn begin(&self) -> Option<Exchange> {
        let turn = Arc::clone(&self.turn).acquire_owned().await.ok()?;
        Some(Exchange { _turn: turn, answered: false, broken: self.broken.clone() })
    }
}

impl Exchange {
    /// To be called before the viewer is answered.
    pub const fn answered(&mut self) {
        self.answered = true;
    }

    /// The viewer has kept to what it committed to, and its words are shown from here on.
    pub fn completed(mut self) {
        self.answered = false;
    }
}

// Not a method: a task that is aborted calls none.
impl Drop for Exchange {
    fn drop(&mut self) {
        if self.answered {
            let _ = self.broken.send(());
        }
    }
}

impl BrokenOff {
    /// Counts one; true if that is one too many.
    pub fn one_too_many(&mut self, now: Instant) -> bool {
        self.0.retain(|at| now.duration_since(*at) < WINDOW);
        self.0.push_back(now);
        self.0.len() >= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_within_an_hour_are_too_many_and_three_in_a_day_are_not() {
        let start = Instant::now();
        let at = |minutes: u64| start + Duration::from_secs(minutes * 60);
        let mut poor = BrokenOff::default();
        assert!([0, 31, 62, 93, 124].iter().all(|minutes| !poor.one_too_many(at(*minutes))));
        let mut attacked = BrokenOff::default();
        let counted = [0, 20, 59].map(|minutes| attacked.one_too_many(at(minutes)));
        assert_eq!(counted, [false, false, true]);
    }

    #[tokio::test]
    async fn an_exchange_that_is_dropped_counts_and_lets_the_next_one_in() {
        let (exchanges, mut broken) = Exchanges::new();
        let answered = async || {
            let mut exchange = exchanges.begin().await.unwrap();
            exchange.answered();
            exchange
        };
        answered().await.completed();
        drop(exchanges.begin().await.unwrap());
        assert!(broken.try_recv().is_err());
        drop(answered().await);
        assert_eq!(broken.try_recv(), Ok(()));
    }
}
