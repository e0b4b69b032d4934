//! How the app ends when the system or a terminal asks it to. That it reads its settings again on a SIGHUP, and ends
//! where the terminal was closed, is tested with the program that has no window.

use crate::page_process::start_alone;
use crate::viewer::ViewerFixture;

#[tokio::test]
async fn ctrl_c_and_a_request_to_end_end_the_app_in_good_order() {
    let mut fixture = ViewerFixture::logging("info").await;
    fixture.desktop.kill_app();
    for signal in ["INT", "TERM"] {
        let (app, _) = start_alone(&mut fixture.desktop).await;
        fixture.shell.tray().await.line("Maria Lopez - ").await;
        assert_ne!(unfinished(&fixture), [""; 0], "the stores are open");
        fixture.desktop.signal(app, signal);
        let ended = fixture.desktop.ended().await;
        assert!(ended.success(), "{signal}: {ended}");
        assert_eq!(unfinished(&fixture), [""; 0], "{signal}");
    }
}

/// What is not yet in the databases themselves, because they weren't closed. WebKit has databases of its own there.
fn unfinished(fixture: &ViewerFixture) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![fixture.desktop.home().join("data")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if ["archive.db-wal", "journal.db-wal"].contains(&name.as_str()) {
                found.push(name);
            }
        }
    }
    found
}
