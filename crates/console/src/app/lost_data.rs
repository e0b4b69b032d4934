//! Data that was there before and is gone, said until a person has seen it.

use std::path::Path;

use engine::{LostStore, backup::StoreFile};

use super::{
    Console,
    backup::{BROKER_STORE, SANDBOX_STORE},
    identity_sandbox::IdentitySandbox,
    ports::Ports,
};
use crate::{
    Settings,
    present::trouble,
    view::{Code, Trouble},
};

/// The stores of the servers that come along that are gone, though their servers ran here before: these
/// settings have them made anew. To be asked before they start.
pub(super) fn servers(data: &Path, settings: &Settings) -> Vec<StoreFile> {
    let ports = Ports::read(data);
    let sandbox = [ports.sandbox_logintc, ports.sandbox_rocketchat, ports.sandbox_passwordless];
    let servers = [
        (BROKER_STORE, settings.base_url.is_none() && ports.broker.is_some()),
        (
            SANDBOX_STORE,
            IdentitySandbox::is_needed(settings) && sandbox.iter().any(Option::is_some),
        ),
    ];
    let lost = servers.into_iter().filter(|(store, ran)| *ran && store.is_missing_in(data));
    lost.map(|(store, _)| store).collect()
}

/// Says that a server's store was made anew, since the one of before was gone.
pub(super) async fn say_made_anew(console: &Console, store: StoreFile) {
    let text = format!("open the {}: the earlier one is gone, so a new one was made", store.name);
    let remedy = "PINs, links and profiles that only it knew no longer work. If you have a backup from \
                  before, restore it.";
    console.hold_up("store_made_anew", restore(&text, remedy)).await;
}

/// Says which stores were made anew, and whether the audit log has lost its end.
pub(super) async fn say(console: &Console, lost: &[LostStore], has_lost_end: bool) {
    if !lost.is_empty() {
        // The log that is gone has no end that the new one could have.
        console.audit.accept();
        let names: Vec<&str> = lost.iter().map(|store| store.name).collect();
        let text = format!("open the data: {} of before was gone", names.join(" and "));
        let remedy = "A new one was made, as somebody asked for. What was in the old one is lost.";
        console.hold_up("lost_data_accepted", restore(&text, remedy)).await;
    } else if has_lost_end {
        let text = "check the audit log: it lacks the newest entries that were written, or has \
                    others in their place";
        let remedy = "Restore the archive from a newer copy, or compare it with an earlier export.";
        console.hold_up("audit_log_cut", restore(text, remedy)).await;
    }
}

fn restore(text: &str, remedy: &str) -> Trouble {
    Trouble { code: Code::RestoreCopy, text: trouble::sentence(text), remedy: remedy.into() }
}
