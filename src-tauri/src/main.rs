//! The program: the window, or with a subcommand one of the programs without a window.

use std::process::ExitCode;

use clap::Parser as _;
use console::cli::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
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
