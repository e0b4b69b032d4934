//! By what a session's presenter is known again, and whether the people at both ends have compared
//! the words.
//!
//! It is one for all of a session's windows, outlives them, and is kept sealed for the life of the
//! PIN. So who compared the words once needn't again, unless the presenter comes with another key.

use std::{collections::HashMap, sync::Arc};

use engine::SessionId;
use parking_lot::Mutex;
use seal::{Offer, Pairing, Sealed};
use serde::Serialize;
use wire::shared_screen::Role;

use crate::app::Console;

/// Whether the words of a session were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Compared {
    /// Nobody has said so.
    NotYet,
    /// Somebody here said that they match.
    Match,
    /// Other words were said to match, and then the presenter came with another key.
    Changed,
}

/// What a window shows of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Shown {
    pub words: String,
    pub compared: Compared,
    /// Keyboard and mouse wait until somebody says that the words match.
    pub waits: bool,
}

/// A presenter with which the exchange was whole.
#[derive(Debug, Clone)]
struct Known {
    pairing: Pairing,
    compared: Compared,
}

/// The presenter of one session, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Presenter {
    /// What was kept has been looked for.
    looked: bool,
    known: Option<Known>,
}

/// The presenters of all sessions. Two windows of a session take turns with their exchanges, so that
/// they share one pairing.
#[derive(Debug, Default)]
pub(crate) struct Presenters(Mutex<HashMap<SessionId, Arc<tokio::sync::Mutex<Presenter>>>>);

impl Presenters {
    pub(super) fn of(&self, session: SessionId) -> Arc<tokio::sync::Mutex<Presenter>> {
        let mut all = self.0.lock();
        // Nobody uses the others now, and what they know is kept.
        all.retain(|id, presenter| *id == session || Arc::strong_count(presenter) > 1);
        Arc::clone(all.entry(session).or_default())
    }
}

impl Presenter {
    /// Looks for what was kept, the first time.
    pub async fn look_up(&mut self, console: &Console, session: SessionId) {
        if self.looked {
            return;
        }
        let Some(engine) = console.engine.get().await else { return };
        match engine.pairing(session).await {
            Ok(kept) => {
                self.looked = true;
                self.known = kept.and_then(|kept| Known::from_bytes(&kept));
            }
            // The words change then, which is seen, and compared again.
            Err(error) => tracing::warn!(%error, "look for the key of a customer's program"),
        }
    }

    /// What the window's stream says first.
    pub fn offer(&self, role: Role, setting: bool) -> Offer {
        let known = self.known.as_ref().map(|known| known.pairing.clone());
        Offer { known, only_watches: role == Role::Control && self.waits(setting) }
    }

    /// Takes the outcome of an exchange; true if it is another presenter than before.
    pub fn met(&mut self, sealed: &Sealed) -> bool {
        if sealed.known_again {
            return false;
        }
        let before = self.known.as_ref().map(|known| known.compared);
        let compared = match before {
            None | Some(Compared::NotYet) => Compared::NotYet,
            Some(Compared::Match | Compared::Changed) => Compared::Changed,
        };
        self.known = Some(Known { pairing: sealed.pairing.clone(), compared });
        true
    }

    /// Somebody says that these words match; false if they are others than those of now.
    pub fn matches(&mut self, words: &str) -> bool {
        let known = self.known.as_mut().filter(|known| known.words() == words);
        known.map(|known| known.compared = Compared::Match).is_some()
    }

    /// Signs a text for the presenter; also, the name of the pairing whose signature it is.
    pub fn sign(&self, text: &[u8]) -> Option<(String, String)> {
        let pairing = &self.known.as_ref()?.pairing;
        Some((pairing.id().to_string(), pairing.sign(text)))
    }

