//! Shares the screen: reacts to the broker, the viewers and the customer, and keeps the banner up to date.

use std::{collections::HashMap, sync::mpsc as std_mpsc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    task::{Id, JoinSet},
    time::{Instant, sleep_until},
};
use wire::shared_screen::{
    AdmissionAnswer, Sharing as State, SharingEnd, ToPresenter, WaitingViewer,
};

use crate::{
    admission::{Admission, Admissions, Arrival, Waiting},
    broker_connection::{BrokerConnection, BrokerEvent, PresenterMessage},
    consent::{Banner, Choice, ClipboardState, Viewer},
    dial::Dialler,
    end_reason::EndReason,
    exchanges::{Exchanges, OneTooMany},
    farewell,
    known_viewers::KnownViewers,
    notices,
    other_program::OtherProgram,
    shared_clipboard::ClipboardNews,
    shared_screen::{OpenScreen, SharedScreen},
    viewer_stream::{self, Parts, StreamError},
};

/// The most streams at once. The broker has the same limit, but this program doesn't rely on it.
const MOST_STREAMS: usize = 32;
/// The shortest time between two changes of the banner.
const BANNER_INTERVAL: Duration = Duration::from_millis(100);
/// The most characters of a viewer's name, because a stranger chose it.
const LONGEST_NAME: usize = 64;

pub struct Sharing {
    /// The live connection, not dialled yet.
    pub connection: BrokerConnection,
    /// Opens the screen.
    pub open: OpenScreen,
    /// Whether the clipboard may be exchanged.
    pub clipboard: bool,
    /// Whether everything that the customer copies goes to those who control, from the start.
    pub clipboard_shared: bool,
    /// What happens to a viewer that isn't let in as a matter of course.
    pub admission: Admission,
    /// The viewers that are known from before.
    pub known: KnownViewers,
    /// The customer's choices. If the channel ends, so does the sharing: without the banner nothing
    /// may be shared.
    pub choices: mpsc::UnboundedReceiver<Choice>,
    /// Gets each new banner. It is dropped at the end, which closes the window.
    pub banners: std_mpsc::Sender<Banner>,
    /// Shows progress in the terminal.
    pub progress: fn(&str),
}

impl Sharing {
    /// Shares until somebody ends it, or `stop` completes.
    pub async fn run(self, stop: impl Future<Output = ()>) -> EndReason {
        let (mut choices, copies) = (self.choices, self.clipboard && self.clipboard_shared);
        let (failed, mut failures) = mpsc::unbounded_channel();
        let (clipboard_news, mut clipboard) = mpsc::unbounded_channel();
        let (started_tx, mut started) = mpsc::channel(MOST_STREAMS);
        let (asking, mut newcomers) = mpsc::channel(MOST_STREAMS);
        let (exchanges, mut one_too_many) = Exchanges::new(self.known.clone());
        let (events_tx, mut events) = mpsc::channel(MOST_STREAMS);
        let (outgoing, outgoing_rx) = mpsc::channel(8);
        let (threads_alive, threads_ended) = mpsc::channel(1);
        let screen = SharedScreen::new(self.open, failed, clipboard_news, threads_alive);
        screen.share_clipboard(copies);
        let mut sharing = ActiveSharing {
            screen,
            clipboard: self.clipboard,
            clipboard_state: ClipboardState::initial(copies),
            clipboard_questions: 0,
            dialler: self.connection.dialler.clone(),
            outgoing,
            started: started_tx,
            asking,
            exchanges,
            known: self.known,
            admissions: Admissions::new(self.admission),
            other_program: OtherProgram::default(),
            told_waiting: Vec::new(),
            streams: JoinSet::new(),
            viewers: HashMap::new(),
            paused: false,
            disconnected: true,
            notice: None,
            banner: BannerOutput { banners: self.banners, due: true, not_before: Instant::now() },
            progress: self.progress,
        };
        let connected = tokio::spawn(self.connection.keep(events_tx, outgoing_rx));
        let mut stop = std::pin::pin!(stop);
        let ended = loop {
            let over = tokio::select! {
                event = events.recv() => {
                    let event = event.unwrap_or(BrokerEvent::Over(EndReason::System("go on")));
                    sharing.on_broker_event(event)
                }
                choice = choices.recv() => sharing.on_choice(choice.unwrap_or(Choice::Stop)),
                () = &mut stop => Some(EndReason::Stopped),
                failure = failures.recv() => failure.map(EndReason::Screen),
                Some(news) = clipboard.recv() => sharing.on_clipboard_news(news),
                Some(newcomer) = newcomers.recv() => sharing.on_newcomer(newcomer),
                Some(which) = one_too_many.recv() => sharing.on_one_too_many(which),
                Some((id, viewer)) = started.recv() => sharing.on_stream_started(id, viewer),
                Some(ended) = sharing.streams.join_next_with_id() => sharing.on_stream_ended(ended),
                () = sleep_until(sharing.banner.not_before), if sharing.banner.due => sharing.show_banner(),
            };
            if let Some(ended) = over {
                break ended;
            }
        };
        sharing.leave(ended.for_the_technician()).await;
        farewell::wind_down(threads_ended, connected).await;
        ended
    }
}

