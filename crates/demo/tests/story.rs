//! The demo, run to its end.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{process::Command, time::timeout};

/// The demo in surroundings of its own: no desktop, no bus, no settings of whoever runs the test.
fn demo(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deskhand-demo"));
    command.args(["--patience", "100"]).stdin(Stdio::null());
    command.env_clear().env("HOME", home).env("USER", "anna").kill_on_drop(true);
    for kept in ["PATH", "TMPDIR"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
}

#[tokio::test]
async fn the_demo_sees_every_step_and_ends_well() {
    let home = tempfile::tempdir().unwrap();
    let output = timeout(Duration::from_secs(220), demo(home.path()).output());
    let output = output.await.expect("it did not end").unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    for step in ["Reload 5", "Transcript archived: 5 messages", "unknown, with its time"] {
        assert!(text.contains(step), "{step} is not in\n{text}");
    }
    // Where this computer lacks what it takes, it is said, and nothing is made up instead.
    let stood_in = text.contains("stands in for");
    assert_eq!(programs_in(&text), if stood_in { 0 } else { 3 }, "{text}");
    assert_ne!(stood_in, text.contains("The first picture: 800x600, decoded"), "{text}");
}

#[tokio::test]
async fn the_demo_says_what_is_missing_for_a_screen_and_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let output = demo(home.path()).env("PATH", home.path()).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("no Xvfb on this computer, so a page stands in for"), "{text}");
    assert_eq!(programs_in(&text), 0, "{text}");
}

/// In how many of the demo's sessions the customer had the real program.
fn programs_in(text: &str) -> usize {
    text.matches("The customer's program is connected  ").count()
}
