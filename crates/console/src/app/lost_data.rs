//! Data that was there before and is gone, said until a person has seen it.

use std::{collections::BTreeSet, path::Path};

use engine::{
    LostStore, StartError, StoreError, Stores,
    backup::StoreFile,
    journal::{Journal, JournalError},
};

use super::{
    Console,
    backup::{BROKER_STORE, SANDBOX_STORE},
    identity_sandbox::IdentitySandbox,
    ports::Ports,
    standing_troubles::Unseen,
    unseen_troubles,
};
use crate::{
    Settings,
    present::trouble,
    view::{Code, Trouble},
};

/// Under this the journal keeps which servers' stores were made here.
const MADE: &str = "console/server-stores";

/// What journal and archive lack at a start.
pub(super) struct Losses {
    /// Those that were made anew.
    pub stores: Vec<LostStore>,
    /// The audit log lacks its end.
    pub audit_end: bool,
    /// The archive is ahead of the journal.
    pub journal_end: bool,
}

/// The store of a server that comes along and that these settings need, as it is before the server starts.
pub(super) struct ServerStore {
    store: StoreFile,
    is_missing: bool,
    /// Whether the file with the ports of the last run has one of its server. It may be gone itself.
    had_port: bool,
}

/// The stores of the servers that are about to start.
pub(super) fn servers(data: &Path, settings: &Settings) -> Vec<ServerStore> {
    let ports = Ports::read(data);
    let sandbox = [ports.sandbox_logintc, ports.sandbox_rocketchat, ports.sandbox_passwordless];
    let servers = [
        (BROKER_STORE, settings.base_url.is_none(), ports.broker.is_some()),
        (SANDBOX_STORE, IdentitySandbox::is_needed(settings), sandbox.iter().any(Option::is_some)),
    ];
    let needed = servers.into_iter().filter(|(_, needed, _)| *needed);
    let at_start = |(store, _, had_port): (StoreFile, _, _)| ServerStore {
        is_missing: store.is_missing_in(data),
        store,
        had_port,
    };
    needed.map(at_start).collect()
}

/// Those that are gone though they were made here before, as far as files beside the journal tell.
pub(crate) fn gone_servers(data: &Path, settings: &Settings) -> Vec<StoreFile> {
    let servers = servers(data, settings).into_iter();
    // One without a byte was something once.
    let is_gone = |server: &ServerStore| {
        server.is_missing && (server.had_port || data.join(server.store.path).exists())
    };
    servers.filter(is_gone).map(|server| server.store).collect()
}

/// Which of them were gone before their servers started, though they had been made here before. Has the journal know
/// of those that are there now.
///
/// # Errors
/// The journal can't be read or written.
pub(super) async fn lost_servers(
    journal: &Journal,
    data: &Path,
    servers: Vec<ServerStore>,
) -> Result<Vec<StoreFile>, JournalError> {
    let kept = journal.marked(MADE).await;
    let (kept, is_damaged) = match kept {
        Err(JournalError::Damaged { .. }) => (None, true),
        kept => (kept?, false),
    };
    let mut known: BTreeSet<String> =
        kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default();
    if is_damaged {
        // A store that is gone is rather told of once too often than not at all.
        known.extend(servers.iter().map(|server| server.store.path.to_owned()));
    }
    let mut made = known.clone();
    let there = servers.iter().filter(|server| !server.store.is_missing_in(data));
    made.extend(there.map(|server| server.store.path.to_owned()));
    if made != known || is_damaged {
        journal.mark(MADE, serde_json::to_vec(&made).ok().as_deref()).await?;
    }
    let is_lost = |server: &ServerStore| {
        server.is_missing && (server.had_port || known.contains(server.store.path))
    };
    Ok(servers.into_iter().filter(is_lost).map(|server| server.store).collect())
}

/// Whether the archive has events that the journal, which leads, never gave out: it is an older copy, or lost its
/// end. It gives none of their numbers out again from now on; and unless it was `made_anew`, that stands until a
/// person has seen it.
///
/// # Errors
/// Journal or archive can't be read, or the journal not be written.
pub(super) async fn is_journal_older(
    stores: &Stores,
    unseen: &mut Vec<Unseen>,
    made_anew: bool,
) -> Result<bool, StartError> {
    let archived = match stores.archive.last_event().await {
        // It has a trouble of its own.
        Err(StoreError::Damaged { .. }) => return Ok(false),
        archived => archived.map_err(StartError::Archive)?,
    };
    let journal = &stores.journal;
    if archived <= journal.last_event().await.map_err(StartError::Journal)? {
        return Ok(false);
    }
    if !made_anew && !unseen.iter().any(|known| known.trouble == journal_older()) {
        unseen.push(Unseen::new(journal_older()));
        // Kept first: once the numbers are skipped, no start finds it again.
        unseen_troubles::keep(journal, unseen).await.map_err(StartError::Journal)?;
    }
    journal.skip_events(archived).await.map_err(StartError::Journal)?;
    Ok(!made_anew)
}

pub(super) fn journal_older() -> Trouble {
    let text = "open the journal: it is older than the archive, so sessions and events since then are missing";
    let remedy = "Sessions that were live may be out of reach. Restore a backup, or put the newer journal \
                  back, and start new sessions for those that are missing.";
    restore(text, remedy)
}

/// Says that a server's store was made anew, since the one of before was gone.
pub(super) async fn say_made_anew(console: &Console, store: StoreFile) {
    let text = format!("open the {}: the earlier one is gone, so a new one was made", store.name);
    let remedy = "PINs, links and profiles that only it knew no longer work. If you have a backup from \
                  before, restore it.";
    console.hold_up("store_made_anew", restore(&text, remedy)).await;
}

/// Says which stores were made anew, and whether the audit log or the journal has lost its end.
pub(super) async fn say(console: &Console, losses: &Losses) {
    let Losses { stores: lost, audit_end, journal_end } = losses;
    if *journal_end {
        console.hold_up("journal_older", journal_older()).await;
    }
    if !lost.is_empty() {
        // The log that is gone has no end that the new one could have.
        console.audit.accept();
        let names: Vec<&str> = lost.iter().map(|store| store.name).collect();
        let text = format!("open the data: {} of before was gone", names.join(" and "));
        let remedy = "A new one was made, as somebody asked for. What was in the old one is lost.";
        console.hold_up("lost_data_accepted", restore(&text, remedy)).await;
    } else if *audit_end {
        console.hold_up("audit_log_cut", log_is_cut()).await;
    }
}

/// Whether somebody who has read it takes the audit log as it is.
pub(super) fn says_log_is_cut(trouble: &Trouble) -> bool {
    *trouble == log_is_cut()
}

fn log_is_cut() -> Trouble {
    let text = "check the audit log: it lacks the newest entries that were written, or has \
                others in their place";
    let remedy = "Restore the archive from a newer copy, or compare it with an earlier export.";
    restore(text, remedy)
}

fn restore(text: &str, remedy: &str) -> Trouble {
    Trouble { code: Code::RestoreCopy, text: trouble::sentence(text), remedy: remedy.into() }
}
