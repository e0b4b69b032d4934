//! The sharing itself: what the broker, the viewers and the customer say, and what follows from it.

use std::{collections::HashMap, sync::mpsc as std_mpsc, time::Duration};

use tokio::{
    sync::mpsc,
    task::{Id, JoinSet},
    time::{Instant, sleep_until, timeout},
};
use wire::screen::{Sharing as State, ToPresenter};

use crate::{
    consent::{Banner, Choice, Guest},
    dial::Dialler,
    end::Ended,
    live::{Heard, Line, Say},
    share,
    stage::{Open, Stage},
};

/// Streams at once. The broker allows no more either; what it says is no reason to serve any number.
const MOST_STREAMS: usize = 32;
/// The banner changes no more often.
const BANNER_EVERY: Duration = Duration::from_millis(100);
/// Characters of a name, which comes from a stranger.
const LONGEST_NAME: usize = 64;
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// What is shared, with whom to talk about it.
pub struct Sharing {
    /// The live connection, not dialled yet.
    pub line: Line,
    /// Opens the screen.
    pub open: Open,
    /// Whether the clipboard may be exchanged.
    pub clipboard: bool,
    /// What the customer does. Its end is a stop: without the banner nothing is shared.
    pub choices: mpsc::UnboundedReceiver<Choice>,
    /// The banner; dropped at the end.
    pub banners: std_mpsc::Sender<Banner>,
    /// Says what happens, where progress may be shown.
    pub progress: fn(&str),
}

impl Sharing {
    /// Shares until somebody ends it, or `stop` does.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Ended {
        let Self { line, open, clipboard, mut choices, banners, progress } = self;
        let (failed, mut failures) = mpsc::unbounded_channel();
        let (told, mut tells) = mpsc::channel(MOST_STREAMS);
        let (hearing, mut heard) = mpsc::channel(MOST_STREAMS);
        let (say, says) = mpsc::channel(8);
        let (works, mut worked) = mpsc::channel(1);
        let dialler = line.dialler.clone();
        let mut kept = tokio::spawn(line.keep(hearing, says));
        let mut hall = Hall {
            stage: Stage::new(open, failed, works),
            clipboard,
            dialler,
            say,
            told,
            streams: JoinSet::new(),
            guests: HashMap::new(),
            paused: false,
            down: true,
            notice: None,
            board: Board { banners, due: true, at: Instant::now() },
            progress,
        };
        tokio::pin!(stop);
        let ended = loop {
            let over = tokio::select! {
                news = heard.recv() => hall.hear(news.unwrap_or(Heard::Over(Ended::System("go on")))),
                choice = choices.recv() => hall.choose(choice.unwrap_or(Choice::Stop)),
                () = &mut stop => Some(Ended::Stopped),
                failure = failures.recv() => failure.map(Ended::Screen),
                Some((id, guest)) = tells.recv() => hall.came(id, guest),
                Some(gone) = hall.streams.join_next_with_id() => hall.went(gone),
                () = sleep_until(hall.board.at), if hall.board.due => hall.put_up(),
            };
            if let Some(ended) = over {
                break ended;
            }
        };
        hall.streams.shutdown().await;
        let _ = hall.say.try_send(Say::Leave);
        // The stage goes with it, and the screen's threads with that.
        drop(hall);
        if timeout(GOODBYE, async { tokio::join!(worked.recv(), &mut kept) }).await.is_err() {
            kept.abort();
        }
        ended
    }
}

/// Who is there and what they are told.
struct Hall {
    stage: Stage,
    clipboard: bool,
    dialler: Dialler,
    say: mpsc::Sender<Say>,
    told: mpsc::Sender<(Id, Guest)>,
    streams: JoinSet<Result<(), share::ShareError>>,
    guests: HashMap<Id, Guest>,
    paused: bool,
    down: bool,
    notice: Option<String>,
    board: Board,
    progress: fn(&str),
}

