//! The command that backs a running console up.

use console::{SettingsSource, commands::Command, reply::Reply, view::Code};
use serde_json::json;

use crate::rig::{BY, Rig, Seen};

const PASSPHRASE: &str = "correct horse battery";

/// Whether the console says last that it has written or restored so much.
fn percent(percent: Option<u8>) -> impl Fn(&Seen) -> Option<()> {
    move |seen| (seen.console.as_ref()?.backup_percent == percent).then_some(())
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_console_backs_itself_up_notes_it_first_and_shows_how_far_it_is() {
    let mut rig = Rig::start().await;
    rig.session("Maria").await;
    let file = rig.folder.path().join("a.backup");
    let path = file.to_str().unwrap();
    let command = json!({ "do": "backup", "passphrase": PASSPHRASE, "path": path });
    // Reading this file, the console waits for whoever writes to it, and shows meanwhile that it is at work.
    let ports = rig.folder.path().join("data/ports.json");
    std::fs::remove_file(&ports).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&ports).status().unwrap().success());
    let asked: Command = serde_json::from_value(command.clone()).unwrap();
    let shown = async {
        rig.seen.until("that a backup is being written", percent(Some(0))).await;
        tokio::fs::write(&ports, "{}").await.unwrap();
    };
    let (written, ()) = tokio::join!(rig.app.command(asked, BY), shown);
    let Reply::Backup { path: to, bytes } = written.unwrap() else {
        panic!("no backup was written")
    };
    assert_eq!((to.as_str(), bytes), (path, file.metadata().unwrap().len()));
    rig.seen.until("that no backup is being written any more", percent(None)).await;
    std::fs::remove_file(&ports).unwrap();

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

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_beside_a_running_console_and_takes_its_place_at_the_next_start() {
    let mut rig = Rig::start().await;
    rig.session("Maria").await;
    let file = rig.folder.path().join("a.backup");
    rig.ask(json!({ "do": "backup", "passphrase": PASSPHRASE, "path": file })).await;
    rig.session("Ben").await;
    let restore = |passphrase: &str, replace: bool| json!({ "do": "restore", "passphrase": passphrase, "path": file, "replace": replace });
    let unconfirmed = rig.refused(restore(PASSPHRASE, false)).await;
    assert!(unconfirmed.code == Code::Refused && unconfirmed.text.contains("not confirmed"));
    let wrong = rig.refused(restore("some other passphrase", true)).await;
    assert!(wrong.text.contains("the passphrase is wrong"), "{wrong:?}");
    let staged = rig.folder.path().join("data.restored");
    assert!(!staged.exists());

    let restored = rig.ask(restore(PASSPHRASE, true)).await;
    assert!(matches!(restored, Reply::Restored { made_at } if made_at > 0));
    let waits = |seen: &Seen| {
        let troubles = &seen.console.as_ref()?.troubles;
        troubles.iter().any(|trouble| trouble.text.contains("at the next start")).then_some(())
    };
    rig.seen.until("that it waits for a start", waits).await;
    assert!(staged.join("archive.db").exists());
    rig.session("Cem").await;
    rig.app.stop().await;

    let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    let hits = async |query: &str| {
        let Reply::Found { hits, .. } = rig.ask(json!({ "do": "search", "query": query })).await
        else {
            panic!("nothing was searched")
        };
        hits.len()
    };
    assert_eq!([hits("Maria").await, hits("Ben").await, hits("Cem").await], [1, 0, 0]);
    let Reply::Audit { entries, .. } = rig.ask(json!({ "do": "audit" })).await else { panic!() };
    let entry = entries.iter().find(|entry| entry.action == "backup_in_place").unwrap();
    assert!(!staged.exists());
    let aside = std::fs::read_dir(rig.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let aside =
        aside.into_iter().find(|path| path.display().to_string().contains("before-restore"));
    let aside = aside.unwrap();
    assert!(aside.join("archive.db").exists());
    assert!(entry.text.contains(&aside.display().to_string()), "{entry:?}");
    rig.app.stop().await;
}