/// The state while the screen is shared.
struct ActiveSharing {
    screen: SharedScreen,
    clipboard: bool,
    clipboard_state: ClipboardState,
    /// How often they were asked for what they copied.
    clipboard_questions: u32,
    dialler: Dialler,
    outgoing: mpsc::Sender<PresenterMessage>,
    /// Gets each viewer when its stream has started.
    started: mpsc::Sender<(Id, Viewer)>,
    /// Gets each viewer that has to wait to be let in.
    asking: mpsc::Sender<Waiting>,
    known: KnownViewers,
    admissions: Admissions,
    other_program: OtherProgram,
    /// Who waits, as the technician was told last.
    told_waiting: Vec<WaitingViewer>,
    exchanges: Exchanges,
    streams: JoinSet<Result<(), StreamError>>,
    viewers: HashMap<Id, Viewer>,
    paused: bool,
    disconnected: bool,
    notice: Option<String>,
    banner: BannerOutput,
    progress: fn(&str),
}

struct BannerOutput {
    banners: std_mpsc::Sender<Banner>,
    /// Whether a change isn't shown yet.
    due: bool,
    /// When the banner may change next.
    not_before: Instant,
}

impl ActiveSharing {
    /// Ends all streams and says goodbye to the broker. The screen is dropped as well, so its threads end.
    async fn leave(mut self, why: Option<SharingEnd>) {
        self.streams.shutdown().await;
        let _ = self.outgoing.try_send(PresenterMessage::Leave(why));
    }

    fn on_broker_event(&mut self, event: BrokerEvent) -> Option<EndReason> {
        match event {
            BrokerEvent::Up => {
                (self.progress)("Connected. Your screen is shared; the banner says who watches.");
                self.disconnected = false;
                // A broker that was started again knows of nobody.
                self.told_waiting.clear();
                self.send_state();
            }
            BrokerEvent::Down => {
                (self.progress)("The connection was lost. Trying again.");
                self.disconnected = true;
                // The broker spliced the streams, so they are lost as well; viewers ask for
                // new ones.
                self.streams.abort_all();
            }
            BrokerEvent::Viewer(request) => self.start_stream(request),
            BrokerEvent::Snapshot { by } => {
                let by = Some(tidy_name(&by)).filter(|name| !name.is_empty());
                let by = by.as_deref().unwrap_or("Somebody");
                self.notice = Some(format!("{by} saved a picture of your screen"));
            }
            BrokerEvent::OtherProgram => self.other_program.came(),
            BrokerEvent::Admit(answer) => self.on_answer(&answer),
            BrokerEvent::Over(ended) => return Some(ended),
        }
        self.banner.due = true;
        None
    }

