//! The programs without a window: `headless`, `regions`, `demo`, `doctor`, `audit`, `backup`
//! and `restore`.
//!
//! Standard output carries only the requested output, in every case; everything else goes to
//! standard error. Ctrl-C, SIGTERM and SIGHUP end each program in good order, except that a SIGHUP has
//! `headless` read its settings again, unless it came because the terminal was closed.

mod backup;
mod check_audit;
mod demo;
mod doctor;
mod flags;
mod headless;
mod help;
pub(crate) mod line_reader;
mod passphrase;
mod probe_regions;
pub(crate) mod protocol;
pub mod watch;

use std::{fmt, future::Future, io, process::ExitCode, sync::Arc, time::Duration};

use clap::{Parser, Subcommand};
use engine::vault::Options as VaultOptions;
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::Notify};
use tokio_util::sync::CancellationToken;

pub use flags::Global;
pub use serve::process::{LogFormat, Signal, Signals, log_filter, start_log};

use crate::app::AppError;

/// A technician's console for remote support.
///
/// Without a subcommand the window opens; deskhand-console has none and prints this help.
#[derive(Debug, Clone, Parser)]
#[command(name = "deskhand", version, about, after_help = EXIT_CODES)]
pub struct Arguments {
    /// What holds for every program.
    #[command(flatten)]
    pub global: Global,
    /// Which program.
    #[command(subcommand)]
    pub program: Option<Program>,
}

/// A program without a window.
#[derive(Debug, Clone, Subcommand)]
pub enum Program {
    /// The console without its window: commands and events as JSON Lines on standard input and output
    Headless(headless::Flags),
    /// Times every region and says which it would choose, and why
    Regions(probe_regions::Flags),
    /// Plays a whole session in this terminal, live, in a temporary folder
    Demo(demo::Flags),
    /// Looks at everything that Deskhand needs on this computer
    Doctor(doctor::Flags),
    /// Looks through the audit log for a broken link, or writes it out
    Audit(check_audit::Flags),
    /// Writes all of a console's data to one encrypted file, while the console runs or not
    Backup(backup::BackupFlags),
    /// Makes a data folder from a backup
    Restore(backup::RestoreFlags),
    /// Prints the manual page
    #[command(hide = true)]
    Man(help::ManFlags),
    /// Prints the completions for a shell
    #[command(hide = true)]
    Completions(help::CompletionsFlags),
}

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 it failed (demo: a step was not seen; doctor: a session can't work here; \
audit: a link is broken); \
2 wrong usage or settings; 3 another console uses the data folder; 4 the key can't be had (passphrase, \
keyring); 5 an address is taken or no good; 6 disk or database; 130 it was interrupted before it was done.";

/// How long background tasks have to end.
const LAST_WORK: Duration = Duration::from_secs(10);

/// How a program ended that didn't fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It did its work.
    Done,
    /// It found a fault and reported it.
    NotGood,
    /// Ctrl-C, SIGTERM or SIGHUP came before it was done.
    Interrupted,
}

/// The reason why a program failed.
#[derive(Debug)]
pub struct Failed {
    code: u8,
    text: String,
    remedy: String,
}

impl Failed {
    /// A failure during the program's work.
    pub fn general(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code: 1, text: text.into(), remedy: remedy.into() }
    }

    /// A flag, variable or setting is wrong.
    pub fn usage(text: impl Into<String>) -> Self {
        Self { code: 2, text: text.into(), remedy: "See --help.".to_owned() }
    }

    /// The data key is out of reach.
    pub fn key(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code: 4, text: text.into(), remedy: remedy.into() }
    }

    /// An address is taken or no good.
    fn address(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code: 5, text: text.into(), remedy: remedy.into() }
    }

    /// The disk or a database.
    fn disk(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code: 6, text: text.into(), remedy: remedy.into() }
    }

    /// A bug.
    pub fn internal(error: &dyn fmt::Display) -> Self {
        Self::general(format!("a bug: {error}"), "Please report it.")
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.text)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "\n{}", self.remedy) }
    }
}

