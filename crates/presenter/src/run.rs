//! From the start to the end: ask, share, say why it ended.

use std::{
    sync::mpsc as std_mpsc,
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::{runtime::Runtime, sync::mpsc};
use uuid::Uuid;
use wire::screen::Program;

use crate::{
    asker,
    consent::{Choice, Desk, Question},
    dial::Dialler,
    end::Ended,
    invited::Invitation,
    live::{LONGEST_LIFE, Line},
    sharing::Sharing,
    stage::Open,
};

/// What a start needs beside its invitation.
pub struct Parts<'a> {
    /// The customer's window.
    pub desk: &'a mut dyn Desk,
    /// Opens the screen.
    pub open: Open,
    /// How to dial the broker.
    pub dialler: Dialler,
    /// The customer's name, as the others see it.
    pub name: String,
    /// Whether the clipboard may be exchanged.
    pub clipboard: bool,
}

/// Asks, shares, and answers why it ended. It takes the calling thread for the customer's window.
pub fn run(invitation: &Invitation, parts: Parts<'_>) -> Ended {
    match shared(invitation, parts) {
        Ok(ended) | Err(ended) => ended,
    }
}

fn shared(invitation: &Invitation, parts: Parts<'_>) -> Result<Ended, Ended> {
    let Parts { desk, open, dialler, name, clipboard } = parts;
    let progress = if invitation.quiet { |_: &str| {} } else { |text: &str| eprintln!("{text}") };
    if dialler.is_open_to_readers() {
        tracing::warn!("the server's address is http: what is sent to it can be read on the way");
    }
    if let Some(doubt) = invitation.until.and_then(|until| doubt(until, now())) {
        progress(doubt);
    }
    // Whether there is a screen at all is known before anybody is asked about it.
    drop(open()?);
    let runtime = runtime()?;
    let asker = match &invitation.asker {
        Some(asker) => asker.clone(),
        None => runtime.block_on(asker::ask(&dialler, &invitation.pin))?,
    };
    let question =
        Question { asker, pin: invitation.pin.expose().to_owned(), host: dialler.host() };
    if desk.ask(&question)? != Choice::Share {
        return Err(Ended::Declined);
    }
    let (choose, choices) = mpsc::unbounded_channel();
    let (banners, banner) = std_mpsc::channel();
    let line = Line {
        dialler,
        pin: invitation.pin.clone(),
        page: Uuid::new_v4(),
        name,
        program: Program {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            conf: invitation.conf.clone(),
        },
    };
    let sharing = Sharing { line, open, clipboard, choices, banners, progress };
    let stop = {
        let _entered = runtime.enter();
        stop_asked()?
    };
    let running = runtime.spawn(sharing.run(stop));
    let shown = desk.share(banner, &mut |choice| {
        let _ = choose.send(choice);
    });
    // A window that is gone is a stop: nothing is shared without it.
    drop(choose);
    let ended = runtime.block_on(running).map_err(|_| Ended::System("go on"))?;
    shown
        .map_err(Ended::Screen)
        .or_else(|gone| if ended == Ended::Stopped { Err(gone) } else { Ok(()) })?;
    Ok(ended)
}

/// What there is to say where this computer's clock, seconds since 1970 as `until`, can't be right.
fn doubt(until: u64, now: u64) -> Option<&'static str> {
    if until < now {
        Some(
            "By this computer's clock the session is over already. The clock may be wrong, so the server is asked.",
        )
    } else if until - now > LONGEST_LIFE.as_secs() {
        Some(
            "By this computer's clock the session is of a time to come. The clock may be wrong, so the server is asked.",
        )
    } else {
        None
    }
}

fn runtime() -> Result<Runtime, Ended> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|_| Ended::System("start this program's threads"))
}

/// Ctrl-C or SIGTERM; listened for from the moment of the call.
#[cfg(unix)]
fn stop_asked() -> Result<impl Future<Output = ()> + Send + 'static, Ended> {
    use tokio::signal::unix::{SignalKind, signal};
    let refused = |_| Ended::System("listen for Ctrl-C");
    let mut interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(refused)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(refused)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

/// Ctrl-C.
#[cfg(not(unix))]
fn stop_asked() -> Result<impl Future<Output = ()> + Send + 'static, Ended> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_doubted_where_it_is_ahead_or_behind_by_more_than_a_sessions_life() {
        let (now, life) = (1_700_000_000, LONGEST_LIFE.as_secs());
        assert_eq!(doubt(now, now), None);
        assert_eq!(doubt(now + life, now), None);
        assert!(doubt(now - 1, now).unwrap().contains("over already"));
        assert!(doubt(now + life + 1, now).unwrap().contains("to come"));
        assert!(doubt(u64::MAX, now).is_some() && doubt(0, u64::MAX).is_some());
    }
}
