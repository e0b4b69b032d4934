//! A step that a person takes in the system's browser: a passkey is made or used there, and what it comes
//! to is checked here.
//!
//! One at a time: a new one ends the one before. Each has a page, a port and a one-time state of its own,
//! and ends with the first token, with its time, by hand, or with the console. Nothing is unlocked, kept
//! or overridden before the service and [`check`] agree.

mod check;
mod page;

use std::{sync::Arc, time::Duration};

use engine::SessionId;
use engine::{
    access::{Person, Presence},
    clock::now,
    remote::{Passwordless, passwordless::PasskeyError},
    token::HookToken,
};
use secrecy::{ExposeSecret as _, SecretString};
use session::Timestamp;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use wire::passwordless::RegisterToken;

use self::{
    check::{Expected, Refusal},
    page::{Asked, Came, Door, Reason, What},
};
use super::{AuditEntry, Inner};
use crate::{
    present::{remedy, trouble},
    view::{CeremonyStep, CeremonyView, Code, Purpose, Trouble},
};

/// How long a person has in the browser.
pub const IN_THE_BROWSER: Duration = Duration::from_secs(3 * 60);
/// What a profile's first passkey is called.
const FIRST: &str = "First passkey";

/// What a step in the browser is for, with all that is needed once it is taken.
#[derive(Debug, Clone)]
pub(crate) enum Errand {
    /// A new profile and its first passkey.
    CreateProfile(Person),
    /// To sign in or unlock; none for anybody at this console.
    SignIn(Option<Person>),
    /// A further passkey.
    AddPasskey { person: Person, nickname: String },
    /// To override the verification gate of one session.
    Override { person: Person, session: SessionId, reason: String },
}

/// The step that is under way, or how the last one failed.
#[derive(Default)]
pub(crate) struct Ceremony {
    /// How many there were; tells one from the next.
    number: u64,
    now: Option<Shown>,
}

struct Shown {
    errand: Errand,
    step: CeremonyStep,
    until: Timestamp,
    trouble: Option<Trouble>,
    /// None once it is over.
    open: Option<Open>,
}

struct Open {
    url: SecretString,
    end: CancellationToken,
}

/// How a step ended, where it was not by hand.
type Ended = Result<(), Trouble>;
/// What the page is told of it.
type Told = oneshot::Sender<Result<String, Trouble>>;

impl Errand {
    pub const fn purpose(&self) -> Purpose {
        match self {
            Self::CreateProfile(_) => Purpose::CreateProfile,
            Self::SignIn(_) => Purpose::SignIn,
            Self::AddPasskey { .. } => Purpose::AddPasskey,
            Self::Override { .. } => Purpose::Override,
        }
    }

    /// What it is for, for the page and the window: no name of a customer.
    fn text(&self) -> String {
        match self {
            Self::CreateProfile(person) => format!("Create a passkey for {}", person.name),
            Self::SignIn(Some(person)) => format!("Sign in as {}", person.name),
            Self::SignIn(None) => "Sign in".to_owned(),
            Self::AddPasskey { person, .. } => format!("Add a passkey for {}", person.name),
            Self::Override { person, .. } => {
                format!("Override the verification of a session, as {}", person.name)
            }
        }
    }

    /// Completes "could not ...".
    const fn doing(&self) -> &'static str {
        match self {
            Self::CreateProfile(_) => "create the profile",
            Self::SignIn(_) => "sign in",
            Self::AddPasskey { .. } => "add the passkey",
            Self::Override { .. } => "override the verification",
        }
    }

    const fn what(&self) -> What {
        match self {
            Self::CreateProfile(_) | Self::AddPasskey { .. } => What::Register,
            Self::SignIn(_) | Self::Override { .. } => What::SignIn,
        }
    }

    const fn person(&self) -> Option<&Person> {
        match self {
            Self::CreateProfile(person)
            | Self::AddPasskey { person, .. }
            | Self::Override { person, .. } => Some(person),
            Self::SignIn(person) => person.as_ref(),
        }
    }

    fn nickname(&self) -> Option<String> {
        match self {
            Self::CreateProfile(_) => Some(FIRST.to_owned()),
            Self::AddPasskey { nickname, .. } => Some(nickname.clone()),
            Self::SignIn(_) | Self::Override { .. } => None,
        }
    }
}

