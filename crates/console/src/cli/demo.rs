//! `deskhand demo`: hands over to the demo, a program of its own, so that the product contains
//! nothing of it.

use std::{
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use clap::Args;

use super::Failed;

/// What `deskhand demo` can be told.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// How many seconds each step may take
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..=3600))]
    patience: u16,
}

/// Replaces this process by the demo; returns only if that fails.
pub(super) fn hand_over(log: &str, flags: &Flags) -> Failed {
    let own = std::env::current_exe().unwrap_or_default();
    let Some(demo) = demo_beside(own.parent().unwrap_or(Path::new(""))) else {
        return Failed::general(
            "start the demo: it (deskhand-demo) is not beside this program",
            "Install Deskhand's package, or build it: cargo build -p deskhand-demo.",
        );
    };
    // The process is replaced rather than a child started, so that signals and exit codes are the
    // demo's own.
    let patience = flags.patience.to_string();
    let error = Command::new(demo).args(["--patience", &patience, "--log", log]).exec();
    Failed::general(format!("start the demo: {error}"), "")
}

fn demo_beside(folder: &Path) -> Option<PathBuf> {
    let places = ["deskhand-demo", "../lib/deskhand/deskhand-demo"];
    places.map(|place| folder.join(place)).into_iter().find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_found_beside_the_program_and_where_the_package_puts_it() {
        let folder = tempfile::tempdir().unwrap();
        let (bin, lib) = (folder.path().join("bin"), folder.path().join("lib/deskhand"));
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::create_dir_all(&lib).unwrap();
        assert_eq!(demo_beside(&bin), None);
        std::fs::write(lib.join("deskhand-demo"), "").unwrap();
        assert_eq!(demo_beside(&bin), Some(bin.join("../lib/deskhand/deskhand-demo")));
        std::fs::write(bin.join("deskhand-demo"), "").unwrap();
        assert_eq!(demo_beside(&bin), Some(bin.join("deskhand-demo")));
    }
}
