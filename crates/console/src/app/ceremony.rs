//! Ceremonies: a passkey is made or used in the system's browser, and its result is checked here.
//!
//! Only one runs at a time; a new one ends its predecessor. Each has a page, a port and a
//! one-time state of its own. It ends with the first token, with its time, when a person
//! cancels it, or with the console. Nothing is unlocked, stored or overridden before the
//! service and [`sign_in_check`] agree.

mod browser_page;
mod running;
mod sign_in_check;
mod task;
mod troubles;

use std::{sync::Arc, time::Duration};

use engine::{clock::now, remote::Passwordless, token::HookToken};
use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use session::Timestamp;
use tokio_util::sync::CancellationToken;

use self::{browser_page::CeremonyPage, running::RunningCeremony};
pub(crate) use self::{task::CeremonyTask, troubles::of_passkey};
use super::{Console, Pages, engine_slot::EngineSlot};
use crate::{
    present::{remedy, trouble},
    view::{CeremonyStep, CeremonyView, Code, Purpose, Trouble},
};

/// How long a person has in the browser.
pub const IN_THE_BROWSER: Duration = Duration::from_secs(3 * 60);

/// The current ceremony, and the parts that every ceremony needs.
pub(crate) struct Ceremonies {
    pub current: Mutex<Ceremony>,
    pages: Arc<dyn Pages>,
    time_limit: Duration,
}

impl Ceremonies {
    pub(super) fn new(pages: Arc<dyn Pages>, time_limit: Duration) -> Self {
        Self { current: Mutex::default(), pages, time_limit }
    }
}

/// The ceremony under way, or the failure of the last one.
#[derive(Default)]
pub(crate) struct Ceremony {
    /// Numbers the ceremonies, so that a replaced one changes nothing any more.
    number: u64,
    current: Option<CurrentCeremony>,
}

struct CurrentCeremony {
    task: CeremonyTask,
    step: CeremonyStep,
    until: Timestamp,
    trouble: Option<Trouble>,
    /// Where the browser finds the page; none once the ceremony is over.
    open: Option<OpenPage>,
}

struct OpenPage {
    url: SecretString,
    end: CancellationToken,
}

/// Begins a ceremony, which replaces one that is under way, and returns its page's address.
///
/// # Errors
/// The passkey service isn't set up, or no page can be served.
pub(crate) async fn begin(console: &Arc<Console>, task: CeremonyTask) -> Result<String, Trouble> {
    let service = passkeys(&console.engine, task.doing()).await?;
    if console.ceremonies.pages.get("passkey.js").is_none() {
        return Err(troubles::no_page(task.doing()));
    }
    let state = HookToken::random().map_err(|error| trouble::new(&error, remedy::NO_RANDOM))?;
    let origin = service.service().base_url.origin().ascii_serialization();
    let page = CeremonyPage::open(&state, console.ceremonies.pages.clone(), &origin, task.offer())
        .map_err(|error| Trouble {
            code: Code::TryAgain,
            text: trouble::sentence(&format!("{}: open its page: {error}", task.doing())),
            remedy: "Try again; if it stays so, start the computer again.".into(),
        })?;
    // In the fragment, which no browser sends: no server's log and no `Referer` has the state.
    let url = format!("{}/#{}", page.origin, state.expose());
    // The end of the console ends the ceremony as well.
    let end = console.lifecycle.watch.stopping.child_token();
    let time_limit = console.ceremonies.time_limit;
    let until = now().plus(time_limit);
    let number = {
        let mut ceremony = console.ceremonies.current.lock();
        ceremony.cancel();
        ceremony.number += 1;
        ceremony.current = Some(CurrentCeremony {
            task: task.clone(),
            step: CeremonyStep::Waiting,
            until,
            trouble: None,
            open: Some(OpenPage { url: url.clone().into(), end: end.clone() }),
        });
        ceremony.number
    };
    let running = RunningCeremony { console: console.clone(), service, task, number };
    console.lifecycle.watch.tasks.spawn(running.run(page, end, time_limit));
    // The person can still open the link by hand, so the ceremony goes on.
    if let Err(error) = console.desktop.open_browser(&url) {
        let trouble = Trouble {
            code: Code::TryAgain,
            text: trouble::sentence(&error.0),
            remedy: "Copy the link, and open it in a browser on this computer.".into(),
        };
        console.ceremonies.current.lock().show(number, CeremonyStep::Waiting, Some(trouble));
    }
    console.updates.announce();
    Ok(url)
}

/// The passkey service's client.
///
/// # Errors
/// The service that `doing` needs isn't set up.
pub(crate) async fn passkeys(slot: &EngineSlot, doing: &str) -> Result<Passwordless, Trouble> {
    let services = slot.require().await?.services();
    services.passwordless.ok_or_else(|| Trouble {
        code: Code::SetUp,
        text: trouble::sentence(&format!("{doing}: the passkey service is not set up")),
        remedy: "Set its address, API key and API secret in the settings.".into(),
    })
}

impl Ceremony {
    /// Gives up the ceremony under way; a failed one is no longer shown.
    pub fn cancel(&mut self) {
        if let Some(OpenPage { end, .. }) = self.current.take().and_then(|shown| shown.open) {
            end.cancel();
        }
    }

    /// Gives up a ceremony that needs a signed-in person.
    pub fn lock(&mut self) {
        let signs_in = |shown: &CurrentCeremony| shown.task.purpose() == Purpose::SignIn;
        if !self.current.as_ref().is_some_and(signs_in) {
            self.cancel();
        }
    }

    /// The page's address, while the ceremony is under way.
    pub fn url(&self) -> Option<String> {
        let open = self.current.as_ref()?.open.as_ref()?;
        Some(open.url.expose_secret().to_owned())
    }

    pub fn view(&self) -> Option<CeremonyView> {
        self.current.as_ref().map(|shown| CeremonyView {
            purpose: shown.task.purpose(),
            text: shown.task.text(),
            step: shown.step,
            until: shown.until.0,
            trouble: shown.trouble.clone(),
        })
    }

    fn show(&mut self, number: u64, step: CeremonyStep, trouble: Option<Trouble>) {
        if let Some(shown) = self.current.as_mut().filter(|_| self.number == number) {
            (shown.step, shown.trouble) = (step, trouble);
        }
    }

    fn end(&mut self, number: u64, ended: Result<(), Trouble>) {
        if self.number != number {
            return;
        }
        match (ended, &mut self.current) {
            (Ok(()), current) => *current = None,
            (Err(trouble), Some(shown)) => {
                shown.step = CeremonyStep::Failed;
                // The browser's own reason explains more than the end of the waiting time does.
                shown.trouble.get_or_insert(trouble);
                shown.open = None;
            }
            (Err(_), None) => {}
        }
    }
}