/// Begins a step in the browser, in place of the one that may be under way; answers the page's address.
///
/// # Errors
/// The passkey service isn't set up, or no page can be served.
pub(crate) async fn begin(inner: &Arc<Inner>, errand: Errand) -> Result<String, Trouble> {
    let service = passkeys(inner, errand.doing()).await?;
    if inner.pages.get("passkey.js").is_none() {
        return Err(no_page(errand.doing()));
    }
    let state = HookToken::random().map_err(|error| trouble::of(&error, remedy::NO_RANDOM))?;
    let origin = service.service().base_url.origin().ascii_serialization();
    let door = Door::open(&state, inner.pages.clone(), &origin).map_err(|error| Trouble {
        code: Code::TryAgain,
        text: trouble::sentence(&format!("{}: open its page: {error}", errand.doing())),
        remedy: "Try again; if it stays so, start the computer again.".into(),
    })?;
    let url = format!("{}/#{}", door.origin, state.expose());
    let end = inner.stopping.child_token();
    let within = inner.in_the_browser;
    let until = Timestamp(now().0 + i64::try_from(within.as_millis()).unwrap_or(i64::MAX));
    let number = inner.ceremony(|ceremony| {
        ceremony.cancel();
        ceremony.number += 1;
        ceremony.now = Some(Shown {
            errand: errand.clone(),
            step: CeremonyStep::Waiting,
            until,
            trouble: None,
            open: Some(Open { url: url.clone().into(), end: end.clone() }),
        });
        ceremony.number
    });
    let step = Step { inner: inner.clone(), service, errand, number };
    inner.tasks.spawn(step.run(door, end, within));
    if let Err(error) = inner.desktop.open_browser(&url) {
        let trouble = Trouble {
            code: Code::TryAgain,
            text: trouble::sentence(&error.0),
            remedy: "Copy the link, and open it in a browser on this computer.".into(),
        };
        inner.ceremony(|ceremony| ceremony.show(number, CeremonyStep::Waiting, Some(trouble)));
    }
    inner.tell_change();
    Ok(url)
}

/// The passkey service's client.
///
/// # Errors
/// What `doing` needs isn't set up.
pub(crate) async fn passkeys(inner: &Inner, doing: &str) -> Result<Passwordless, Trouble> {
    let services = inner.engine.read().await.as_ref().map(engine::Engine::services);
    services.ok_or_else(trouble::stopping)?.passwordless.ok_or_else(|| Trouble {
        code: Code::SetUp,
        text: trouble::sentence(&format!("{doing}: the passkey service is not set up")),
        remedy: "Set its address, API key and API secret in the settings.".into(),
    })
}

/// What the passkey service's failure means for `doing`.
pub(crate) fn of_passkey(doing: &str, error: &PasskeyError) -> Trouble {
    match error {
        PasskeyError::ExpiredToken(_) => Refusal::NotNow.trouble(doing),
        PasskeyError::Unauthorized(_)
        | PasskeyError::InvalidToken(_)
        | PasskeyError::AliasConflict(_)
        | PasskeyError::Limit { .. }
        | PasskeyError::Invalid { .. }
        | PasskeyError::UnknownCredential(_) => {
            trouble::of(&format_args!("{doing}: {}", error.why()), remedy::of_passkey(error))
        }
        PasskeyError::Call(call) => {
            trouble::of_failure(&format!("{doing} at the passkey service"), call.failure)
        }
    }
}

/// One step while it is under way.
struct Step {
    inner: Arc<Inner>,
    service: Passwordless,
    errand: Errand,
    number: u64,
}

impl Step {
    async fn run(self, mut door: Door, end: CancellationToken, within: Duration) {
        let came = tokio::select! {
            biased;
            () = end.cancelled() => None,
            came = self.wait(&mut door) => Some(came),
            () = tokio::time::sleep(within) => Some(Err(self.late())),
        };
        let ended = match came {
            None => None,
            Some(Err(trouble)) => Some(Err(trouble)),
            // From here on it is too late for time to be over.
            Some(Ok((token, answer))) => {
                let ended = self.finish(&token, &door.origin, &end).await;
                let _ = answer.send(ended.clone().map(|()| self.errand.text()));
                if let Err(trouble) = &ended {
                    self.note_failure(trouble).await;
                }
                Some(ended)
            }
        };
        if let Some(ended) = ended {
            self.inner.ceremony(|ceremony| ceremony.end(self.number, ended));
            self.inner.tell_change();
        }
        door.close().await;
    }

