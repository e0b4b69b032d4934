//! Counts the key exchanges by which somebody in the middle could guess the words.
//!
//! Whoever sits in the middle learns with this program's answer which words the customer would see.
//! If those aren't the words that the viewer sees, it can drop the exchange and try another: each
//! is one guess in 2^33 (crate `seal`). So each that is answered and never completed counts, also
//! if the connection is lost meanwhile, which a middle can do too. A middle can also complete the
//! exchange and only then look whether the words agree, so each that makes a new key counts as well.
//! Who is known again has the words of before, so that is none.
//!
//! The technician's console is held to [`OWN`] of each within [`WINDOW`]: more end the sharing. A guest
//! must not be able to end it, so the exchanges of others are counted apart, and too many end their
//! access alone: that of one viewer after [`A_GUEST`], that of all guests after [`GUESTS`]. The broker
//! says who is a guest, and may say it of the technician's console: so both together are what a middle
//! has, 2 and 12 that break off and 63 and 32 new keys an hour, about 2,600 guesses a day. A poor
//! network has to break off three times an hour exactly in the one round trip that an exchange takes.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::Instant,
};

use crate::known_viewers::KnownViewers;

/// So many exchanges with the technician's console end the sharing.
const OWN: Most = Most { broken_off: 3, new: 64 };
/// So many with one guest end that guest's access.
const A_GUEST: Most = Most { broken_off: 3, new: 16 };
/// So many with all guests together end the access of all.
const GUESTS: Most = Most { broken_off: 12, new: 32 };
/// Those before this time are forgotten.
pub(crate) const WINDOW: Duration = Duration::from_secs(3600);

/// How many exchanges of each kind there may be within [`WINDOW`].
#[derive(Debug, Clone, Copy)]
struct Most {
    broken_off: usize,
    new: usize,
}

/// Admits one exchange at a time with the technician's console, and one with guests: many at once
/// would be as many guesses before the first counts, and one outage would break them all. A guest who
/// begins and never goes on holds the other guests up, and never the technician.
#[derive(Clone)]
pub(crate) struct Exchanges {
    own_turn: Arc<Semaphore>,
    guests_turn: Arc<Semaphore>,
    guesses: Arc<Mutex<Guesses>>,
    known: KnownViewers,
    news: mpsc::UnboundedSender<OneTooMany>,
}

/// An exchange whose turn it is. Once answered it counts as broken off, unless it is completed.
pub(crate) struct Exchange {
    answered: bool,
    with: With,
    exchanges: Exchanges,
    // Let go last: the next one sees that this one was counted.
    _turn: OwnedSemaphorePermit,
}

/// With whom an exchange is, by the broker's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum With {
    /// The technician's own console.
    Own,
    /// Anybody else: its page's public id; none for one of an earlier run of this program.
    Guest(Option<String>),
}

/// An exchange that may have been a guess at the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guess {
    /// It was answered and never completed.
    BrokenOff,
    /// It was whole, with an end that wasn't known from before.
    NewKey,
}

/// There were too many exchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OneTooMany {
    /// With the technician's console: the sharing ends.
    End,
    /// With a guest, who is shut out until the hour is over.
    Guest,
    /// With guests: nobody but the technician is let in until the hour is over.
    Guests,
}

/// The guesses of late, the newest last.
#[derive(Debug, Default)]
struct Guesses(VecDeque<Counted>);

#[derive(Debug)]
struct Counted {
    guess: Guess,
    with: With,
    at: Instant,
}

impl Exchanges {
    /// The admission, and the channel on which it is reported that there were too many. Those of an
    /// earlier run count as well, so that starting the program again gives nobody more.
    pub fn new(known: KnownViewers) -> (Self, mpsc::UnboundedReceiver<OneTooMany>) {
        let (news, reports) = mpsc::unbounded_channel();
        let now = Instant::now();
        let of_before = known.guesses().into_iter().map(|(guess, own, age)| {
            let with = if own { With::Own } else { With::Guest(None) };
            // A computer that was started within the hour knows of no earlier instant.
            Counted { guess, with, at: now.checked_sub(age).unwrap_or(now) }
        });
        let guesses = Arc::new(Mutex::new(Guesses(of_before.collect())));
        let (own_turn, guests_turn) = (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(1)));
        (Self { own_turn, guests_turn, guesses, known, news }, reports)
    }

    /// Waits for this exchange's turn; none for a guest who is shut out.
    pub async fn begin(&self, with: With) -> Option<Exchange> {
        let turns = match with {
            With::Own => &self.own_turn,
            With::Guest(_) => &self.guests_turn,
        };
        let turn = Arc::clone(turns).acquire_owned().await.ok()?;
        if self.guesses.lock().shuts_out(&with, Instant::now()) {
            return None;
        }
        Some(Exchange { answered: false, with, exchanges: self.clone(), _turn: turn })
    }

    /// As [`Exchanges::begin`], for as long as the viewer waits for it. Whoever leaves before its turn
    /// was never answered, so that is no guess.
    pub async fn begin_unless<L>(
        &self,
        with: With,
        left: impl Future<Output = L>,
    ) -> Result<Option<Exchange>, L> {
        tokio::select! {
            // Whoever has left already needs no turn.
            biased;
            left = left => Err(left),
            turn = self.begin(with) => Ok(turn),
        }
    }

    fn count(&self, guess: Guess, with: &With) {
        let now = Instant::now();
        let mut guesses = self.guesses.lock();
        let one_too_many = guesses.count(guess, with, now);
        let aged = guesses
            .0
            .iter()
            .map(|one| (one.guess, one.with == With::Own, now.saturating_duration_since(one.at)));
        self.known.keep_guesses(aged.collect());
        if let Some(one_too_many) = one_too_many {
            let _ = self.news.send(one_too_many);
        }
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
            self.exchanges.count(Guess::NewKey, &self.with);
        }
    }
}

