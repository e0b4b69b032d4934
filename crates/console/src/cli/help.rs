//! What a package has of the command line: manual pages and completions.

use std::{
    io::{self, stdout},
    path::PathBuf,
};

use clap::{Args, CommandFactory as _};
use clap_mangen::Man;

use super::{Arguments, End, Failed};

/// The flags of `deskhand man`.
#[derive(Debug, Clone, Args)]
pub struct ManFlags {
    /// Write one page for each program to this folder, instead of printing the first
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// The flags of `deskhand completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsFlags {
    /// The shell
    shell: clap_complete::Shell,
}

pub(super) fn print_manual(flags: &ManFlags) -> Result<End, Failed> {
    let command = Arguments::command().disable_help_subcommand(true);
    match &flags.folder {
        Some(folder) => {
            let doing = format!("write manual pages to {}", folder.display());
            done(&doing, clap_mangen::generate_to(command, folder))
        }
        None => done("write to standard output", Man::new(command).render(&mut stdout())),
    }
}

pub(super) fn print_completions(flags: &CompletionsFlags) -> Result<End, Failed> {
    let mut text = Vec::new();
    clap_complete::generate(flags.shell, &mut Arguments::command(), "deskhand", &mut text);
    done("write to standard output", io::Write::write_all(&mut stdout(), &text))
}

fn done(doing: &str, result: io::Result<()>) -> Result<End, Failed> {
    let why =
        |error| Failed::general(format!("{doing}: {error}"), "Check the folder and its disk.");
    result.map(|()| End::Done).map_err(why)
}