    /// Deals with what comes out of the browser until it is a token, or can't be one any more.
    async fn wait(&self, door: &mut Door) -> Result<(SecretString, Told), Trouble> {
        let mut asked = false;
        while let Some(came) = door.came.recv().await {
            match came {
                Came::Begin(answer) if asked => drop(answer.send(Err(page::used()))),
                Came::Begin(answer) => {
                    let told = self.asked().await;
                    let failed = told.as_ref().err().cloned();
                    asked = true;
                    let _ = answer.send(told);
                    match failed {
                        Some(trouble) => return Err(trouble),
                        None => self.show(CeremonyStep::Waiting, None),
                    }
                }
                Came::Done(_, answer) if !asked => drop(answer.send(Err(page::used()))),
                Came::Done(token, answer) => {
                    self.show(CeremonyStep::Checking, None);
                    return Ok((token, answer));
                }
                // The same page, or another browser with the same link, may try again.
                Came::Failed(reason) => {
                    asked = false;
                    let trouble = self.in_the_browser(reason);
                    self.note_failure(&trouble).await;
                    self.show(CeremonyStep::Failed, Some(trouble));
                }
            }
        }
        Err(self.late())
    }

    /// What the page is to do.
    async fn asked(&self) -> Result<Asked, Trouble> {
        let service = self.service.service();
        let person = self.errand.person();
        let register_token = match (self.errand.what(), person) {
            (What::Register, Some(person)) => {
                let label = if person.email.is_empty() { &person.name } else { &person.email };
                let asked = RegisterToken::new(&person.id.to_string(), label, &person.name);
                let token = self.service.register_token(&asked).await;
                Some(token.map_err(|error| of_passkey(self.errand.doing(), &error))?)
            }
            (What::Register | What::SignIn, _) => None,
        };
        Ok(Asked {
            text: self.errand.text(),
            what: self.errand.what(),
            api_url: service.base_url.as_str().trim_end_matches('/').to_owned(),
            api_key: service.api_key.clone(),
            register_token,
            user_id: person.map(|person| person.id.to_string()),
            nickname: self.errand.nickname(),
        })
    }

    /// Has the token checked, and does what the step was for.
    async fn finish(&self, token: &SecretString, origin: &str, end: &CancellationToken) -> Ended {
        let doing = self.errand.doing();
        let verified = end.run_until_cancelled(self.service.verify(token)).await;
        let sign_in =
            verified.ok_or_else(|| self.given_up())?.map_err(|error| of_passkey(doing, &error))?;
        let people = self.inner.side(|side| side.people.clone());
        let expected = Expected {
            what: self.errand.what(),
            person: self.errand.person(),
            people: &people,
            origin,
        };
        let at = now();
        let person = check::who(&sign_in, &expected, at).map_err(|why| why.trouble(doing))?;
        let guard = self.inner.engine.read().await;
        let engine = guard.as_ref().ok_or_else(trouble::stopping)?;
        let new = engine.archive().take_sign_in(sign_in.token_id, at).await;
        if !new.map_err(|error| trouble::of_store(&error))? {
            return Err(Refusal::Used.trouble(doing));
        }
        if end.is_cancelled() {
            return Err(self.given_up());
        }
        match &self.errand {
            Errand::CreateProfile(_) => {
                let kept = engine.archive().add_person(person.clone(), at).await;
                kept.map_err(|error| trouble::of_store(&error))?;
                self.inner.side(|side| side.people.push(person.clone()));
                self.note(&person, "profile_created", "made a profile and its first passkey").await;
                self.let_in(person, at);
            }
            Errand::SignIn(_) => {
                self.note(&person, "signed_in", "signed in").await;
                self.let_in(person, at);
            }
            Errand::AddPasskey { nickname, .. } => {
                self.still_here(&person)?;
                self.note(&person, "passkey_added", &format!("added the passkey {nickname}")).await;
            }
            Errand::Override { session, reason, .. } => {
                self.still_here(&person)?;
                override_gate(&self.inner, engine, *session, reason, &person.name).await?;
            }
        }
        Ok(())
    }

    fn let_in(&self, person: Person, since: Timestamp) {
        self.inner.acted();
        self.inner.access.set(Presence::SignedIn { person, since });
    }

    /// Who began this is still signed in.
    fn still_here(&self, person: &Person) -> Ended {
        if self.inner.access.person().as_ref() == Some(person) {
            return Ok(());
        }
        let text = format!("{}: Deskhand was locked meanwhile", self.errand.doing());
        Err(Trouble {
            code: Code::Locked,
            text: trouble::sentence(&text),
            remedy: "Sign in, and begin again.".into(),
        })
    }

    async fn note(&self, person: &Person, action: &'static str, what: &str) {
        let text = trouble::sentence(what);
        self.inner
            .record_or_warn(AuditEntry { by: person.name.clone(), action, text, session: None })
            .await;
    }

