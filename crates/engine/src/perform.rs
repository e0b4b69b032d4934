//! One short function per effect: does it in a task of its own and sends its result back as
//! an input.

mod phone;

use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};

use session::{
    Effect, Failure, Input, Revocation, SavedChat, mail::Template, program::DownloadFailure,
    region::Choice, retry, text::plain_name,
};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use wire::{ConfText, HookType, Pin, Region, loginwithme::ChatMessage};

pub(crate) use self::phone::{PushRequest, ask_phone, cancel_phone, poll_phone};
use crate::{
    SessionId,
    actor::{
        message::{Mailbox, SessionMessage as Message},
        region_choice,
    },
    archive::{Saved, Writer},
    budget::Put,
    bus::Progress,
    context::Context,
    journal::SessionSecrets,
    remote::{CallError, Download, DownloadTarget},
    watch::{Panicked, survive},
};

/// A download's progress is reported at most this often.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// Between two heartbeats of a session that is on screen, soon after a fault.
const HURRIED: Duration = Duration::from_secs(2);

/// Begins `effect` for session `id`; `to` gets the result.
pub(crate) fn effect(
    context: &Arc<Context>,
    id: SessionId,
    secrets: Option<&SessionSecrets>,
    to: &Mailbox,
    effect: Effect,
) {
    let pin = secrets.and_then(|secrets| secrets.pin.clone());
    match (effect, pin.zip(secrets)) {
        (Effect::ChooseRegion, _) => choose_region(context, id, to),
        (Effect::Allocate { region, by_hand }, _) => allocate(context, id, to, region, by_hand),
        (Effect::PutHook { hook, generation, urgency }, Some((pin, secrets))) => {
            let url = context.hook_url(&secrets.tokens[hook.index()]);
            let to = to.clone();
            context.budget.put(Put { session: id, hook, generation, urgency, pin, url, to });
        }
        (Effect::FetchChat { transcript }, Some((pin, _))) => {
            fetch_chat(context, id, to, pin, transcript)
        }
        (Effect::SendMail { id, to: address, template, name }, Some((pin, _))) => {
            send_mail(context, to, pin, Mail { id, address, template, name });
        }
        (Effect::AskState, Some(_)) => context.state_requests.ask(id),
        (Effect::AskParameters, Some((pin, _))) => ask_parameters(context, to, pin),
        (Effect::RevokePin, Some((pin, _))) => revoke(context, to, pin),
        // A record that says live without a PIN: the journal was tampered with or a bug is here.
        (
            Effect::PutHook { .. }
            | Effect::FetchChat { .. }
            | Effect::AskState
            | Effect::SendMail { .. }
            | Effect::AskParameters
            | Effect::RevokePin,
            None,
        ) => tracing::error!(session = %id, "an effect needs a PIN and there is none"),
        (
            Effect::Start { .. }
            | Effect::Heartbeat { .. }
            | Effect::Stop { .. }
            | Effect::DownloadProgram
            | Effect::CancelProgram
            | Effect::AskPhone { .. }
            | Effect::PollPhone { .. }
            | Effect::CancelPhone { .. },
            _,
        ) => tracing::error!(session = %id, "this effect is the actor's own"),
    }
}

/// How long until the next heartbeat.
pub(crate) fn heartbeat(context: &Context, hurried: bool) -> Duration {
    spread(if hurried { HURRIED } else { context.config.heartbeat })
}

/// `wait`, spread by chance.
pub(crate) fn spread(wait: Duration) -> Duration {
    retry::spread(wait, chance())
}

/// A random number from 0 to 1.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness simultaneous calls stay simultaneous; nothing else depends on it.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

/// Runs `work` beside the actor and sends it the result. A remote call ends when the engine stops;
/// a write to the archive is completed first, so that no store is in use afterwards.
fn spawn_effect<W>(context: &Arc<Context>, to: &Mailbox, work: W)
where
    W: Future<Output = Option<Message>> + Send + 'static,
{
    let to = to.clone();
    context.watch.tasks.spawn(async move {
        match survive(work).await {
            Ok(Some(message)) => to.send(message),
            // The engine is stopping.
            Ok(None) => {}
            // Without an answer the session would wait for ever.
            Err(Panicked) => {
                to.send(Message::EffectDied { why: "an effect of it panicked".into() })
            }
        }
    });
}

/// A call to the service; none if the engine stops first.
async fn until_stopped<T>(context: &Context, call: impl Future<Output = T>) -> Option<T> {
    context.watch.stopping.run_until_cancelled(call).await
}

