//! One ceremony under way: serves its page, has the token checked, and carries out its task.

use std::{sync::Arc, time::Duration};

use engine::{
    Engine, SessionId,
    access::{Person, Presence},
    clock::now,
    remote::Passwordless,
};
use secrecy::SecretString;
use session::Timestamp;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use wire::passwordless::RegisterToken;

use super::{
    browser_page::{BrowserMessage, CeremonyPage, PageTask, PasskeyUse, used},
    sign_in_check::{Expected, Refusal, signed_in_person},
    task::CeremonyTask,
    troubles,
};
use crate::{
    app::{AuditEntry, Console, audit_log::AuditLog},
    present::trouble,
    view::{CeremonyStep, Code, Trouble},
};

/// Sends the page the ceremony's result.
type ResultSender = oneshot::Sender<Result<String, Trouble>>;

/// One ceremony while it is under way.
pub(super) struct RunningCeremony {
    pub console: Arc<Console>,
    pub service: Passwordless,
    pub task: CeremonyTask,
    pub number: u64,
}

impl RunningCeremony {
    pub async fn run(self, mut page: CeremonyPage, end: CancellationToken, within: Duration) {
        let came = tokio::select! {
            // A ceremony that was given up takes no token, even one that has come already.
            biased;
            () = end.cancelled() => None,
            came = self.wait(&mut page) => Some(came),
            () = tokio::time::sleep(within) => Some(Err(troubles::too_late(&self.task))),
        };
        let ended = match came {
            None => None,
            Some(Err(trouble)) => Some(Err(trouble)),
            // From here on the ceremony no longer times out.
            Some(Ok((token, answer))) => {
                let ended = self.finish(&token, &page.origin, &end).await;
                let _ = answer.send(ended.clone().map(|()| self.task.text()));
                if let Err(trouble) = &ended {
                    self.note_failure(trouble).await;
                }
                Some(ended)
            }
        };
        if let Some(ended) = ended {
            self.console.ceremonies.current.lock().end(self.number, ended);
            self.console.updates.announce();
        }
        page.close().await;
    }

    /// Handles the browser's messages until a token comes, or none can come any more.
    async fn wait(&self, page: &mut CeremonyPage) -> Result<(SecretString, ResultSender), Trouble> {
        // The same for every page that is open, so that two of them can't make two passkeys.
        let mut begun: Option<PageTask> = None;
        while let Some(came) = page.messages.recv().await {
            match came {
                BrowserMessage::Begin(answer) => {
                    let task = match begun.clone() {
                        Some(task) => Ok(task),
                        None => self.page_task().await,
                    };
                    begun = task.as_ref().ok().cloned();
                    let failed = task.as_ref().err().cloned();
                    let _ = answer.send(task);
                    match failed {
                        Some(trouble) => return Err(trouble),
                        None => self.show(CeremonyStep::Waiting, None),
                    }
                }
                BrowserMessage::Done(_, answer) if begun.is_none() => {
                    drop(answer.send(Err(used())));
                }
                BrowserMessage::Done(token, answer) => {
                    self.show(CeremonyStep::Checking, None);
                    return Ok((token, answer));
                }
                // The same page, or another browser with the same link, may try again.
                BrowserMessage::Failed(reason) => {
                    // What was prepared for making a passkey may have run out or been used.
                    begun = begun.filter(|task| task.register_token.is_none());
                    let trouble = troubles::browser_failure(&self.task, reason);
                    self.note_failure(&trouble).await;
                    self.show(CeremonyStep::Failed, Some(trouble));
                }
            }
        }
        Err(troubles::too_late(&self.task))
    }

    /// What the page is to do.
    async fn page_task(&self) -> Result<PageTask, Trouble> {
        let service = self.service.service();
        let person = self.task.person();
        let register_token = match (self.task.passkey_use(), person) {
            (PasskeyUse::Register, Some(person)) => {
                let label = if person.email.is_empty() { &person.name } else { &person.email };
                let asked = RegisterToken::new(&person.id.to_string(), label, &person.name);
                let token = self.service.register_token(&asked).await;
                Some(token.map_err(|error| troubles::of_passkey(self.task.doing(), &error))?)
            }
            (PasskeyUse::Register | PasskeyUse::SignIn, _) => None,
        };
        Ok(PageTask {
            offer: self.task.offer(),
            api_url: service.base_url.as_str().trim_end_matches('/').to_owned(),
            api_key: service.api_key.clone(),
            register_token,
            user_id: person.map(|person| person.id.to_string()),
            nickname: self.task.nickname(),
        })
    }