    /// Whether keyboard and mouse wait. Words that were compared and changed are always reason for it.
    pub fn waits(&self, setting: bool) -> bool {
        match self.known.as_ref().map(|known| known.compared) {
            None | Some(Compared::NotYet) => setting,
            Some(Compared::Match) => false,
            Some(Compared::Changed) => true,
        }
    }

    pub fn shown(&self, role: Role, setting: bool) -> Option<Shown> {
        let known = self.known.as_ref()?;
        let waits = role == Role::Control && self.waits(setting);
        Some(Shown { words: known.words(), compared: known.compared, waits })
    }

    /// Keeps it for later windows and starts.
    pub async fn keep(&self, console: &Console, session: SessionId) {
        let (Some(known), Some(engine)) = (&self.known, console.engine.get().await) else { return };
        if let Err(error) = engine.keep_pairing(session, &known.to_bytes()).await {
            tracing::warn!(%error, "keep the key of a customer's program");
        }
    }
}

impl Known {
    fn words(&self) -> String {
        self.pairing.words().to_string()
    }

    fn to_bytes(&self) -> Vec<u8> {
        let compared = match self.compared {
            Compared::NotYet => 0,
            Compared::Match => 1,
            Compared::Changed => 2,
        };
        [&[compared], self.pairing.expose()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (compared, pairing) = bytes.split_first()?;
        let compared = match compared {
            0 => Compared::NotYet,
            1 => Compared::Match,
            2 => Compared::Changed,
            _ => return None,
        };
        Some(Self { pairing: Pairing::from_bytes(pairing)?, compared })
    }
}

#[cfg(test)]
mod tests {
    use seal::{Access, Initiator, Responder};

    use super::*;

    fn sealed(offer: Offer) -> Sealed {
        let (viewer, first) = Initiator::start(Access::Control, offer).unwrap();
        let presenter = Responder::new(Access::Control).unwrap();
        let (_, second) = presenter.answer(&first, |_| None).unwrap();
        viewer.finish(&second).unwrap().0
    }

    #[test]
    fn only_a_key_that_changes_after_the_words_were_compared_counts_as_changed() {
        let mut presenter = Presenter::default();
        for _ in 0..2 {
            assert!(presenter.met(&sealed(presenter.offer(Role::Control, false))));
            let shown = presenter.shown(Role::Control, false).unwrap();
            assert_eq!((shown.compared, shown.waits), (Compared::NotYet, false));
        }
        let words = presenter.shown(Role::Control, false).unwrap().words;
        assert!(!presenter.matches("abandon ability able") && presenter.matches(&words));
        presenter.met(&sealed(presenter.offer(Role::Control, false)));
        let shown = presenter.shown(Role::Control, false).unwrap();
        assert_eq!((shown.compared, shown.waits), (Compared::Changed, true));
        assert!(!presenter.matches(&words), "a click that was meant for the words of before");
    }

    #[test]
    fn control_waits_where_the_setting_says_so_and_watching_never_does() {
        let mut presenter = Presenter::default();
        assert!(presenter.offer(Role::Control, true).only_watches);
        assert!(!presenter.offer(Role::Watch, true).only_watches);
        presenter.met(&sealed(presenter.offer(Role::Control, true)));
        assert!(presenter.shown(Role::Control, true).unwrap().waits);
        let words = presenter.shown(Role::Watch, true).unwrap().words;
        assert!(presenter.matches(&words));
        assert!(!presenter.offer(Role::Control, true).only_watches);
    }

    #[test]
    fn what_is_kept_comes_back() {
        let pairing = sealed(Offer::default()).pairing;
        for compared in [Compared::NotYet, Compared::Match, Compared::Changed] {
            let known = Known { pairing: pairing.clone(), compared };
            let again = Known::from_bytes(&known.to_bytes()).unwrap();
            assert_eq!((again.words(), again.compared), (known.words(), compared));
        }
        for bytes in [&[][..], &[0], &[3; 33], &[0; 32]] {
            assert!(Known::from_bytes(bytes).is_none());
        }
    }
}