fn choose_region(context: &Arc<Context>, id: SessionId, to: &Mailbox) {
    let (answer, chosen) = oneshot::channel();
    let asked = context.regions.cast(region_choice::Message::Choose(answer));
    let shared = context.clone();
    spawn_effect(context, to, async move {
        let chosen = match asked {
            // Without an answer the regions' actor is gone: the engine is stopping.
            Ok(()) => until_stopped(&shared, chosen).await?.ok()?,
            Err(_) => Err(Failure::Internal),
        };
        let input = match chosen {
            Ok(choice) => {
                let region = choice.region.clone();
                // Before the PIN is asked for: the archive then has the reason for the region,
                // however the request ends.
                save_choice(&shared, id, choice).await;
                Input::RegionChosen { region }
            }
            Err(failure) => Input::AllocateFailed(failure),
        };
        Some(Message::Input(input))
    });
}

async fn save_choice(context: &Context, id: SessionId, choice: Choice) {
    let saved = context.archive.save_region(id, choice).await;
    context.archive_wrote(saved.err());
}

fn allocate(context: &Arc<Context>, id: SessionId, to: &Mailbox, region: Region, by_hand: bool) {
    let shared = context.clone();
    spawn_effect(context, to, async move {
        if by_hand {
            save_choice(&shared, id, Choice::by_hand(region.clone())).await;
        }
        let given = until_stopped(&shared, shared.client.session_pin(&region)).await?;
        note_outcome(&shared, given.as_ref().err());
        let failure = match given {
            Ok(pin) => return Some(Message::PinGiven { region, pin }),
            Err(error) => error.failure,
        };
        // A technician's own choice is never replaced.
        let next = if by_hand { None } else { next_region(&shared, id, &region, failure).await };
        Some(Message::Input(match next {
            Some(next) => Input::RegionFailed { region, next, failure },
            None => Input::AllocateFailed(failure),
        }))
    });
}

/// The region to ask after `region` gave no PIN, if its failure needn't be the others' too.
async fn next_region(
    context: &Context,
    id: SessionId,
    region: &Region,
    failure: Failure,
) -> Option<Region> {
    if !may_be_the_regions_own(failure) {
        return None;
    }
    let choice = context.archive.region(id).await.ok().flatten()?;
    let next = Some(choice).filter(|choice| choice.region == *region)?.next_best(failure)?;
    let region = next.region.clone();
    save_choice(context, id, next).await;
    Some(region)
}

/// Whether another region may give a PIN after this failure. All are asked at one address, so where nothing answers there
/// or it wants other credentials, none would.
const fn may_be_the_regions_own(failure: Failure) -> bool {
    match failure {
        // A region that is full or unknown may say so in any of these ways.
        Failure::RateLimited { .. }
        | Failure::Rejected { .. }
        | Failure::Faulty { .. }
        | Failure::Malformed
        | Failure::TooLarge { .. }
        | Failure::Blocked { .. }
        | Failure::NoAnswer
        | Failure::TimedOut => true,
        Failure::Unreachable
        | Failure::Unauthorized
        | Failure::NoRegion
        | Failure::Storage
        | Failure::Internal => false,
    }
}

fn fetch_chat(context: &Arc<Context>, id: SessionId, to: &Mailbox, pin: Pin, transcript: bool) {
    let shared = context.clone();
    spawn_effect(context, to, async move {
        let fetched = until_stopped(&shared, shared.client.chat(&pin)).await?;
        note_outcome(&shared, fetched.as_ref().err());
        let saved = match fetched {
            Ok(messages) => {
                let nobodys = messages.into_iter().map(|message| (message, None)).collect();
                archive_chat(&shared, id, nobodys).await
            }
            Err(error) => Err(error.failure),
        };
        let input = match saved {
            Ok(saved) => Input::ChatSaved(SavedChat { transcript, ..saved }),
            Err(failure) => Input::ChatFailed { failure, transcript },
        };
        Some(Message::Input(input))
    });
}

/// Archives messages, each with who wrote it where that is known. Whoever only has the technician's name may be the
/// customer, so what isn't known to be written here, by the console's key or the identity that an answer gave, is somebody
/// else's.
pub(crate) async fn archive_chat(
    context: &Context,
    id: SessionId,
    mut messages: Vec<(ChatMessage, Option<Writer>)>,
) -> Result<SavedChat, Failure> {
    if messages.iter().any(|(_, writer)| writer.is_none()) {
        context.said.settled().await;
    }
    for (message, writer) in &mut messages {
        let is_own = || context.said.has(id, &message.guid);
        *writer = writer.or_else(|| is_own().then_some(Writer::Console));
    }
    let others: Vec<(String, String)> = messages
        .iter()
        .filter(|(_, writer)| *writer != Some(Writer::Console))
        .map(|(message, _)| (message.guid.clone(), plain_name(&message.subject)))
        .collect();
    let saved = match context.faults.check_archive() {
        Ok(()) => context.archive.save_chat(id, messages).await,
        Err(fault) => Err(fault),
    };
    context.archive_wrote(saved.as_ref().err().cloned());
    let Saved { new, total, guids } = saved.map_err(|_| Failure::Storage)?;
    let from = others.into_iter().rfind(|(guid, _)| guids.contains(guid)).map(|(_, name)| name);
    Ok(SavedChat { new, total, from, ..SavedChat::default() })
}

