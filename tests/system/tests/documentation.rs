//! Runs the scripts in the documentation exactly as they are printed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{os::unix::fs::symlink, path::Path, time::Duration};

use tokio::{process::Command, time::timeout};

/// Longer than any machine needs; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(120);
/// A loopback address of the test's own, so that the script's fixed ports are free.
const OF_OUR_OWN: &str = "127.47.2.11";

/// The block that begins with `#!/usr/bin/env bash`.
fn script_of(page: &str) -> &str {
    let (_, from) =
        page.split_once("```bash\n#!/usr/bin/env bash\n").expect("the page has a script");
    from.split_once("\n```").expect("the script ends").0
}

/// A folder with the programs under the names that the page gives them.
fn programs() -> tempfile::TempDir {
    let built = std::env::current_exe().unwrap();
    let built = built.ancestors().nth(2).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, program) in
        [("deskhand", "deskhand-console"), ("deskhand-broker", "deskhand-broker")]
    {
        let program = built.join(program);
        assert!(program.exists(), "build the workspace first: {} is missing", program.display());
        symlink(program, folder.path().join(name)).unwrap();
    }
    folder
}

#[tokio::test]
async fn the_whole_story_as_a_script_ends_well() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/headless.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (programs, home) = (programs(), tempfile::tempdir().unwrap());
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
    let script = script_of(&page).replace("127.0.0.1", OF_OUR_OWN);
    let mut bash = Command::new("bash");
    bash.arg("-c").arg(script).env("PATH", path).env("HOME", home.path()).kill_on_drop(true);
    let output = timeout(PATIENCE, bash.output()).await.expect("the script did not end").unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    for step in
        ["\"presenter_online\"", "\"Active\"", "\"transcript_saved\"", "\"T-1001\"", "ended with 0"]
    {
        assert!(said.contains(step), "{step} is not in\n{said}\n{complained}");
    }
}
