//! Data that was there before and is gone, said until a person has seen it.

use engine::LostStore;

use super::Console;
use crate::{
    present::trouble,
    view::{Code, Trouble},
};

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
