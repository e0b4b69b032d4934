//! What the windows, the tray and the notifications share: the running console, and what the tray knows of it.
//!
//! What is absent: a decision about a session. A click becomes a command, and what is pushed becomes pictures.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use console::App;
use console::app::{News, Notices as Notifications, Tell};
use console::cli::Global;
use console::commands::{Command, ProfileCommand, SessionCommand, ViewingCommand};
use console::reply::Reply;
use console::view::{Code, Push, Trouble};
use engine::SessionId;
use serde::Serialize;
use tauri::{AppHandle, Manager};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{broadcast, watch};

use crate::board::Board;
use crate::desktop::Windows;
use crate::desktop::notice::{Answer, Button, Notice, Notices};
use crate::desktop::viewer::OpenWindows;
use crate::desktop::{screen, viewer};
use crate::tray::Click;
use crate::{memory, tray, window};

/// How long the console may take to end in good order before the process ends all the same.
const GOODBYE: Duration = Duration::from_secs(5);

/// As whom the console knows us, up to where notifications were shown.
const SUBSCRIBER: &str = "window";

/// A console that was started, or why it could not be.
type Started = Result<App, Trouble>;

/// The shell's state, one for the process.
pub struct Shell {
    started: watch::Sender<Option<Started>>,
    asks: broadcast::Sender<Ask>,
    board: Mutex<Board>,
    notices: Notices,
}

/// What the shell asks of the page, in the same batches as the console's pushes.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// Whether to end, while sessions are live.
    Quit {
        /// How many.
        live: usize,
    },
    /// Whether to close a session, which is brought to the front.
    Close {
        /// Which.
        session: String,
    },
    /// Brings a session to the front.
    Show {
        /// Which.
        session: String,
        /// Its chat too.
        chat: bool,
    },
}

impl Shell {
    /// A shell whose console is not started yet.
    pub fn new() -> Self {
        Self {
            started: watch::Sender::new(None),
            asks: broadcast::Sender::new(16),
            board: Mutex::default(),
            notices: Notices::default(),
        }
    }

    /// The console, as soon as it is started.
    ///
    /// # Errors
    /// Why it could not be started.
    pub async fn console(&self) -> Started {
        let mut started = self.started.subscribe();
        let known = started.wait_for(Option::is_some).await.ok().and_then(|known| known.clone());
        known.unwrap_or_else(|| Err(ending()))
    }

    /// What the shell asks of the page from now on.
    pub fn asks(&self) -> broadcast::Receiver<Ask> {
        self.asks.subscribe()
    }

    /// What the tray knows.
    pub fn board(&self) -> MutexGuard<'_, Board> {
        // A panic elsewhere leaves nothing half done here: every change of the board is one assignment.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the console behind the window, which is open already and shows what comes of it.
pub fn start(app: AppHandle, global: Global) {
    tauri::async_runtime::spawn(async move {
        let started = begin(&app, &global).await;
        if let Err(trouble) = &started {
            tracing::error!(code = ?trouble.code, "{} {}", trouble.text, trouble.remedy);
        }
        app.state::<Shell>().started.send_replace(Some(started.clone()));
        if let Ok(console) = started {
            let lockable = console.clone();
            let lock = move || {
                let lockable = lockable.clone();
                tauri::async_runtime::spawn(async move { lockable.screen_locked().await });
            };
            tauri::async_runtime::spawn(screen::watch(lock));
            attend(&app, &console).await;
        }
    });
}

async fn begin(app: &AppHandle, global: &Global) -> Started {
    let wrong = |text| Trouble { code: Code::BadInput, text, remedy: String::new() };
    let options = global.for_window(Arc::new(Windows(app.clone()))).map_err(wrong)?;
    App::start(options).await.map_err(|error| error.trouble())
}

/// Keeps tray and notifications up with the console until it ends.
async fn attend(app: &AppHandle, console: &App) {
    let shell = app.state::<Shell>();
    let mut feed = console.overview();
    let mut notices = console.notices(SUBSCRIBER);
    let announcer = announcer(app, &notices);
    let mut shown = shell.board().tray();
    let mut locked = false;
    // What an earlier run did not come to tell is there before anything happens.
    let mut happened = true;
    while let Some(batch) = feed.next().await {
        for push in batch {
            happened |= matches!(push, Push::Happening(_));
            shell.board().apply(&push);
        }
        // While the console is locked no happening is pushed, but the console whenever there is one.
        happened |= shell.board().locked();
        if std::mem::replace(&mut locked, shell.board().locked()) != locked {
            curtain(app, locked);
        }
        if std::mem::take(&mut happened)
            && let Some(mut news) = notices.read().await
        {
            if shell.board().paused() {
                news.tell.clear();
            }
            // It is there as long as we are.
            let _ = announcer.send(news);
        }
        let wanted = shell.board().tray();
        if wanted != shown {
            redraw(app, wanted.clone());
            shown = wanted;
        }
    }
}

/// What names a customer goes out of sight while the console is locked; the sessions go on behind.
fn curtain(app: &AppHandle, locked: bool) {
    if locked {
        viewer::hide_all(app);
        app.state::<Shell>().notices.withdraw();
    } else {
        viewer::show_all(app);
    }
}

/// The native menu belongs to the main thread.
fn redraw(app: &AppHandle, wanted: tray::TrayModel) {
    let drawn = app.clone();
    let asked = app.run_on_main_thread(move || {
        if let Err(error) = tray::update(&drawn, &wanted) {
            tracing::warn!(%error, "redraw the tray");
        }
    });
    if let Err(error) = asked {
        tracing::warn!(%error, "redraw the tray");
    }
}

/// Shows one notification after another and notes it, beside who draws the tray: the desktop may be slow to take one.
fn announcer(app: &AppHandle, notices: &Notifications) -> UnboundedSender<News> {
    let (app, marks) = (app.clone(), notices.marks());
    let (send, mut queue) = unbounded_channel::<News>();
    tauri::async_runtime::spawn(async move {
        while let Some(news) = queue.recv().await {
            for tell in &news.tell {
                announce(&app, tell).await;
            }
            marks.dealt_with(&news).await;
        }
    });
    send
}

/// Shows a notification; what the person does with it is waited for elsewhere.
async fn announce(app: &AppHandle, tell: &Tell) {
    let session = match tell {
        Tell::Happened(happening) => Some(happening.session.clone()),
        Tell::Summary(_) => None,
    };
    let shell = app.state::<Shell>();
    let notices = shell.notices.clone();
    let notice = || Notice::of(tell, shell.board().locked());
    if let Some(shown) = notices.show(notice).await {
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            notices.listen(shown, |answer| answered(&app, session, answer)).await;
        });
    }
}

