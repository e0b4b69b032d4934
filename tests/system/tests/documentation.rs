//! Runs the scripts in the documentation exactly as they are printed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{os::unix::fs::symlink, path::Path, time::Duration};

use tokio::{process::Command, time::timeout};

/// Longer than any machine needs; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(220);

/// A loopback address of this process alone, so that the script's fixed ports are free.
fn of_our_own() -> String {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    // Neither 0 nor 255 may end an address, so the last bit goes into the second number.
    format!("127.{}.{middle}.{}", 101 + high % 64 * 2 + low % 2, 1 + low / 2)
}

/// The block that begins with `#!/usr/bin/env bash`.
fn script_of(page: &str) -> &str {
    let (_, from) =
        page.split_once("```bash\n#!/usr/bin/env bash\n").expect("the page has a script");
    from.split_once("\n```").expect("the script ends").0
}

/// The block after "It prints this".
fn sample_of(page: &str) -> &str {
    let (_, from) = page.split_once("It prints this").expect("the page has a sample");
    let (_, from) = from.split_once("```\n").expect("the sample is a block");
    from.split_once("\n```").expect("the sample ends").0
}

/// The text with what is another each time replaced: ids, PINs, tickets, times and sequence numbers.
fn normalised(text: &str) -> String {
    let mut normal = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(word.max(first.len_utf8()));
        normal.push_str(match kind_of(word, &normal) {
            Some(kind) => kind,
            None => word,
        });
        rest = after;
    }
    normal
}

/// What a word is that is another each time; none if it isn't.
fn kind_of(word: &str, before: &str) -> Option<&'static str> {
    let is_pin = |word: &str| {
        let parts: Vec<_> = word.split('-').map(str::len).collect();
        parts == [3, 2, 4] && !word.contains(|c: char| c.is_ascii_lowercase())
    };
    if word.len() == 36 && word.matches('-').count() == 4 {
        Some("an id")
    } else if is_pin(word) {
        Some("a PIN")
    } else if before.ends_with("\"seq\":") || before.ends_with("--from-seq ") {
        Some("a number")
    } else if before.ends_with("#ticket=") {
        Some("a ticket")
    } else if before.ends_with("\"at\":") {
        Some("a time")
    } else {
        None
    }
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
    let own = of_our_own();
    let script = script_of(&page).replace("127.0.0.1", &own);
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
    let printed = normalised(&said.replace(&own, "127.0.0.1"));
    let sample = normalised(sample_of(&page));
    for (printed, sample) in printed.lines().zip(sample.lines()) {
        assert_eq!(printed, sample, "the page's sample, and what the program prints:\n{said}");
    }
    assert_eq!(printed.lines().count(), sample.lines().count(), "{said}");
}

#[test]
fn only_what_is_another_each_time_counts_as_the_same() {
    let line = |id: &str, pin: &str, seq: u8, at: u64, text: &str| {
        format!(r#"{{"seq":{seq},"at":{at},"session":"{id}","url":"x#{pin}","text":"{text}"}}"#)
    };
    let one = line("8a330e05-eca9-4379-8fe0-c8d33b8f510a", "L4R-47-FYYK", 3, 17, "online");
    let other = line("00000000-0000-4000-8000-000000000000", "7W2-97-8570", 12, 18, "online");
    assert_eq!(normalised(&one), normalised(&other));
    let gone = line("8a330e05-eca9-4379-8fe0-c8d33b8f510a", "L4R-47-FYYK", 3, 17, "offline");
    assert_ne!(normalised(&one), normalised(&gone));
    assert_eq!(normalised("us-east-1 → ”"), "us-east-1 → ”");
}
