//! Every command: parse, one call, answer. What a command changes is fed to all subscribers.

mod archive;
mod audit;
mod configure;
mod device;
mod identity;
mod mail;
mod noting;
mod program;
mod secrets;
mod service;
mod verify;

use engine::{CommandError, Engine, SessionId, access::Presence, archive::NoteKind, desktop::View};
use session::{About, Input, Life};
use tokio::sync::RwLockReadGuard;
use wire::Region;

use crate::{
    app::{App, Inner, count_unread, detail_of, name_of, read_mark},
    command::{self, Command, Outcome, Reply},
    present::trouble,
    view::{Code, Trouble},
    words,
};

/// What a command answers.
type Answer = Result<Reply, Trouble>;

/// Carries out one command that `by` gave, and notes it in the audit log.
pub(crate) async fn dispatch(app: &App, command: Command, by: &str) -> Answer {
    let inner = app.inner();
    may_pass(inner, &command)?;
    let Some(entry) = noting::before(inner, &command, by).await? else {
        return carry_out(app, command, by).await;
    };
    let answer = carry_out(app, command, by).await;
    let (to_note, by) = (inner.clone(), by.to_owned());
    // In a task of its own: whoever asked may go away, and it was done all the same.
    let task = inner.tasks.spawn(async move {
        noting::after(&to_note, &entry, &by, &answer).await;
        answer
    });
    task.await.unwrap_or_else(|_| Err(trouble::stopping()))
}

async fn carry_out(app: &App, command: Command, by: &str) -> Answer {
    let inner = app.inner();
    match command {
        Command::NewSession { about, region } => new_session(inner, about, region, by).await,
        Command::Again { session } => again(inner, &session, by).await,
        Command::Describe { session, about } => {
            order(inner, &session, Input::Described(clean(&about))).await
        }
        Command::Retry { session, region } => retry(inner, &session, region).await,
        Command::Recheck { session } => order(inner, &session, Input::Recheck).await,
        Command::Show { session } => show(inner, session.as_deref()).await,
        Command::Read { session } => read(inner, &session).await,
        Command::Mail { session, to, to_customer, when } => {
            mail::order(inner, &session, &mail::Asked { to, to_customer, when }, by).await
        }
        Command::WithdrawMail { session, mail } => {
            order(inner, &session, Input::MailWithdrawn { id: mail }).await
        }
        Command::ViewerLink { session, read_only } => {
            service::viewer_link(inner, &session, read_only, by).await
        }
        Command::OpenViewer { session, read_only, chat } => {
            service::open_viewer(inner, &session, View { read_only, chat }, by).await
        }
        Command::SaveProgram { session, confirmed, path } => {
            program::save(inner, &session, confirmed, path, by).await
        }
        Command::CancelProgram { session } => program::cancel(inner, &session).await,
        Command::Close { session, outcome, note } => {
            close(inner, &session, outcome, &note, by).await
        }
        Command::Note { session, text } => archive::note(inner, &session, &text, by).await,
        Command::Tags { session, tags } => archive::tags(inner, &session, &tags).await,
        Command::Detail { session } => detail(inner, &session).await,
        Command::Search { query, cursor } => {
            archive::search(inner, &query, cursor.as_deref()).await
        }
        Command::Export { session, format } => archive::export(inner, &session, format).await,
        Command::Picture { session, picture } => archive::picture(inner, &session, picture).await,
        Command::ProbeRegions => {
            engine(inner).await?.probe().map_err(failed)?;
            Ok(Reply::Done)
        }
        Command::Settings => Ok(configure::settings(inner)),
        Command::Configure { changes } => configure::configure(inner, changes, by).await,
        Command::TestReach => service::test_reach(inner).await,
        Command::Outbox => service::outbox(inner).await,
        Command::ReportAbuse { pin } => service::report_abuse(inner, &pin).await,
        Command::CreateProfile { name, email } => {
            identity::create_profile(inner, &name, &email).await
        }
        Command::SkipProfile => identity::skip_profile(inner, by).await,
        Command::SignIn { person } => identity::sign_in(inner, person.as_deref()).await,
        Command::CeremonyLink => identity::ceremony_link(inner),
        Command::CancelCeremony => identity::cancel_ceremony(inner),
        Command::Lock => identity::lock(inner).await,
        Command::Passkeys => identity::passkeys(inner).await,
        Command::AddPasskey { nickname } => identity::add_passkey(inner, &nickname).await,
        Command::DeletePasskey { id, confirmed } => {
            identity::delete_passkey(inner, &id, confirmed, by).await
        }
        Command::SetAliases { aliases, hashing } => {
            identity::set_aliases(inner, &aliases, hashing, by).await
        }
        Command::Verify { session, who, user, by_id, reason, code } => {
            let asked = verify::Asked { who, user, by_id, reason, code };
            verify::verify(inner, &session, asked, by).await
        }
        Command::CancelVerification { session, verification } => {
            verify::cancel(inner, &session, verification, by).await
        }
        Command::MailCode { user } => verify::mail_code(inner, &user, by).await,
        Command::OverrideGate { session, reason } => {
            identity::override_gate(inner, &session, &reason).await
        }
        Command::LookUpDevice { session, login_session, factor } => {
            device::look_up(inner, &session, &login_session, factor, by).await
        }
        Command::Devices { filter, offset, factor } => {
            device::list(inner, &filter, offset, factor).await
        }
        Command::LogOutDevice { session, login_session, confirmed, factor } => {
            let asked = device::LogOut { session, login_session, confirmed, factor };
            device::log_out(inner, asked, by).await
        }
        Command::Services => secrets::services(inner).await,
        Command::SetSecret { secret, value } => secrets::set(inner, secret, value, by).await,
        Command::RemoveSecret { secret } => secrets::remove(inner, secret).await,
        Command::TestConnection { service } => secrets::test(inner, service).await,
        Command::Audit { before } => audit::page(inner, before).await,
        Command::VerifyAudit => audit::verify(inner).await,
        Command::ExportAudit => audit::export(inner).await,
        Command::Quit => {
            let app = app.clone();
            tokio::spawn(async move { app.stop().await });
            Ok(Reply::Done)
        }
    }
}

