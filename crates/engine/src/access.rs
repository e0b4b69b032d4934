//! Who is at this console, and whether their commands are accepted.
//!
//! The engine asks [`Access::permit`] before it carries out a person's command. Its own work
//! (hooks, polls, transcripts) needs no permission and goes on while the console is locked. The
//! lock protects the program only: whoever can use the account at the operating system can read
//! the files.

use session::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

/// Somebody with a profile at this console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The passkey service's `userId`: random, so it says nothing about the person.
    pub id: Uuid,
    /// The name, as records carry it.
    pub name: String,
    pub email: String,
}

/// Who is at this console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// Nobody has a profile, and nobody has declined to make one.
    FirstStart {
        /// Nothing is done before somebody has signed in.
        required: bool,
    },
    /// Nobody signs in here: records carry the OS user.
    Open,
    /// Somebody is signed in.
    SignedIn { person: Person, since: Timestamp },
    /// Somebody must sign in first.
    Locked {
        /// The person who was signed in, or the only one with a profile.
        person: Option<Person>,
        why: Why,
        since: Timestamp,
    },
}

/// Why a console is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It has just been started.
    Started,
    /// Somebody locked it.
    Asked,
    /// Nobody did anything for a while.
    Idle,
    /// The desktop's screen was locked.
    Screen,
}

/// Somebody must sign in before anything is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked;

/// Who is at this console, as all its parts see it; clones are the same one. It outlives an engine.
#[derive(Debug, Clone)]
pub struct Access(watch::Sender<Presence>);

impl Default for Access {
    /// Nobody signs in.
    fn default() -> Self {
        Self::new(Presence::Open)
    }
}

impl Access {
    /// Starts with `presence`.
    pub fn new(presence: Presence) -> Self {
        Self(watch::Sender::new(presence))
    }

    /// Who is here now.
    pub fn presence(&self) -> Presence {
        self.0.borrow().clone()
    }

    /// Who is here, now and whenever it changes.
    pub fn watch(&self) -> watch::Receiver<Presence> {
        self.0.subscribe()
    }

    /// Who is signed in.
    pub fn person(&self) -> Option<Person> {
        match &*self.0.borrow() {
            Presence::SignedIn { person, .. } => Some(person.clone()),
            Presence::FirstStart { .. } | Presence::Open | Presence::Locked { .. } => None,
        }
    }

    /// Whether somebody must sign in before anything is shown or done.
    pub fn is_locked(&self) -> bool {
        match &*self.0.borrow() {
            Presence::Locked { .. } | Presence::FirstStart { required: true } => true,
            Presence::FirstStart { required: false }
            | Presence::Open
            | Presence::SignedIn { .. } => false,
        }
    }

    /// Why it is locked; none while it isn't.
    pub fn locked_why(&self) -> Option<Why> {
        match &*self.0.borrow() {
            Presence::Locked { why, .. } => Some(*why),
            Presence::FirstStart { .. } | Presence::Open | Presence::SignedIn { .. } => None,
        }
    }

    /// Checks that the console is unlocked; called before every command of a person.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn permit(&self) -> Result<(), Locked> {
        if self.is_locked() { Err(Locked) } else { Ok(()) }
    }

    /// Sets who is at the console.
    pub fn set(&self, presence: Presence) {
        self.0.send_replace(presence);
    }

    /// Locks the console if somebody is signed in; returns that person.
    pub fn lock(&self, why: Why, since: Timestamp) -> Option<Person> {
        let mut was = None;
        self.0.send_if_modified(|presence| {
            // The first reason to lock stays; with nobody signed in, there is nobody to lock out.
            let Presence::SignedIn { person, .. } = presence else { return false };
            was = Some(person.clone());
            *presence = Presence::Locked { person: was.clone(), why, since };
            true
        });
        was
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anna() -> Person {
        Person {
            id: Uuid::from_u128(1),
            name: "Anna Keller".into(),
            email: "anna@a.example".into(),
        }
    }

    #[test]
    fn only_who_is_signed_in_is_locked_out() {
        for presence in [
            Presence::Open,
            Presence::FirstStart { required: false },
            Presence::FirstStart { required: true },
        ] {
            let access = Access::new(presence.clone());
            assert_eq!(access.lock(Why::Idle, Timestamp(1)), None);
            assert_eq!(access.presence(), presence);
        }
        let access = Access::new(Presence::SignedIn { person: anna(), since: Timestamp(0) });
        assert!(access.permit().is_ok());
        assert_eq!(access.lock(Why::Asked, Timestamp(1)), Some(anna()));
        assert!(matches!(access.permit(), Err(Locked)));
        assert_eq!(access.person(), None);
        // The first reason stands.
        assert_eq!(access.lock(Why::Idle, Timestamp(2)), None);
        let Presence::Locked { why, since, .. } = access.presence() else { panic!("not locked") };
        assert_eq!((why, since), (Why::Asked, Timestamp(1)));
    }

    #[test]
    fn a_first_start_takes_commands_unless_signing_in_is_required() {
        let permits = |required| Access::new(Presence::FirstStart { required }).permit().is_ok();
        assert!(permits(false) && !permits(true));
    }
}
