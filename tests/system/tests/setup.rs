//! `./run` before anything is built: for a user without rights, and on a computer without a
//! display. The tools that it calls are stand-ins in a folder of their own; nothing is installed.

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// A checkout with the scripts only, and the stand-ins of the tools that they call.
struct Checkout(TempDir);

impl Checkout {
    fn new() -> Self {
        let checkout = Self(tempfile::tempdir().unwrap());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for file in ["run", "scripts/setup.sh", "Cargo.toml", "ui/package-lock.json"] {
            let to = checkout.path(file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(root.join(file), to).unwrap();
        }
        // The user interface is as if it had been built a moment ago.
        fs::create_dir_all(checkout.path("ui/node_modules")).unwrap();
        fs::copy(
            root.join("ui/package-lock.json"),
            checkout.path("ui/node_modules/.deskhand-lock"),
        )
        .unwrap();
        for made in ["ui/dist-pages/viewer/viewer.js", "ui/dist/.built"] {
            fs::create_dir_all(checkout.path(made).parent().unwrap()).unwrap();
            fs::write(checkout.path(made), "").unwrap();
        }
        for (tool, does) in [
            ("id", "echo 1000"),
            ("dpkg-query", "echo installed"),
            ("cargo", "true"),
            ("rustc", "echo rustc 999.0.0"),
            ("node", "echo v999.0.0"),
            ("npm", "true"),
        ] {
            checkout.tool(tool, does);
        }
        for tool in
            ["bash", "dirname", "sed", "cut", "sort", "head", "printf", "cmp", "find", "mktemp"]
        {
            let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(tool));
            let real = found.iter().find(|path| path.exists()).unwrap();
            std::os::unix::fs::symlink(real, checkout.path(&format!("tools/{tool}"))).unwrap();
        }
        checkout.script("target/debug/deskhand", "echo \"deskhand $*\"");
        checkout
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn tool(&self, name: &str, does: &str) {
        self.script(&format!("tools/{name}"), does);
    }

    fn script(&self, file: &str, does: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{does}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs `./run` without this computer's environment variables.
    fn run(&self, words: &[&str]) -> Output {
        Command::new(self.path("tools/bash"))
            .arg(self.path("run"))
            .args(words)
            .env_clear()
            .env("PATH", self.path("tools"))
            .env("HOME", self.0.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn without_rights_and_without_sudo_it_says_the_one_command_to_run_and_does_nothing() {
    let checkout = Checkout::new();
    checkout.tool("dpkg-query", "[ \"$3\" = pkg-config ] && exit 1; echo installed");
    checkout.tool("apt-get", "touch \"$HOME/apt-was-run\"");
    let ended = checkout.run(&[]);
    let said = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    let command = "su -c 'apt-get update && apt-get -o DPkg::Lock::Timeout=400 install -y \
                   --no-install-recommends pkg-config'";
    assert_eq!(said.matches("su -c ").count(), 1, "{said}");
    assert!(said.contains(command), "{said}");
    assert!(!checkout.path("apt-was-run").exists());
    assert!(ended.stdout.is_empty());
}

#[test]
fn with_a_sudo_that_asks_for_nothing_it_installs_what_is_missing_itself() {
    let checkout = Checkout::new();
    checkout.tool("dpkg-query", "[ \"$3\" = pkg-config ] && exit 1; echo installed");
    checkout.tool("sudo", "[ \"$1\" = -n ] && exit 0; exec \"$@\"");
    checkout.tool("apt-get", "echo \"$*\" >> \"$HOME/apt-was-run\"");
    for tool in ["env", "rm", "tail"] {
        std::os::unix::fs::symlink(
            format!("/usr/bin/{tool}"),
            checkout.path(&format!("tools/{tool}")),
        )
        .unwrap();
    }
    let ended = checkout.run(&["doctor"]);
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    let installed = fs::read_to_string(checkout.path("apt-was-run")).unwrap();
    assert!(installed.contains("install -y --no-install-recommends pkg-config"), "{installed}");
}

#[test]
fn without_a_display_it_runs_the_demo_and_says_so() {
    let checkout = Checkout::new();
    let ended = checkout.run(&[]);
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    assert_eq!(text(&ended.stdout), "deskhand demo\n");
    assert!(text(&ended.stderr).contains("There is no display"));
}

#[test]
fn the_demo_gets_the_virtual_display_that_nothing_else_needs_and_runs_without_it() {
    let checkout = Checkout::new();
    checkout.tool("dpkg-query", "[ \"$3\" = xvfb ] && exit 1; echo installed");
    for (words, asked) in [(&["demo"][..], true), (&["doctor"][..], false)] {
        let ended = checkout.run(words);
        let said = text(&ended.stderr);
        assert_eq!(said.contains("--no-install-recommends xvfb"), asked, "{said}");
        assert_eq!(said.contains("The demo goes on without"), asked, "{said}");
        assert_eq!(text(&ended.stdout), format!("deskhand {}\n", words[0]), "{said}");
    }
}

#[test]
fn what_was_asked_for_is_run_with_a_display_or_without_and_stdout_is_its_own() {
    let checkout = Checkout::new();
    for (words, wanted) in [
        (&["--headless", "--data", "d"][..], "deskhand headless --data d\n"),
        (&["regions"][..], "deskhand regions\n"),
    ] {
        let ended = checkout.run(words);
        assert_eq!(text(&ended.stdout), wanted, "{}", text(&ended.stderr));
    }
}