struct Mail {
    id: u32,
    address: String,
    template: Template,
    name: String,
}

fn send_mail(context: &Arc<Context>, to: &Mailbox, pin: Pin, mail: Mail) {
    let shared = context.clone();
    spawn_effect(context, to, async move {
        let hook: HookType = mail.template.hook();
        let call = shared.client.email(&pin, &mail.address, hook, &mail.name);
        // Cut short, it is found as "sending" at the next start: it may have been sent.
        let sent = until_stopped(&shared, call).await?;
        note_outcome(&shared, sent.as_ref().err());
        Some(Message::Input(match sent {
            Ok(accepted) => Input::MailAccepted { id: mail.id, mail: accepted },
            Err(error) => Input::MailFailed { id: mail.id, failure: error.failure },
        }))
    });
}

fn ask_parameters(context: &Arc<Context>, to: &Mailbox, pin: Pin) {
    let shared = context.clone();
    spawn_effect(context, to, async move {
        // Cut short, it is found as "asking" at the next start: it may have been given.
        let given = until_stopped(&shared, shared.client.session_parameters(&pin)).await?;
        note_outcome(&shared, given.as_ref().err());
        Some(match given {
            Ok(parameters) => Message::ParametersGiven(parameters.conf),
            Err(error) => Message::Input(Input::ParametersFailed(error.failure)),
        })
    });
}

/// Writes the customer's program to a file; `cancel` ends it, and so does the engine's end.
pub(crate) fn download(
    context: &Arc<Context>,
    to: &Mailbox,
    conf: ConfText,
    place: DownloadTarget,
    cancel: CancellationToken,
) {
    let (shared, told) = (context.clone(), to.clone());
    spawn_effect(context, to, async move {
        let (further, news) = watch::channel(Progress::default());
        let progress = move |bytes, total| {
            further.send_replace(Progress { bytes, total });
        };
        // With its progress on the customer's screen; it carries a secret, so it deletes
        // itself after.
        let (hide_progress, self_delete) = (false, true);
        let call =
            shared.client.session_exe(&conf, hide_progress, self_delete, &place, progress, cancel);
        let ended = tokio::select! {
            ended = call => ended,
            never = report_progress(news, told) => match never {},
        };
        let input = match ended {
            Ok(Download::Complete { bytes, path }) => {
                note_outcome(&shared, None);
                Input::ProgramSaved { bytes, path: path.display().to_string() }
            }
            Ok(Download::Cancelled) if shared.watch.stopping.is_cancelled() => {
                Input::ProgramBroken(DownloadFailure::Stopped)
            }
            Ok(Download::Cancelled) => Input::ProgramBroken(DownloadFailure::Cancelled),
            Err(error) => {
                // A full disk says nothing about the service.
                if error.failure != Failure::Storage {
                    note_outcome(&shared, Some(&error));
                }
                Input::ProgramBroken(DownloadFailure::Failed { failure: error.failure })
            }
        };
        Some(Message::Input(input))
    });
}

/// Reports a download's progress: may skip states, but never the newest.
async fn report_progress(mut news: watch::Receiver<Progress>, to: Mailbox) -> Infallible {
    while news.changed().await.is_ok() {
        let progress = *news.borrow_and_update();
        to.send(Message::Progressed(progress));
        tokio::time::sleep(PROGRESS_EVERY).await;
    }
    // The download has ended, and with it this.
    std::future::pending().await
}

fn revoke(context: &Arc<Context>, to: &Mailbox, pin: Pin) {
    let shared = context.clone();
    spawn_effect(context, to, async move {
        let call = async {
            match shared.client.capabilities().await {
                // Asked each time: a service that isn't ours may mean something else by that path.
                Ok(capabilities) if capabilities.can_revoke() => {
                    let ended = shared.client.revoke(&pin).await;
                    note_outcome(&shared, ended.as_ref().err());
                    match ended {
                        Ok(true) => Revocation::Done,
                        Ok(false) => Revocation::Impossible,
                        Err(error) => Revocation::Failed(error.failure),
                    }
                }
                Ok(_) => Revocation::Impossible,
                Err(error) => Revocation::Failed(error.failure),
            }
        };
        let revocation = until_stopped(&shared, call).await?;
        Some(Message::Input(Input::Revoked(revocation)))
    });
}

fn note_outcome(context: &Context, error: Option<&CallError>) {
    context.service_answered(error.map(|error| error.failure));
}