/// Runs the requested program on a runtime of its own, and returns its exit code.
///
/// Without a subcommand it prints the help and returns 2; a program with a window opens
/// the window instead.
pub fn run(arguments: Arguments) -> ExitCode {
    let Arguments { global, program } = arguments;
    let Some(program) = program else {
        use clap::CommandFactory as _;
        let _ = Arguments::command().print_help();
        return ExitCode::from(2);
    };
    start_log(&global.log, global.log_format);
    if let Program::Headless(flags) = program {
        let reload = Arc::new(Notify::new());
        let stop = || interruption(Some(reload.clone()));
        return run_until(stop, async |stop| headless::run(&global, &flags, &stop, &reload).await);
    }
    run_to_end(async |stop| match program {
        // Done above, since it alone runs on and reads its settings again.
        Program::Headless(_) => Err(Failed::internal(&"headless is run elsewhere")),
        Program::Regions(flags) => unless(&stop, probe_regions::run(&global, &flags)).await,
        Program::Demo(flags) => Err(demo::hand_over(&global.log, &flags)),
        Program::Doctor(flags) => unless(&stop, doctor::run(&global, &flags)).await,
        Program::Audit(flags) => unless(&stop, check_audit::run(&global, &flags)).await,
        Program::Backup(flags) => backup::write(&global, flags, &stop).await,
        Program::Restore(flags) => backup::restore(&global, flags, &stop).await,
        Program::Man(flags) => help::print_manual(&flags),
        Program::Completions(flags) => help::print_completions(&flags),
    })
}

/// Runs a program on a runtime of its own, and returns its exit code. The token that the program
/// gets is cancelled by the first Ctrl-C, SIGTERM or SIGHUP.
pub fn run_to_end(program: impl AsyncFnOnce(CancellationToken) -> Result<End, Failed>) -> ExitCode {
    run_until(|| interruption(None), program)
}

/// As [`run_to_end`], with the token that `interrupt` makes on the runtime.
fn run_until(
    interrupt: impl FnOnce() -> CancellationToken,
    program: impl AsyncFnOnce(CancellationToken) -> Result<End, Failed>,
) -> ExitCode {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return conclude(Err(Failed::general(format!("start: {error}"), ""))),
    };
    let ended = runtime.block_on(async { program(interrupt()).await });
    // Tasks that still hold a store must close it before the process ends: the cipher's library is
    // torn down at exit, and a connection that closes after that frees memory a second time.
    runtime.shutdown_timeout(LAST_WORK);
    conclude(ended)
}

fn conclude(ended: Result<End, Failed>) -> ExitCode {
    match ended {
        Ok(End::Done) => ExitCode::SUCCESS,
        Ok(End::NotGood) => ExitCode::FAILURE,
        Ok(End::Interrupted) => ExitCode::from(130),
        Err(failed) => {
            eprintln!("deskhand: {failed}");
            ExitCode::from(failed.code)
        }
    }
}

/// How the programs beside the console get at a data folder's key.
///
/// # Errors
/// The passphrase's file can't be read.
fn vault_options(global: &Global) -> Result<VaultOptions, Failed> {
    let mut options = VaultOptions { passphrase: global.passphrase()?, ..VaultOptions::default() };
    if global.no_keyring {
        options.keyring = None;
    }
    Ok(options)
}

/// Runs `work`, and drops it when `stop` is cancelled.
async fn unless(
    stop: &CancellationToken,
    work: impl Future<Output = Result<End, Failed>>,
) -> Result<End, Failed> {
    stop.run_until_cancelled(work).await.unwrap_or(Ok(End::Interrupted))
}

/// A token that the first Ctrl-C, SIGTERM or SIGHUP from now on cancels, even if nobody waits for it
/// yet. With `reload` a SIGHUP wakes that instead, unless it came because the terminal was closed.
fn interruption(reload: Option<Arc<Notify>>) -> CancellationToken {
    let stop = CancellationToken::new();
    let came = stop.clone();
    match Signals::listen() {
        Ok(mut signals) => {
            tokio::spawn(async move {
                while let (Signal::Reload, Some(reload)) = (signals.next().await, &reload) {
                    reload.notify_one();
                }
                came.cancel();
            });
        }
        Err(error) => tracing::warn!(%error, "listen for Ctrl-C: the system refused"),
    }
    stop
}

/// A folder that is removed when dropped.
///
/// # Errors
/// The folder can't be made.
pub fn temporary_folder() -> Result<TempDir, Failed> {
    tempfile::Builder::new().prefix("deskhand-").tempdir().map_err(|error: io::Error| {
        Failed::general(
            format!("make a temporary folder: {error}"),
            "Free some space in it, or set TMPDIR.",
        )
    })
}

impl From<AppError> for Failed {
    fn from(error: AppError) -> Self {
        let trouble = error.trouble();
        Self { code: error.exit_code(), text: trouble.text, remedy: trouble.remedy }
    }
}
