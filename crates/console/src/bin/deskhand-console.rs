//! Deskhand without its window, for servers and scripts: `headless`, `regions`, `demo`, `doctor`.
//!
//! It links no web view, so it runs where none is installed; otherwise it is the same program as
//! `deskhand`.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    console::cli::run(console::cli::Arguments::parse())
}