/// The one door: whatever a command does or shows, while the console is locked only signing in passes.
fn may_pass(inner: &Inner, command: &Command) -> Result<(), Trouble> {
    let passes = match command {
        Command::SignIn { .. }
        | Command::CeremonyLink
        | Command::CancelCeremony
        | Command::Lock
        | Command::Quit => true,
        // Where somebody has a profile already, these look at that themselves.
        Command::CreateProfile { .. } | Command::SkipProfile => {
            matches!(inner.access.presence(), Presence::FirstStart { .. })
        }
        Command::NewSession { .. }
        | Command::Again { .. }
        | Command::Describe { .. }
        | Command::Retry { .. }
        | Command::Recheck { .. }
        | Command::Show { .. }
        | Command::Read { .. }
        | Command::Mail { .. }
        | Command::WithdrawMail { .. }
        | Command::ViewerLink { .. }
        | Command::OpenViewer { .. }
        | Command::SaveProgram { .. }
        | Command::CancelProgram { .. }
        | Command::Close { .. }
        | Command::Note { .. }
        | Command::Tags { .. }
        | Command::Detail { .. }
        | Command::Search { .. }
        | Command::Export { .. }
        | Command::Picture { .. }
        | Command::ProbeRegions
        | Command::Settings
        | Command::Configure { .. }
        | Command::TestReach
        | Command::Outbox
        | Command::ReportAbuse { .. }
        | Command::Passkeys
        | Command::AddPasskey { .. }
        | Command::DeletePasskey { .. }
        | Command::SetAliases { .. }
        | Command::Verify { .. }
        | Command::CancelVerification { .. }
        | Command::MailCode { .. }
        | Command::OverrideGate { .. }
        | Command::LookUpDevice { .. }
        | Command::Devices { .. }
        | Command::LogOutDevice { .. }
        | Command::Services
        | Command::SetSecret { .. }
        | Command::RemoveSecret { .. }
        | Command::TestConnection { .. }
        | Command::Audit { .. }
        | Command::VerifyAudit
        | Command::ExportAudit => false,
    };
    if passes || !inner.access.is_locked() { Ok(()) } else { Err(trouble::locked()) }
}

async fn new_session(
    inner: &Inner,
    about: command::About,
    region: Option<String>,
    by: &str,
) -> Answer {
    let region = parse_region(region)?;
    begin(inner, clean(&about), region, by).await
}

async fn again(inner: &Inner, session: &str, by: &str) -> Answer {
    let id = parse_id(session)?;
    let about = {
        let engine = engine(inner).await?;
        match engine.snapshot(id) {
            Some(snapshot) => Some(snapshot.record.about.clone()),
            None => {
                let summary = engine.archive().summary(id).await;
                summary.map_err(|error| trouble::of_store(&error))?.map(|summary| summary.about)
            }
        }
    };
    let about = about.ok_or_else(|| no_session("start a session again"))?;
    begin(inner, about, None, by).await
}

/// Makes the session and orders the mails that stand as rules.
async fn begin(inner: &Inner, about: About, region: Option<Region>, by: &str) -> Answer {
    let engine = engine(inner).await?;
    let id = engine.create(about.clone(), by.to_owned(), region).await.map_err(failed)?;
    mail::order_rules(inner, &engine, id, &about, by).await?;
    Ok(Reply::Session { id: id.to_string() })
}

