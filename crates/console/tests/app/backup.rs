//! The command that backs a running console up.

use console::reply::Reply;
use console::view::Code;
use serde_json::json;

use crate::rig::Rig;

const PASSPHRASE: &str = "correct horse battery";

#[tokio::test(flavor = "multi_thread")]
async fn a_console_backs_itself_up_notes_it_first_and_shows_how_far_it_is() {
    let mut rig = Rig::start().await;
    rig.session("Maria").await;
    let file = rig.folder.path().join("a.backup");
    let path = file.to_str().unwrap();
    let command = json!({ "do": "backup", "passphrase": PASSPHRASE, "path": path });
    let Reply::Backup { path: to, bytes } = rig.ask(command.clone()).await else {
        panic!("no backup was written")
    };
    assert_eq!((to.as_str(), bytes), (path, file.metadata().unwrap().len()));
    let shown = |percent: Option<u8>| {
        move |seen: &crate::rig::Seen| {
            let console = seen.console.as_ref()?;
            (console.backup_percent == percent).then_some(())
        }
    };
    rig.seen.until("that no backup is being written any more", shown(None)).await;

    let taken = rig.refused(command).await;
    assert!(taken.code == Code::BadInput && taken.text.contains("there is a file"), "{taken:?}");
    let weak = json!({ "do": "backup", "passphrase": "short", "path": path, "replace": true });
    let weak = rig.refused(weak).await;
    assert!(weak.code == Code::BadInput && weak.text.contains("easy to guess"), "{weak:?}");
    let again = json!({ "do": "backup", "passphrase": PASSPHRASE, "path": path, "replace": true });
    rig.ask(again).await;
    let Reply::Audit { entries, .. } = rig.ask(json!({ "do": "audit" })).await else { panic!() };
    let actions: Vec<_> = entries.iter().rev().map(|entry| entry.action.as_str()).collect();
    let told = ["backup_written", "backup_written", "not_done", "backup_written", "not_done"];
    assert_eq!(actions[1..], [&told[..], &["backup_written"]].concat(), "{entries:?}");
    rig.app.stop().await;
}
