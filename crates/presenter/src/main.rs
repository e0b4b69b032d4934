//! `deskhand-presenter`: see `--help`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Parser as _;
use presenter::{
    Parts,
    cli::Args,
    consent::{Desk, Unattended, X11Desk},
    dial::Dialler,
    end::Ended,
    invited::{Invitation, InvitationError},
    program, run, screen,
};
use tracing_subscriber::EnvFilter;

/// Over every sentence that the customer is told.
const TITLE: &str = "Support session";

fn main() -> ExitCode {
    let args = Args::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
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

/// What this start is invited to, and the own file if that brought it along.
fn invited(args: &Args) -> Result<(Invitation, Option<PathBuf>), InvitationError> {
    let own = program::own_file()?;
    let payload = program::read(&own)?;
    let own = payload.is_some().then_some(own);
    Ok((Invitation::of(args, payload)?, own))
}

fn share(args: &Args, invitation: &Invitation) -> Ended {
    let dialler = match Dialler::new(&invitation.broker, args.ca.as_deref()) {
        Ok(dialler) => dialler,
        Err(error) => return error.into(),
    };
    let mut desk: Box<dyn Desk> = if args.yes {
        Box::new(Unattended)
    } else {
        match X11Desk::open(args.display.as_deref()) {
            Ok(desk) => Box::new(desk),
            Err(error) => return error.into(),
        }
    };
    let display = args.display.clone();
    let parts = Parts {
        desk: desk.as_mut(),
        open: Arc::new(move || screen::open(display.as_deref())),
        dialler,
        name: args.name.clone().unwrap_or_else(account),
        clipboard: !args.no_clipboard,
    };
    run(invitation, parts)
}

/// Says it in the terminal and, where somebody may have started this by a double click, in a window.
fn tell(args: &Args, sentence: &str) {
    eprintln!("deskhand-presenter: {sentence}");
    if args.yes {
        return;
    }
    // No window: then the terminal has to do.
    if let Ok(mut desk) = X11Desk::open(args.display.as_deref()) {
        let _ = desk.tell(TITLE, sentence);
    }
}

/// The name of this account.
fn account() -> String {
    let named = ["USER", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    named.unwrap_or_default()
}

fn remove(own: &Path) {
    if program::remove(own).is_err() {
        eprintln!("deskhand-presenter: This program couldn't remove itself. You can delete it.");
    }
}