async fn retry(inner: &Inner, session: &str, region: Option<String>) -> Answer {
    let region = parse_region(region)?;
    let (engine, id) = (engine(inner).await?, parse_id(session)?);
    let snapshot = engine.snapshot(id).ok_or_else(|| no_session("try again to get a PIN"))?;
    match snapshot.record.life {
        Life::Failed { .. } => {
            engine.order(id, Input::Retry { region }).await.map_err(failed)?;
            Ok(Reply::Done)
        }
        Life::Allocating | Life::Live(_) | Life::Over { .. } | Life::Closed { .. } => {
            Err(trouble::bad_input(
                "try again to get a PIN: this session has not failed",
                "start a new session",
            ))
        }
    }
}

async fn show(inner: &Inner, session: Option<&str>) -> Answer {
    let shown = session.map(parse_id).transpose()?;
    let engine = engine(inner).await?;
    let before = inner.on_screen.send_replace(shown);
    if before != shown {
        for (id, on_screen) in [(before, false), (shown, true)] {
            if let Some(id) = id {
                engine.tell(id, Input::OnScreen(on_screen));
            }
        }
    }
    Ok(Reply::Done)
}

async fn read(inner: &Inner, session: &str) -> Answer {
    let (engine, id) = (engine(inner).await?, parse_id(session)?);
    let stored = |error: engine::StoreError| trouble::of_store(&error);
    let messages = engine.archive().transcript(id).await.map_err(stored)?;
    if let Some(last) = messages.last() {
        engine.journal().mark(&read_mark(id), Some(last.guid.as_bytes())).await.map_err(stored)?;
        count_unread(inner, &engine, id).await;
        inner.tell_change();
    }
    Ok(Reply::Done)
}

async fn close(inner: &Inner, session: &str, outcome: Outcome, note: &str, by: &str) -> Answer {
    let (engine, id) = (engine(inner).await?, parse_id(session)?);
    if engine.snapshot(id).is_none() {
        return Err(no_session("close the session"));
    }
    if !note.trim().is_empty() {
        // First: what can't be saved is said while the session is still open.
        archive::set_note(&engine, id, NoteKind::Closing, note, by).await?;
    }
    let outcome = match outcome {
        Outcome::Resolved => session::Outcome::Resolved,
        Outcome::Unresolved => session::Outcome::Unresolved,
        Outcome::Unknown => session::Outcome::Unknown,
    };
    engine.order(id, Input::Close { outcome, by: by.to_owned() }).await.map_err(failed)?;
    inner.tell_change();
    Ok(Reply::Done)
}

async fn detail(inner: &Inner, session: &str) -> Answer {
    let (engine, id) = (engine(inner).await?, parse_id(session)?);
    let detail = Box::new(detail_of(inner, &engine, id).await?);
    Ok(Reply::Detail { detail })
}

async fn order(inner: &Inner, session: &str, input: Input) -> Answer {
    let (engine, id) = (engine(inner).await?, parse_id(session)?);
    engine.order(id, input).await.map_err(failed)?;
    Ok(Reply::Done)
}

/// The engine, for as long as the guard is held.
async fn engine(inner: &Inner) -> Result<RwLockReadGuard<'_, Engine>, Trouble> {
    RwLockReadGuard::try_map(inner.engine.read().await, Option::as_ref)
        .map_err(|_| trouble::stopping())
}

async fn session_name(inner: &Inner, engine: &Engine, id: SessionId) -> String {
    name_of(inner, engine, id).await
}

fn parse_id(text: &str) -> Result<SessionId, Trouble> {
    text.parse().map_err(|_| no_session("find the session"))
}

fn parse_region(region: Option<String>) -> Result<Option<Region>, Trouble> {
    let chosen = region.filter(|name| !name.trim().is_empty()).map(|name| name.trim().parse());
    chosen.transpose().map_err(|error: wire::region::RegionShape| {
        trouble::bad_input(&format!("choose a region: {error}"), "choose one of the list")
    })
}

fn clean(about: &command::About) -> About {
    About {
        customer: words::plain(&about.customer, 200),
        ticket: words::plain(&about.ticket, 200),
        contact: words::plain(&about.contact, 200),
    }
}

fn no_session(doing: &str) -> Trouble {
    trouble::not_found(&format!("{doing}: there is none of that id"))
}

fn failed(error: CommandError) -> Trouble {
    trouble::of_command(&error)
}

fn refused(text: &str, remedy: &str) -> Trouble {
    Trouble { code: Code::Refused, text: trouble::sentence(text), remedy: remedy.to_owned() }
}
