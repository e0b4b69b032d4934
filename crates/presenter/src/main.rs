//! `deskhand-presenter`: see `--help`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{CommandFactory as _, Parser as _};
use presenter::{
    Environment,
    admission::Admission,
    cli::Args,
    consent::{ConsentUi, Unattended, X11ConsentUi},
    dial::Dialler,
    end_reason::EndReason,
    invitation::{Invitation, InvitationError},
    own_program, restored_clipboard, run,
    screen::KeptScreen,
};
use tracing_subscriber::EnvFilter;

/// The title of the windows with a message for the customer.
const TITLE: &str = "Support session";

fn main() -> ExitCode {
    let args = Args::parse();
    if args.manual {
        let printed = clap_mangen::Man::new(Args::command()).render(&mut std::io::stdout());
        return if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    if args.keep_clipboard {
        restored_clipboard::serve(args.display.as_deref());
        return ExitCode::SUCCESS;
    }
    let (invitation, own) = match invited(&args) {
        Ok(invited) => invited,
        Err(error) => {
            tell(&args, &error.to_string());
            return ExitCode::from(error.exit_code());
        }
    };
    let ended = share(&args, &invitation);
    if ended.is_news() {
        tell(&args, &ended.to_string());
    } else if !invitation.quiet {
        eprintln!("{ended}");
    }
    if let Some(own) = own.filter(|_| invitation.self_delete && !ended.may_be_tried_again()) {
        remove(&own);
    }
    ExitCode::from(ended.exit_code())
}

/// The invitation, and the program's own file if that holds it.
fn invited(args: &Args) -> Result<(Invitation, Option<PathBuf>), InvitationError> {
    let own = own_program::own_file()?;
    let payload = own_program::read(&own)?;
    let own = payload.is_some().then_some(own);
    Ok((Invitation::from_args(args, payload)?, own))
}

fn share(args: &Args, invitation: &Invitation) -> EndReason {
    let dialler = match Dialler::new(&invitation.broker, args.ca.as_deref()) {
        Ok(dialler) => dialler,
        Err(error) => return error.into(),
    };
    let mut ui: Box<dyn ConsentUi> = if args.yes {
        Box::new(Unattended)
    } else {
        match X11ConsentUi::open(args.display.as_deref()) {
            Ok(ui) => Box::new(ui),
            Err(error) => return error.into(),
        }
    };
    let screen = Arc::new(KeptScreen::new(args.display.clone()));
    let opened = Arc::clone(&screen);
    let environment = Environment {
        ui: ui.as_mut(),
        open: Arc::new(move || opened.open()),
        dialler,
        name: args.name.clone().unwrap_or_else(account),
        clipboard: !args.no_clipboard,
        admission: match (args.admit_all, args.yes) {
            (true, _) => Admission::All,
            (false, true) => Admission::Refuse,
            (false, false) => Admission::Ask,
        },
        private_folder: std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from),
    };
    let ended = run(invitation, environment);
    if let Some(before) = screen.end() {
        restored_clipboard::restore(args.display.as_deref(), &before);
    }
    ended
}

/// Shows a sentence in the terminal, and in a window for those who started the program by a
/// double click.
fn tell(args: &Args, sentence: &str) {
    eprintln!("deskhand-presenter: {sentence}");
    if args.yes {
        return;
    }
    // If no window can be opened, the line in the terminal has to do.
    if let Ok(mut ui) = X11ConsentUi::open(args.display.as_deref()) {
        let _ = ui.tell(TITLE, sentence);
    }
}

fn account() -> String {
    let named = ["USER", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    named.unwrap_or_default()
}

fn remove(own: &Path) {
    if own_program::remove(own).is_err() {
        eprintln!("deskhand-presenter: This program couldn't remove itself. You can delete it.");
    }
}
