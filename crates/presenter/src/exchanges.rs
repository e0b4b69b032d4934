//! Counts the key exchanges by which somebody in the middle could guess the words.
//!
//! Whoever sits in the middle learns with this program's answer which words the customer would see.
//! If those aren't the words that the viewer sees, it can drop the exchange and try another: each
//! is one guess in 2^33 (crate `seal`). So each that is answered and never completed counts, also
//! if the connection is lost meanwhile, which a middle can do too. [`MOST_BROKEN_OFF`] within
//! [`WINDOW`] end the sharing, so a middle that stays below has 48 such guesses a day. A poor
//! network has to break off three times an hour exactly in the one round trip that an exchange takes.
//!
//! A middle can also complete the exchange and only then look whether the words agree. So each that
//! makes a new key counts as well, up to [`MOST_NEW`]: about 1,500 guesses a day, and more new keys
//! than the viewers of one session need. Who is known again has the words of before, so that is none.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::Instant,
};

/// So many exchanges that broke off end the sharing.
const MOST_BROKEN_OFF: usize = 3;
/// So many new keys within [`WINDOW`] end the sharing: each is a guess too, also if its exchange was
/// whole.
const MOST_NEW: usize = 64;
/// Those before this time are forgotten.
const WINDOW: Duration = Duration::from_secs(3600);

/// Admits one exchange at a time: many at once would be as many guesses before the first counts, and
/// one outage would break them all.
#[derive(Clone)]
pub(crate) struct Exchanges {
    turn: Arc<Semaphore>,
    guesses: mpsc::UnboundedSender<Guess>,
}

/// An exchange whose turn it is. Once answered it counts as broken off, unless it is completed.
pub(crate) struct Exchange {
    _turn: OwnedSemaphorePermit,
    answered: bool,
    guesses: mpsc::UnboundedSender<Guess>,
}

/// An exchange that may have been a guess at the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guess {
    /// It was answered and never completed.
    BrokenOff,
    /// It was whole, with an end that wasn't known from before.
    NewKey,
}

/// The guesses of late.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    broken_off: VecDeque<Instant>,
    new: VecDeque<Instant>,
}

impl Exchanges {
    /// The admission, and the channel on which each guess is reported.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Guess>) {
        let (guesses, reports) = mpsc::unbounded_channel();
        (Self { turn: Arc::new(Semaphore::new(1)), guesses }, reports)
    }

    /// Waits for this exchange's turn.
    pub async fn begin(&self) -> Option<Exchange> {
        let turn = Arc::clone(&self.turn).acquire_owned().await.ok()?;
        Some(Exchange { _turn: turn, answered: false, guesses: self.guesses.clone() })
    }
}

impl Exchange {
    /// To be called before the viewer is answered.
    pub const fn answered(&mut self) {
        self.answered = true;
    }

    /// The viewer has kept to what it committed to, and its words are shown from here on.
    /// `known_again`: they are those of an earlier exchange.
    pub fn completed(mut self, known_again: bool) {
        self.answered = false;
        if !known_again {
            let _ = self.guesses.send(Guess::NewKey);
        }
    }
}

// Not a method: a task that is aborted calls none.
impl Drop for Exchange {
    fn drop(&mut self) {
        if self.answered {
            let _ = self.guesses.send(Guess::BrokenOff);
        }
    }
}

impl Guesses {
    /// Counts one; true if that is one too many of its kind.
    pub fn one_too_many(&mut self, guess: Guess, now: Instant) -> bool {
        let (counted, most) = match guess {
            Guess::BrokenOff => (&mut self.broken_off, MOST_BROKEN_OFF),
            Guess::NewKey => (&mut self.new, MOST_NEW),
        };
        counted.retain(|at| now.duration_since(*at) < WINDOW);
        counted.push_back(now);
        counted.len() >= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_within_an_hour_are_too_many_and_three_in_a_day_are_not() {
        let start = Instant::now();
        let at = |minutes: u64| start + Duration::from_secs(minutes * 60);
        let breaks_off =
            |guesses: &mut Guesses, minutes| guesses.one_too_many(Guess::BrokenOff, at(minutes));
        let mut poor = Guesses::default();
        assert!([0, 31, 62, 93, 124].iter().all(|minutes| !breaks_off(&mut poor, *minutes)));
        let mut attacked = Guesses::default();
        let counted = [0, 20, 59].map(|minutes| breaks_off(&mut attacked, minutes));
        assert_eq!(counted, [false, false, true]);
    }

    #[test]
    fn sixty_four_new_keys_within_an_hour_are_too_many_and_old_ones_are_forgotten() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut attacked = Guesses::default();
        assert!((0..63).all(|second| !attacked.one_too_many(Guess::NewKey, at(second))));
        // The other kind neither adds to them nor is added to.
        assert!(!attacked.one_too_many(Guess::BrokenOff, at(63)));
        assert!(attacked.one_too_many(Guess::NewKey, at(64)));
        // One a minute: the first of them is an hour old when the sixty-first comes.
        let mut patient = Guesses::default();
        assert!((0..200).all(|minute| !patient.one_too_many(Guess::NewKey, at(minute * 60))));
    }

    #[tokio::test]
    async fn an_exchange_that_is_dropped_or_makes_a_new_key_counts_and_lets_the_next_one_in() {
        let (exchanges, mut guesses) = Exchanges::new();
        let answered = async || {
            let mut exchange = exchanges.begin().await.unwrap();
            exchange.answered();
            exchange
        };
        answered().await.completed(true);
        drop(exchanges.begin().await.unwrap());
        assert!(guesses.try_recv().is_err());
        drop(answered().await);
        assert_eq!(guesses.try_recv(), Ok(Guess::BrokenOff));
        answered().await.completed(false);
        assert_eq!(guesses.try_recv(), Ok(Guess::NewKey));
        assert!(guesses.try_recv().is_err(), "it is counted once");
    }
}