struct Board {
    banners: std_mpsc::Sender<Banner>,
    /// Something is to be shown that isn't yet.
    due: bool,
    /// Not before.
    at: Instant,
}

impl Hall {
    fn hear(&mut self, heard: Heard) -> Option<Ended> {
        match heard {
            Heard::Up => {
                (self.progress)("Connected. Your screen can be seen by those who have the PIN.");
                self.down = false;
                self.say_state();
            }
            Heard::Down => {
                (self.progress)("The connection was lost. Trying again.");
                self.down = true;
                self.streams.abort_all();
            }
            Heard::Viewer(call) => self.invite(call),
            Heard::Snapshot { by } => {
                let by = Some(name(&by)).filter(|name| !name.is_empty());
                let by = by.as_deref().unwrap_or("Somebody");
                self.notice = Some(format!("{by} saved a picture of your screen"));
            }
            Heard::Over(ended) => return Some(ended),
        }
        self.board.due = true;
        None
    }

    fn choose(&mut self, choice: Choice) -> Option<Ended> {
        match choice {
            Choice::Pause | Choice::Resume => {
                self.paused = choice == Choice::Pause;
                self.stage.pause(self.paused);
                self.say_state();
                self.board.due = true;
                None
            }
            Choice::Stop | Choice::Decline => Some(Ended::Stopped),
            Choice::Share => None,
        }
    }

    /// Only the latest counts, and a full line is one that is down: then the next welcome asks again.
    fn say_state(&self) {
        let state = if self.paused { State::Paused } else { State::Shared };
        let _ = self.say.try_send(Say::Sharing(state));
    }

    fn invite(&mut self, call: ToPresenter) {
        if self.streams.len() >= MOST_STREAMS {
            tracing::debug!("too many streams at once");
            return;
        }
        let (dialler, stage, told) = (self.dialler.clone(), self.stage.clone(), self.told.clone());
        let (clipboard, ToPresenter::Viewer { name: called, .. }) = (self.clipboard, &call);
        let called = name(called);
        self.streams.spawn(async move {
            let watching = async move |role, words| {
                let guest = Guest { name: called, role, words };
                // The task's end takes the guest off again, so it must not be told after that.
                let _ = told.send((tokio::task::id(), guest)).await;
            };
            share::serve(call, &dialler, &stage, clipboard, watching).await
        });
    }

    fn came(&mut self, id: Id, guest: Guest) -> Option<Ended> {
        self.guests.insert(id, guest);
        self.board.due = true;
        None
    }

    fn went(
        &mut self,
        gone: Result<(Id, Result<(), share::ShareError>), tokio::task::JoinError>,
    ) -> Option<Ended> {
        let (id, outcome) = match gone {
            Ok((id, outcome)) => (id, outcome),
            Err(error) => (error.id(), Ok(())),
        };
        self.guests.remove(&id);
        self.board.due = true;
        match outcome {
            Err(share::ShareError::Screen(error)) => Some(Ended::Screen(error)),
            Err(error) => {
                tracing::debug!(%error, "a viewer's stream is over");
                None
            }
            Ok(()) => None,
        }
    }

    /// Shows how things are. A window that is gone ends the sharing by its choices' end.
    fn put_up(&mut self) -> Option<Ended> {
        let mut guests: Vec<_> = self.guests.values().cloned().collect();
        guests.sort_by(|a, b| b.role.cmp(&a.role).then_with(|| a.name.cmp(&b.name)));
        let banner = Banner {
            guests,
            paused: self.paused,
            reconnecting: self.down,
            notice: self.notice.take(),
        };
        let shown = self.board.banners.send(banner);
        (self.board.due, self.board.at) = (false, Instant::now() + BANNER_EVERY);
        shown.is_err().then_some(Ended::Stopped)
    }
}

/// A stranger's name, without what could disturb a line of text.
fn name(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_NAME)
        .collect::<String>()
        .trim()
        .to_owned()
}