// Not a method: a task that is aborted calls none.
impl Drop for Exchange {
    fn drop(&mut self) {
        if self.answered {
            tracing::warn!("a viewer's key exchange broke off before it was whole");
            self.exchanges.count(Guess::BrokenOff, &self.with);
        }
    }
}

impl Guesses {
    /// Counts one; also, whether that is one too many of its kind.
    fn count(&mut self, guess: Guess, with: &With, now: Instant) -> Option<OneTooMany> {
        self.forget_old(now);
        self.0.push_back(Counted { guess, with: with.clone(), at: now });
        match with {
            With::Own => {
                let own = self.number(guess, |other| *other == With::Own);
                (own >= OWN.of(guess)).then_some(OneTooMany::End)
            }
            With::Guest(_) if self.guests(guess) >= GUESTS.of(guess) => Some(OneTooMany::Guests),
            With::Guest(_) => {
                let theirs = self.number(guess, |other| other == with);
                (theirs >= A_GUEST.of(guess)).then_some(OneTooMany::Guest)
            }
        }
    }

    fn shuts_out(&mut self, with: &With, now: Instant) -> bool {
        self.forget_old(now);
        *with != With::Own
            && [Guess::BrokenOff, Guess::NewKey].into_iter().any(|guess| {
                let theirs = self.number(guess, |other| other == with);
                theirs >= A_GUEST.of(guess) || self.guests(guess) >= GUESTS.of(guess)
            })
    }

    fn guests(&self, guess: Guess) -> usize {
        self.number(guess, |with| *with != With::Own)
    }

    fn number(&self, guess: Guess, of: impl Fn(&With) -> bool) -> usize {
        self.0.iter().filter(|one| one.guess == guess && of(&one.with)).count()
    }

    fn forget_old(&mut self, now: Instant) {
        self.0.retain(|one| now.saturating_duration_since(one.at) < WINDOW);
    }
}

