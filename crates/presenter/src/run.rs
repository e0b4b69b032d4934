//! One run of the program: ask the customer, share, and return why it ended.

use std::{
    path::PathBuf,
    sync::mpsc as std_mpsc,
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::{runtime::Runtime, sync::mpsc};
use uuid::Uuid;
use wire::shared_screen::{ProgramHello, Requester};

use crate::{
    admission::Admission,
    broker_connection::{BrokerConnection, LONGEST_LIFE},
    consent::{Choice, ConsentUi, Question},
    consent_report::{Answer, ConsentReport},
    dial::Dialler,
    end_reason::EndReason,
    invitation::Invitation,
    known_viewers::KnownViewers,
    requester,
    screen::ScreenError,
    shared_screen::OpenScreen,
    sharing::Sharing,
};

/// The parts of a run that don't come from its invitation.
pub struct Environment<'a> {
    /// The customer's windows.
    pub ui: &'a mut dyn ConsentUi,
    pub open: OpenScreen,
    pub dialler: Dialler,
    /// The customer's name, as the others see it.
    pub name: String,
    /// Whether the clipboard may be exchanged.
    pub clipboard: bool,
    /// What happens to a viewer that isn't let in as a matter of course.
    pub admission: Admission,
    /// The folder of this user alone in which viewers stay known if the program is started again.
    pub private_folder: Option<PathBuf>,
}

/// Asks for consent, shares, and returns the reason of the end. The customer's windows run on the
/// calling thread.
pub fn run(invitation: &Invitation, environment: Environment<'_>) -> EndReason {
    match ask_and_share(invitation, environment) {
        Ok(ended) | Err(ended) => ended,
    }
}

fn ask_and_share(
    invitation: &Invitation,
    environment: Environment<'_>,
) -> Result<EndReason, EndReason> {
    let Environment { ui, open, dialler, name, clipboard, admission, private_folder } = environment;
    let progress = if invitation.quiet { |_: &str| {} } else { |text: &str| eprintln!("{text}") };
    if dialler.is_open_to_readers() {
        tracing::warn!("the server's address is http: what is sent to it can be read on the way");
    }
    if let Some(warning) = invitation.until.and_then(|until| clock_warning(until, now())) {
        progress(warning);
    }
    // Opened as a test: the customer isn't asked about a screen that can't be shared.
    drop(open()?);
    let runtime = runtime()?;
    let requester = match &invitation.requester {
        Some(requester) => requester.clone(),
        None => runtime.block_on(requester::fetch(&dialler, &invitation.pin))?,
    };
    let question = question(invitation, requester, &dialler, clipboard);
    let (page, program) = (Uuid::new_v4(), hello(invitation));
    let (pin, dials) = (invitation.pin.clone(), dialler.clone());
    let report = ConsentReport { dialler: dials, pin, page, program: program.clone() };
    let reporting = report.start(runtime.handle());
    let chosen = ui.ask(&question)?;
    if !matches!(chosen, Choice::Share | Choice::ShareWithClipboard) {
        runtime.block_on(reporting.answered(Answer::Declined));
        return Err(EndReason::Declined);
    }
    let clipboard_shared = chosen == Choice::ShareWithClipboard;
    runtime.block_on(reporting.answered(Answer::Agreed));
    let (choose, choices) = mpsc::unbounded_channel();
    let (banners, banner) = std_mpsc::channel();
    let known = KnownViewers::open(private_folder.as_deref(), &invitation.broker, &invitation.pin);
    let connection = BrokerConnection { dialler, pin: invitation.pin.clone(), page, name, program };
    let sharing = Sharing {
        connection,
        open,
        clipboard,
        clipboard_shared,
        admission,
        known: known.clone(),
        choices,
        banners,
        progress,
    };
    let stop = stop_in(&runtime)?;
    let running = runtime.spawn(sharing.run(stop));
    let shown = ui.share(banner, &mut |choice| {
        let _ = choose.send(choice);
    });
    // Ends the choices, which stops the sharing if the window is gone: nothing is shared
    // without it.
    drop(choose);
    let ended = runtime.block_on(running).map_err(|_| EndReason::System("go on"))?;
    if ended.is_for_good() {
        known.forget();
    }
    end_of(shown, ended)
}

/// Without its window the program stops by itself, and that the window is gone says more.
fn end_of(shown: Result<(), ScreenError>, ended: EndReason) -> Result<EndReason, EndReason> {
    match shown {
        Err(gone) if ended == EndReason::Stopped => Err(EndReason::Screen(gone)),
        Ok(()) | Err(_) => Ok(ended),
    }
}

fn question(
    invitation: &Invitation,
    requester: Requester,
    dialler: &Dialler,
    clipboard: bool,
) -> Question {
    Question {
        requester,
        pin: invitation.pin.expose().to_owned(),
        host: dialler.host(),
        clipboard,
        open_to_readers: dialler.is_open_to_readers(),
    }
}

/// What the broker is told of this program.
fn hello(invitation: &Invitation) -> ProgramHello {
    ProgramHello {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        conf: invitation.conf.clone(),
    }
}

fn stop_in(runtime: &Runtime) -> Result<impl Future<Output = ()> + use<>, EndReason> {
    let _entered = runtime.enter();
    stop_signal()
}

/// The warning if this computer's clock can't be right. `until` and `now` are seconds since 1970.
fn clock_warning(until: u64, now: u64) -> Option<&'static str> {
    if until < now {
        Some(
            "By this computer's clock the session is over already. The clock may be wrong, so the server is asked.",
        )
    } else if until - now > LONGEST_LIFE.as_secs() {
        Some(
            "By this computer's clock the session has not begun yet. The clock may be wrong, so the server is asked.",
        )
    } else {
        None
    }
}

fn runtime() -> Result<Runtime, EndReason> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|_| EndReason::System("start this program's threads"))
}

/// A future that completes at Ctrl-C, SIGTERM or SIGHUP. Signals count from this call on, not from
/// the first poll.
#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, EndReason> {
    use tokio::signal::unix::{SignalKind, signal};
    let refused = |_| EndReason::System("listen for Ctrl-C");
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

/// A future that completes at Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, EndReason> {
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
        assert_eq!(clock_warning(now, now), None);
        assert_eq!(clock_warning(now + life, now), None);
        assert!(clock_warning(now - 1, now).unwrap().contains("over already"));
        assert!(clock_warning(now + life + 1, now).unwrap().contains("not begun yet"));
        assert!(clock_warning(u64::MAX, now).is_some() && clock_warning(0, u64::MAX).is_some());
    }
}