/// Carries out a click on a notification; one that sums up is of no session.
fn answered(app: &AppHandle, session: Option<String>, answer: Answer) {
    let Some(session) = session else { return window::show_main(app) };
    match answer {
        Answer::Opened => show(app, session, false),
        Answer::Pressed(Button::Chat) => chat(app, session),
        Answer::Pressed(Button::OpenViewer) => {
            order(app, ViewingCommand::OpenViewer { session, read_only: false, chat: false })
        }
        Answer::Pressed(Button::Retry) => order(app, SessionCommand::Recheck { session }),
        // With its outcome, which the page asks for.
        Answer::Pressed(Button::Close) => ask(app, Ask::Close { session }),
    }
}

/// Brings a session's chat to the front: the viewer window's, where one can write, else our own, where one can read.
fn chat(app: &AppHandle, session: String) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let wanted =
            ViewingCommand::OpenViewer { session: session.clone(), read_only: false, chat: true };
        if give(&app, wanted).await.is_none() {
            show(&app, session, true);
        }
    });
}

/// Carries out a click in the tray.
pub fn clicked(app: &AppHandle, click: Click) {
    let shell = app.state::<Shell>();
    match click {
        Click::NewSession => {
            window::show_main(app);
            order(app, SessionCommand::NewSession { about: Default::default(), region: None });
        }
        Click::Session(session) => show(app, session, false),
        Click::Pause => {
            let paused = shell.board().pause();
            memory::keep_paused(app, paused);
            let wanted = shell.board().tray();
            redraw(app, wanted);
        }
        Click::Lock => order(app, ProfileCommand::Lock),
        Click::Open => window::show_main(app),
        Click::Quit => quit(app),
    }
}

/// Ends at once if nothing is live; else the page asks, and its yes comes back as a command.
fn quit(app: &AppHandle) {
    let shell = app.state::<Shell>();
    let live = shell.board().live();
    let asked = live > 0 && shell.asks.send(Ask::Quit { live }).is_ok();
    if asked {
        window::show_main(app);
    } else {
        end(app);
    }
}

/// Ends the app in good order.
pub fn end(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let started = app.state::<Shell>().started.send_replace(Some(Err(ending())));
        if let Some(Ok(console)) = started
            && tokio::time::timeout(GOODBYE, console.stop()).await.is_err()
        {
            tracing::warn!("end the console: it took too long, and the process ends without it");
        }
        app.exit(0);
    });
}

fn show(app: &AppHandle, session: String, chat: bool) {
    ask(app, Ask::Show { session, chat });
}

/// Asks the page, which is brought to the front.
fn ask(app: &AppHandle, asked: Ask) {
    window::show_main(app);
    // From a notification or a menu of before the lock: the page asks to sign in, and shows no session.
    if app.state::<Shell>().board().locked() {
        return;
    }
    // Without a page there is nobody to ask, and the window alone is shown.
    let _ = app.state::<Shell>().asks.send(asked);
}

/// Tells the console how many viewer windows of a session are open, and at once which one isn't any more: its
/// place must not be given to a window that opens after it.
pub fn viewers(app: &AppHandle, session: SessionId, read_only: bool, windows: OpenWindows) {
    let OpenWindows { open, closed } = windows;
    if closed && let Some(Ok(console)) = &*app.state::<Shell>().started.borrow() {
        console.viewer_closed(session, read_only);
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Ok(console) = app.state::<Shell>().console().await {
            console.viewer_windows(session, open).await;
        }
    });
}

/// Who gives commands here: the user of the operating system, until people sign in.
pub fn person() -> String {
    ["USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_else(|| "technician".to_owned())
}

/// Gives a command whose answer nobody waits for; what it changes is pushed.
fn order(app: &AppHandle, command: impl Into<Command>) {
    let (app, command) = (app.clone(), command.into());
    tauri::async_runtime::spawn(async move {
        if let Some(Reply::Session { id }) = give(&app, command).await {
            show(&app, id, false);
        }
    });
}

/// Gives a command; none if it was refused, which the log says.
async fn give(app: &AppHandle, command: impl Into<Command> + Send) -> Option<Reply> {
    let given = match app.state::<Shell>().console().await {
        Ok(console) => console.command(command, &person()).await,
        Err(trouble) => Err(trouble),
    };
    given.inspect_err(|trouble| tracing::warn!(code = ?trouble.code, "{}", trouble.text)).ok()
}

fn ending() -> Trouble {
    Trouble {
        code: Code::TryAgain,
        text: "Deskhand is ending.".into(),
        remedy: "Start it again.".into(),
    }
}