impl Most {
    const fn of(self, guess: Guess) -> usize {
        match guess {
            Guess::BrokenOff => self.broken_off,
            Guess::NewKey => self.new,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures_util::FutureExt as _;

    use super::*;

    fn guest(page: &str) -> With {
        With::Guest(Some(page.to_owned()))
    }

    fn nowhere() -> KnownViewers {
        let broker = "https://support.example.org".parse().unwrap();
        KnownViewers::open(None, &broker, &"7W2-97-8570".parse().unwrap())
    }

    #[test]
    fn three_within_an_hour_are_too_many_and_three_in_a_day_are_not() {
        let start = Instant::now();
        let at = |minutes: u64| start + Duration::from_secs(minutes * 60);
        let breaks_off = |guesses: &mut Guesses, minutes| {
            guesses.count(Guess::BrokenOff, &With::Own, at(minutes))
        };
        let mut poor = Guesses::default();
        assert!(
            [0, 31, 62, 93, 124].iter().all(|minutes| breaks_off(&mut poor, *minutes).is_none())
        );
        let mut attacked = Guesses::default();
        let counted = [0, 20, 59].map(|minutes| breaks_off(&mut attacked, minutes));
        assert_eq!(counted, [None, None, Some(OneTooMany::End)]);
    }

    #[test]
    fn sixty_four_new_keys_within_an_hour_are_too_many_and_old_ones_are_forgotten() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let new =
            |guesses: &mut Guesses, seconds| guesses.count(Guess::NewKey, &With::Own, at(seconds));
        let mut attacked = Guesses::default();
        assert!((0..63).all(|second| new(&mut attacked, second).is_none()));
        // The other kind neither adds to them nor is added to.
        assert_eq!(attacked.count(Guess::BrokenOff, &With::Own, at(63)), None);
        assert_eq!(new(&mut attacked, 64), Some(OneTooMany::End));
        // One a minute: the first of them is an hour old when the sixty-first comes.
        let mut patient = Guesses::default();
        assert!((0..200).all(|minute| new(&mut patient, minute * 60).is_none()));
    }

    #[test]
    fn a_guest_ends_nobodys_access_but_its_own_and_guests_never_the_sharing() {
        let (start, mut guesses) = (Instant::now(), Guesses::default());
        let breaks_off = |guesses: &mut Guesses, page: &str| {
            guesses.count(Guess::BrokenOff, &guest(page), start)
        };
        let first = [0; 3].map(|_| breaks_off(&mut guesses, "a"));
        assert_eq!(first, [None, None, Some(OneTooMany::Guest)]);
        assert!(guesses.shuts_out(&guest("a"), start));
        assert!(!guesses.shuts_out(&guest("b"), start) && !guesses.shuts_out(&With::Own, start));
        // Whoever has a link can call themselves what they want: that ends the guests' access, no more.
        let counted: Vec<_> =
            (0..9).map(|page: u8| breaks_off(&mut guesses, &page.to_string())).collect();
        assert_eq!(counted[7..], [None, Some(OneTooMany::Guests)]);
        assert!(guesses.shuts_out(&guest("b"), start) && !guesses.shuts_out(&With::Own, start));
        assert!(!guesses.shuts_out(&guest("a"), start + WINDOW));
    }

    #[tokio::test]
    async fn an_exchange_that_is_dropped_or_makes_a_new_key_counts_and_lets_the_next_one_in() {
        let (exchanges, mut news) = Exchanges::new(nowhere());
        let answered = async || {
            let mut exchange = exchanges.begin(guest("a")).await.unwrap();
            exchange.answered();
            exchange
        };
        let counted = || {
            let guesses = exchanges.guesses.lock();
            guesses.0.iter().map(|one| one.guess).collect::<Vec<_>>()
        };
        answered().await.completed(true);
        drop(exchanges.begin(guest("a")).await.unwrap());
        assert!(counted().is_empty());
        drop(answered().await);
        answered().await.completed(false);
        assert_eq!(counted(), [Guess::BrokenOff, Guess::NewKey]);
        for _ in 0..2 {
            drop(answered().await);
        }
        assert_eq!(news.try_recv(), Ok(OneTooMany::Guest));
        assert!(exchanges.begin(guest("a")).await.is_none());
        assert!(exchanges.begin(With::Own).await.is_some());
    }

    #[tokio::test]
    async fn whoever_leaves_before_its_turn_is_no_guess() {
        let (exchanges, mut news) = Exchanges::new(nowhere());
        let held = exchanges.begin(With::Own).await.unwrap();
        for _ in 0..3 {
            let left = exchanges.begin_unless(With::Own, async { "left" }).now_or_never();
            assert_eq!(left.unwrap().err(), Some("left"));
        }
        drop(held);
        // Also one that leaves when the turn is there.
        assert!(exchanges.begin_unless(With::Own, async {}).await.is_err());
        assert!(exchanges.begin_unless(With::Own, pending::<()>()).await.unwrap().is_some());
        assert!(exchanges.guesses.lock().0.is_empty() && news.try_recv().is_err());
    }

    #[tokio::test]
    async fn guests_hold_up_no_exchange_with_the_technician() {
        let (exchanges, _news) = Exchanges::new(nowhere());
        let guest_holds = exchanges.begin(guest("a")).await.unwrap();
        assert!(exchanges.begin(guest("b")).now_or_never().is_none());
        let own = exchanges.begin(With::Own).now_or_never().flatten().unwrap();
        assert!(exchanges.begin(With::Own).now_or_never().is_none(), "one at a time");
        drop(guest_holds);
        assert!(exchanges.begin(guest("b")).now_or_never().is_some());
        drop(own);
    }

    /// Whoever gets the customer to start the program again has no more tries.
    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_that_is_started_again_goes_on_counting() {
        use std::{fs, os::unix::fs::PermissionsExt as _};
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let run = || {
            let broker = "https://support.example.org".parse().unwrap();
            KnownViewers::open(Some(folder.path()), &broker, &"7W2-97-8570".parse().unwrap())
        };
        let breaks_off = async |exchanges: &Exchanges| {
            exchanges.begin(With::Own).await.unwrap().answered();
        };
        let first = run();
        let (exchanges, mut news) = Exchanges::new(first.clone());
        breaks_off(&exchanges).await;
        breaks_off(&exchanges).await;
        first.forget();
        assert!(news.try_recv().is_err());
        let (exchanges, mut news) = Exchanges::new(run());
        breaks_off(&exchanges).await;
        assert_eq!(news.try_recv(), Ok(OneTooMany::End));
    }
}
