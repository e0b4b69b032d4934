//! The program `deskhand`: the window or, with a subcommand, one of the programs without a window.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use console::app::Bundle;
use console::cli::Arguments;
use deskhand_shell::pages::Bundled;

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    arguments.global.bundle = Bundle(Arc::new(Bundled));
    if arguments.program.is_some() {
        return console::cli::run(arguments);
    }
    match deskhand_shell::run(arguments.global) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!(
                "deskhand: open the window: {error}\n\
                 Without a display there are: deskhand demo, deskhand headless, deskhand doctor."
            );
            ExitCode::FAILURE
        }
    }
}
