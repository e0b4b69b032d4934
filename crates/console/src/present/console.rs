//! The view of the whole console: the service, the listener and the troubles.

use std::net::SocketAddr;

use engine::{ServiceHealth, Snapshot, vault::Keeper};
use session::{SessionStatus, Timestamp};

use super::{state, trouble};
use crate::view::{
    Code, ConsoleView, Health, KeyKeeper, ListenerView, Reach, ServiceKind, ServiceView,
    StandingTrouble, Trouble,
};

/// The facts from which the console's view is made.
pub struct Parts<'a> {
    /// The view's revision.
    pub revision: u64,
    /// Who is at this console.
    pub technician: &'a str,
    /// Who is signed in, and whether the console is locked.
    pub access: crate::view::AccessView,
    /// The service in use.
    pub service: Service<'a>,
    /// Where the listener is bound; none while there is no engine.
    pub listener: Option<SocketAddr>,
    /// The hooks' base URL.
    pub hook_base: Option<&'a str>,
    /// Whether the service can reach that URL.
    pub reach: Reach,
    /// The engine's health; none while no engine runs.
    pub health: Option<&'a engine::Health>,
    /// Lasting troubles of the console itself: settings that were damaged, ports that moved.
    pub standing: &'a [StandingTrouble],
    /// Where the data key is kept.
    pub keeper: Keeper,
    /// The percentage of the backup that is being written or restored.
    pub backup_percent: Option<u8>,
    /// All sessions.
    pub sessions: &'a [std::sync::Arc<Snapshot>],
    pub now: Timestamp,
}

/// The service in use.
pub struct Service<'a> {
    /// Which kind.
    pub kind: ServiceKind,
    /// Its API.
    pub base_url: &'a str,
    /// The page where a PIN is typed.
    pub join_page: Option<&'a str>,
    /// Whether only this computer reaches it.
    pub this_computer_only: bool,
}

pub fn view(parts: &Parts<'_>) -> ConsoleView {
    let mut counts = (0, 0, 0);
    for snapshot in parts.sessions {
        let word = SessionStatus::new(&snapshot.record, parts.now);
        count(&word, &mut counts);
    }
    let (live, waiting, active) = counts;
    let unacknowledged = parts.standing.iter().filter(|trouble| trouble.id.is_some()).count();
    ConsoleView {
        revision: parts.revision,
        technician: parts.technician.to_owned(),
        access: parts.access.clone(),
        service: ServiceView {
            kind: parts.service.kind,
            base_url: parts.service.base_url.to_owned(),
            health: health(parts.health.and_then(engine::Health::service)),
            join_page: parts.service.join_page.map(str::to_owned),
            this_computer_only: parts.service.this_computer_only,
        },
        listener: ListenerView {
            address: parts.listener.map(|addr| addr.to_string()),
            public_url: parts.hook_base.map(str::to_owned),
            reach: parts.reach,
        },
        hooks_checked_at: parts.health.and_then(engine::Health::hooks_checked).map(|at| at.0),
        live,
        waiting,
        active,
        troubles: troubles(parts),
        unacknowledged: u32::try_from(unacknowledged).unwrap_or(u32::MAX),
        key_keeper: match parts.keeper {
            Keeper::Keyring => KeyKeeper::Keyring,
            Keeper::KeyFile => KeyKeeper::KeyFile,
            Keeper::Passphrase => KeyKeeper::Passphrase,
        },
        backup_percent: parts.backup_percent,
    }
}

/// Counts a session as live and, of the live ones, as waiting or active.
fn count(word: &SessionStatus, (live, waiting, active): &mut (u32, u32, u32)) {
    let failed = matches!(word, SessionStatus::Failed { .. });
    // A failed session stays in the list until somebody deals with it, but nothing runs.
    *live += u32::from(state::is_live(word) && !failed);
    match word {
        SessionStatus::Waiting { .. }
        | SessionStatus::PageOpen { .. }
        | SessionStatus::Downloaded { .. }
        | SessionStatus::BeingAsked { .. }
        | SessionStatus::ViewerWaiting { .. } => *waiting += 1,
        SessionStatus::Active { .. } => *active += 1,
        SessionStatus::Closed { .. }
        | SessionStatus::Failed { .. }
        | SessionStatus::Declined { .. }
        | SessionStatus::Expired
        | SessionStatus::Ended { .. }
        | SessionStatus::PresenterOffline { .. }
        | SessionStatus::Ready { .. }
        | SessionStatus::Unknown { .. }
        | SessionStatus::Allocating => {}
    }
}

fn health(known: Option<ServiceHealth>) -> Health {
    match known {
        None => Health::Unknown,
        Some(ServiceHealth::Answers { at }) => Health::Answers { at: at.0 },
        Some(ServiceHealth::Fails { since, failure }) => {
            let Trouble { text, remedy, .. } = trouble::of_failure("call the service", failure);
            Health::Fails { since: since.0, text: format!("{text} {remedy}") }
        }
    }
}

/// The troubles that the technician must know and can mend, worst first.
fn troubles(parts: &Parts<'_>) -> Vec<StandingTrouble> {
    let mut troubles: Vec<Trouble> = Vec::new();
    // Events that are not on the disk come first: a power cut would lose them.
    if let Some(health) = parts.health {
        if let Some(why) = health.journal_fails() {
            let mut not_saved = trouble::of_store(&why);
            not_saved.text = format!("Not saved to disk. {}", not_saved.text);
            troubles.push(not_saved);
        }
        if let Some(why) = health.archive_fails() {
            troubles.push(trouble::of_store(&why));
        }
        for fault in health.background_fails() {
            troubles.push(trouble::of_background(fault));
        }
        if let Some(ServiceHealth::Fails { failure, .. }) = health.service() {
            troubles.push(trouble::of_failure("call the service", failure));
        }
    }
    match parts.reach {
        Reach::Unreachable => troubles.push(Trouble {
            code: Code::CheckAddress,
            text: "The service cannot reach this console, so no events arrive.".into(),
            remedy: "Set a public URL that leads to the listener, and test it.".into(),
        }),
        Reach::Reachable | Reach::Unknown => {}
    }
    let troubles = troubles.into_iter().map(StandingTrouble::from);
    troubles.chain(parts.standing.iter().cloned()).collect()
}