    fn on_choice(&mut self, choice: Choice) -> Option<EndReason> {
        match choice {
            Choice::Pause | Choice::Resume => {
                self.paused = choice == Choice::Pause;
                self.screen.pause(self.paused);
                self.send_state();
                self.banner.due = true;
                None
            }
            Choice::SendClipboard(question) => {
                if self.clipboard_state.question() != Some(question) {
                    return None;
                }
                self.screen.send_clipboard();
                self.keep_clipboard()
            }
            Choice::KeepClipboard => {
                self.screen.share_clipboard(false);
                self.keep_clipboard()
            }
            Choice::Stop | Choice::Decline => Some(EndReason::Stopped),
            Choice::Covered => Some(EndReason::Covered),
            Choice::LetIn(id) | Choice::Refuse(id) => {
                self.admissions.decide(id, choice == Choice::LetIn(id));
                self.banner.due = true;
                None
            }
            Choice::Move(question) => {
                (self.other_program.question() == Some(question)).then_some(EndReason::Moved)
            }
            Choice::Stay(question) => {
                self.other_program.refused(question);
                self.banner.due = true;
                None
            }
            Choice::Share | Choice::ShareWithClipboard | Choice::ToggleClipboard => None,
        }
    }

    fn keep_clipboard(&mut self) -> Option<EndReason> {
        self.clipboard_state = ClipboardState::Kept;
        self.banner.due = true;
        None
    }

    /// A viewer asks for what the customer has copied: the first one's name stays until the customer
    /// has answered, since a question that comes and goes would move the banner's buttons. Or what
    /// they have copied can't be sent.
    fn on_clipboard_news(&mut self, news: ClipboardNews) -> Option<EndReason> {
        match news {
            ClipboardNews::Asked(id) if self.clipboard_state == ClipboardState::Kept => {
                let by = self.viewers.get(&id).map(|viewer| viewer.name.clone());
                self.clipboard_questions += 1;
                self.clipboard_state = ClipboardState::Asked {
                    by: by.unwrap_or_default(),
                    question: self.clipboard_questions,
                };
            }
            ClipboardNews::Asked(_) => return None,
            ClipboardNews::NotCarried(why) => self.notice = Some(notices::not_sent(why).to_owned()),
            ClipboardNews::Lost(why) => self.notice = Some(notices::lost(why).to_owned()),
        }
        self.banner.due = true;
        None
    }

    /// Reports to the broker whether control is paused. A full queue means that the connection is
    /// down; the state is sent again when it is up.
    fn send_state(&self) {
        let state = if self.paused { State::Paused } else { State::Shared };
        let _ = self.outgoing.try_send(PresenterMessage::Sharing(state));
    }

    fn start_stream(&mut self, request: ToPresenter) {
        if self.streams.len() >= MOST_STREAMS {
            tracing::debug!("too many streams at once");
            return;
        }
        let (dialler, screen) = (self.dialler.clone(), self.screen.clone());
        let started = self.started.clone();
        let (clipboard, exchanges) = (self.clipboard, self.exchanges.clone());
        let known = self.known.clone();
        let ToPresenter::Viewer { name: called, .. } = &request;
        let called = tidy_name(called);
        let (asking, name) = (self.asking.clone(), called.clone());
        self.streams.spawn(async move {
            let on_watching = async move |role, words| {
                let viewer = Viewer { name: called, role, words };
                // Sent by the stream's own task, so that it can't arrive after the end of the task,
                // which removes the viewer.
                let _ = started.send((tokio::task::id(), viewer)).await;
            };
            let let_in = async move |arrival: Arrival| {
                if !arrival.must_wait() {
                    return true;
                }
                let (answer, answered) = oneshot::channel();
                let asked = asking.send(Waiting { arrival, name, answer }).await;
                asked.is_ok() && answered.await.unwrap_or(false)
            };
            let (dialler, screen, exchanges, known) = (&dialler, &screen, &exchanges, &known);
            let parts = Parts { dialler, screen, exchanges, known, clipboard };
            viewer_stream::serve(request, parts, let_in, on_watching).await
        });
    }