    /// Has the token checked, and carries out the ceremony's task.
    async fn finish(
        &self,
        token: &SecretString,
        origin: &str,
        end: &CancellationToken,
    ) -> Result<(), Trouble> {
        let doing = self.task.doing();
        let verified = end.run_until_cancelled(self.service.verify(token)).await;
        let sign_in = verified
            .ok_or_else(|| troubles::given_up(&self.task))?
            .map_err(|error| troubles::of_passkey(doing, &error))?;
        let people = self.console.access.people.lock().clone();
        let expected = Expected {
            passkey_use: self.task.passkey_use(),
            person: self.task.person(),
            people: &people,
            origin,
        };
        let at = now();
        let person = signed_in_person(&sign_in, &expected, at).map_err(|why| why.trouble(doing))?;
        let engine = self.console.engine.require().await?;
        // The used token is stored on the disk, so that it can't be used again even after
        // a restart.
        let new = engine.archive().take_sign_in(sign_in.token_id, at).await;
        if !new.map_err(|error| trouble::of_store(&error))? {
            return Err(Refusal::Used.trouble(doing));
        }
        // The ceremony may have been given up during the calls to service and disk; then nothing
        // may be unlocked.
        if end.is_cancelled() {
            return Err(troubles::given_up(&self.task));
        }
        match &self.task {
            CeremonyTask::CreateProfile(_) => {
                let kept = engine.archive().add_person(person.clone(), at).await;
                kept.map_err(|error| trouble::of_store(&error))?;
                self.console.access.people.lock().push(person.clone());
                self.note(&person, "profile_created", "made a profile and its first passkey").await;
                self.let_in(person, at);
            }
            CeremonyTask::SignIn(_) => {
                self.note(&person, "signed_in", "signed in").await;
                self.let_in(person, at);
            }
            CeremonyTask::AddPasskey { nickname, .. } => {
                self.still_here(&person)?;
                self.note(&person, "passkey_added", &format!("added the passkey {nickname}")).await;
            }
            CeremonyTask::Override { session, reason, .. } => {
                self.still_here(&person)?;
                override_gate(&self.console.audit, &engine, *session, reason, &person.name).await?;
            }
        }
        Ok(())
    }

    fn let_in(&self, person: Person, since: Timestamp) {
        self.console.access.note_activity();
        self.console.access.state.set(Presence::SignedIn { person, since });
    }

    /// Fails unless the person who began this is still signed in.
    fn still_here(&self, person: &Person) -> Result<(), Trouble> {
        if self.console.access.state.person().as_ref() == Some(person) {
            return Ok(());
        }
        let text = format!("{}: Deskhand was locked meanwhile", self.task.doing());
        Err(Trouble {
            code: Code::Locked,
            text: trouble::sentence(&text),
            remedy: "Sign in, and begin again.".into(),
        })
    }

    async fn note(&self, person: &Person, action: &'static str, what: &str) {
        let text = trouble::sentence(what);
        self.console
            .audit
            .record_or_warn(AuditEntry { by: person.name.clone(), action, text, session: None })
            .await;
    }

    async fn note_failure(&self, trouble: &Trouble) {
        let by = self.task.person().map_or("nobody", |person| &person.name).to_owned();
        let text = trouble.text.clone();
        self.console
            .audit
            .record_or_warn(AuditEntry { by, action: "sign_in_failed", text, session: None })
            .await;
    }

    fn show(&self, step: CeremonyStep, trouble: Option<Trouble>) {
        self.console.ceremonies.current.lock().show(self.number, step, trouble);
        self.console.updates.announce();
    }
}

/// Overrides the verification gate; an override that can't be recorded is not made.
async fn override_gate(
    audit: &AuditLog,
    engine: &Engine,
    session: SessionId,
    reason: &str,
    by: &str,
) -> Result<(), Trouble> {
    let text = format!("{by} overrode the verification: {reason}");
    let noted =
        AuditEntry { by: by.to_owned(), action: "gate_overridden", text, session: Some(session) };
    audit.record(noted).await?;
    let done = engine.override_gate(session, by.to_owned(), reason.to_owned()).await;
    done.map_err(|error| trouble::of_command(&error))
}