    async fn note_failure(&self, trouble: &Trouble) {
        let by = self.errand.person().map_or("nobody", |person| &person.name).to_owned();
        let text = trouble.text.clone();
        self.inner
            .record_or_warn(AuditEntry { by, action: "sign_in_failed", text, session: None })
            .await;
    }

    fn show(&self, step: CeremonyStep, trouble: Option<Trouble>) {
        self.inner.ceremony(|ceremony| ceremony.show(self.number, step, trouble));
        self.inner.tell_change();
    }

    fn in_the_browser(&self, reason: Reason) -> Trouble {
        let (code, why, remedy) = match reason {
            Reason::Cancelled => (
                Code::TryAgain,
                "it was cancelled in the browser, or took too long there",
                "Try again on that page, or begin again here.",
            ),
            Reason::Unsupported => (
                Code::Refused,
                "this browser can't use passkeys",
                "Copy the link, and open it in another browser on this computer.",
            ),
            Reason::Failed => (
                Code::TryAgain,
                "the browser could not do it",
                "See the page for the reason; then try again there, or begin again here.",
            ),
        };
        let text = trouble::sentence(&format!("{}: {why}", self.errand.doing()));
        Trouble { code, text, remedy: remedy.into() }
    }

    fn given_up(&self) -> Trouble {
        Trouble {
            code: Code::TryAgain,
            text: trouble::sentence(&format!(
                "{}: it was given up in Deskhand",
                self.errand.doing()
            )),
            remedy: "Begin again there.".into(),
        }
    }

    fn late(&self) -> Trouble {
        let text = format!("{}: nothing came from the browser in time", self.errand.doing());
        Trouble {
            code: Code::TryAgain,
            text: trouble::sentence(&text),
            remedy: "Begin again. If no page opened, copy the link and open it in a browser."
                .into(),
        }
    }
}

/// Overrides the verification gate; what can't be noted isn't done.
async fn override_gate(
    inner: &Inner,
    engine: &engine::Engine,
    session: SessionId,
    reason: &str,
    by: &str,
) -> Ended {
    let text = format!("{by} overrode the verification: {reason}");
    let noted =
        AuditEntry { by: by.to_owned(), action: "gate_overridden", text, session: Some(session) };
    inner.record(noted).await?;
    let done = engine.override_gate(session, by.to_owned(), reason.to_owned()).await;
    done.map_err(|error| trouble::of_command(&error))
}

impl Ceremony {
    /// Gives up the step that is under way; one that has failed isn't shown any more.
    pub fn cancel(&mut self) {
        if let Some(Open { end, .. }) = self.now.take().and_then(|shown| shown.open) {
            end.cancel();
        }
    }

    /// Gives up a step that only somebody who is signed in may take.
    pub fn lock(&mut self) {
        let signs_in = |shown: &Shown| shown.errand.purpose() == Purpose::SignIn;
        if !self.now.as_ref().is_some_and(signs_in) {
            self.cancel();
        }
    }

    /// The page's address, while the step is under way.
    pub fn url(&self) -> Option<String> {
        let open = self.now.as_ref()?.open.as_ref()?;
        Some(open.url.expose_secret().to_owned())
    }

    pub fn view(&self) -> Option<CeremonyView> {
        self.now.as_ref().map(|shown| CeremonyView {
            purpose: shown.errand.purpose(),
            text: shown.errand.text(),
            step: shown.step,
            until: shown.until.0,
            trouble: shown.trouble.clone(),
        })
    }

    fn show(&mut self, number: u64, step: CeremonyStep, trouble: Option<Trouble>) {
        if let Some(shown) = self.now.as_mut().filter(|_| self.number == number) {
            (shown.step, shown.trouble) = (step, trouble);
        }
    }

    fn end(&mut self, number: u64, ended: Ended) {
        if self.number != number {
            return;
        }
        match (ended, &mut self.now) {
            (Ok(()), now) => *now = None,
            (Err(trouble), Some(shown)) => {
                shown.step = CeremonyStep::Failed;
                // What the browser said is nearer to the reason than that time went by.
                shown.trouble.get_or_insert(trouble);
                shown.open = None;
            }
            (Err(_), None) => {}
        }
    }
}

fn no_page(doing: &str) -> Trouble {
    Trouble {
        code: Code::SetUp,
        text: trouble::sentence(&format!("{doing}: this program was built without its page for the browser")),
        remedy: "Install Deskhand's package, or name the folder that the page was built into with --pages.".into(),
    }
}