    fn on_stream_started(&mut self, id: Id, viewer: Viewer) -> Option<EndReason> {
        self.viewers.insert(id, viewer);
        self.banner.due = true;
        None
    }

    fn on_newcomer(&mut self, newcomer: Waiting) -> Option<EndReason> {
        self.admissions.ask(newcomer);
        self.banner.due = true;
        None
    }

    /// The technician let a viewer in, or refused it: the customer is told.
    fn on_answer(&mut self, answer: &AdmissionAnswer) {
        let AdmissionAnswer { pairing, signature, lets_in, .. } = answer;
        let is_signed = |text: &[u8]| self.known.own_has_signed(pairing, text, signature);
        if let Some(name) = self.admissions.decide_by_technician(answer, is_signed) {
            let name = if name.is_empty() { "Somebody" } else { &name };
            let did = if *lets_in { "was let in" } else { "was refused" };
            self.notice = Some(format!("{name} {did} by the person who helps you"));
        }
    }

    /// Tells the technician who waits, if that has changed. A full queue means that the connection is
    /// down, after which everything is told again.
    fn tell_waiting(&mut self) {
        let waiting = self.admissions.waiting();
        if waiting != self.told_waiting {
            let _ = self.outgoing.try_send(PresenterMessage::Waiting(waiting.clone()));
            self.told_waiting = waiting;
        }
    }

    /// There were too many key exchanges, by which somebody may try to get in between.
    fn on_one_too_many(&mut self, which: OneTooMany) -> Option<EndReason> {
        let Some(notice) = notices::shut_out(which) else { return Some(EndReason::Interfered) };
        self.notice = Some(notice.to_owned());
        self.banner.due = true;
        None
    }

    fn on_stream_ended(
        &mut self,
        ended: Result<(Id, Result<(), StreamError>), tokio::task::JoinError>,
    ) -> Option<EndReason> {
        let (id, outcome) = match ended {
            Ok((id, outcome)) => (id, outcome),
            Err(error) => (error.id(), Ok(())),
        };
        self.viewers.remove(&id);
        self.banner.due = true;
        match outcome {
            Err(StreamError::Screen(error)) => Some(EndReason::Screen(error)),
            Err(error) => {
                tracing::debug!(%error, "a viewer's stream is over");
                if let Some(notice) = notices::other_version(&error) {
                    self.notice = Some(notice.to_owned());
                }
                None
            }
            Ok(()) => None,
        }
    }

    /// Shows the banner as it is now.
    fn show_banner(&mut self) -> Option<EndReason> {
        self.tell_waiting();
        let mut viewers: Vec<_> = self.viewers.values().cloned().collect();
        // Those who control come first: they matter most to the customer.
        viewers.sort_by(|a, b| b.role.cmp(&a.role).then_with(|| a.name.cmp(&b.name)));
        let banner = Banner {
            viewers,
            newcomer: self.admissions.current(),
            other_program: self.other_program.question(),
            open_to_readers: self.dialler.is_open_to_readers(),
            paused: self.paused,
            reconnecting: self.disconnected,
            notice: self.notice.take(),
            clipboard: self.clipboard_state.clone(),
        };
        let shown = self.banner.banners.send(banner);
        (self.banner.due, self.banner.not_before) = (false, Instant::now() + BANNER_INTERVAL);
        // The banner's window is gone.
        shown.is_err().then_some(EndReason::Stopped)
    }
}

/// A stranger's name, without control characters and not too long.
fn tidy_name(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_NAME)
        .collect::<String>()
        .trim()
        .to_owned()
}
