//! The demo's console, its feed, and the waits that the story consists of.
//!
//! Every wait ends, either with its result or with a [`MissedStep`] that names it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::time::timeout;
use wire::ConfText;

use super::{
    browser_page::{Page, PageRole, Visitor},
    display,
    narrator::MissedStep,
    viewer_window::{DemoDesktop, NoPageNeeded},
};
use console::{
    App, Options, SettingsSource,
    app::IN_THE_BROWSER,
    cli::watch::{Seen, Watch},
    commands::Command,
    reply::Reply,
    view::{LampKind, SessionDetail, StateKind},
};

/// The demo's console, while it runs.
pub struct DemoConsole {
    folder: PathBuf,
    desktop: Arc<DemoDesktop>,
    program: Result<PathBuf, &'static str>,
    patience: Duration,
    running: Option<Running>,
}

struct Running {
    app: App,
    watch: Watch,
}

/// The result of a step.
pub type StepResult<T = ()> = Result<T, MissedStep>;

impl DemoConsole {
    /// A console with its data in `folder` that waits for each step as long as `patience`.
    pub fn new(folder: PathBuf, patience: Duration) -> Self {
        Self {
            folder,
            desktop: Arc::default(),
            program: display::program(),
            patience,
            running: None,
        }
    }

    /// Starts the console on the demo's folder and subscribes.
    pub async fn open(&mut self) -> StepResult {
        let options = Options {
            data: self.folder.join("data"),
            settings: SettingsSource::nowhere(),
            desktop: self.desktop.clone(),
            program: "deskhand demo",
            passphrase: None,
            // The demo's key must vanish with its folder; a keyring would keep it.
            use_keyring: false,
            broker_control: true,
            unattended: true,
            pages: Arc::new(NoPageNeeded),
            in_the_browser: IN_THE_BROWSER,
            forget_profiles: false,
            accept_lost_data: false,
            from_seq: None,
        };
        let app = App::start(options)
            .await
            .map_err(|error| MissedStep { what: "the start".into(), why: error.to_string() })?;
        let watch = Watch::new(app.subscribe());
        self.running = Some(Running { app, watch });
        Ok(())
    }

    /// Stops the console, if it runs.
    pub async fn end(&mut self) {
        if let Some(running) = self.running.take() {
            running.app.stop().await;
        }
    }

    /// Gives a command.
    pub async fn command(&self, command: impl Into<Command> + Send) -> StepResult<Reply> {
        let app = &self.running()?.app;
        let by = app.settings().technician;
        let answer = app.command(command, &by);
        self.within("the answer to a command", async {
            answer.await.map_err(|trouble| format!("{} {}", trouble.text, trouble.remedy))
        })
        .await
    }

    /// The customer's program; else the reason why this computer can't share a screen.
    pub fn program(&self) -> Result<&Path, &'static str> {
        self.program.as_deref().map_err(|missing| *missing)
    }

    /// Loads a viewer's page.
    pub async fn viewer(&self, session: &str, name: &str) -> StepResult<Page> {
        self.page(session, PageRole::Viewer, name).await
    }

    /// Loads a page.
    pub async fn page(&self, session: &str, side: PageRole, name: &str) -> StepResult<Page> {
        let running = self.running()?;
        let detail = running.watch.seen.details.get(session);
        let pin = detail.and_then(|detail| Some(detail.pin.as_ref()?.text.clone()));
        let (Some(pin), Some(broker)) = (pin, running.app.broker()) else {
            return Err(unexpected("a PIN of the demo's own broker"));
        };
        let who = Visitor { origin: broker.origin(), pin: &pin, side, name };
        self.within("a page that joins", Page::open(who)).await
    }

    /// The configuration of a session's program, by which nobody sits at its computer.
    pub async fn conf(&self, session: &str) -> StepResult<ConfText> {
        let conf = self.running()?.app.program_conf(session);
        self.within("the program's configuration", conf).await
    }

    /// The demo's temporary folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The desktop that opens viewer windows.
    pub fn desktop(&self) -> &DemoDesktop {
        &self.desktop
    }

    /// Moves the broker's clock, and waits until the deliveries that fell due are done.
    pub async fn advance(&self, by: Duration) -> StepResult {
        let broker =
            self.running()?.app.broker().ok_or_else(|| unexpected("the demo's own broker"))?;
        let handle = broker.handle();
        self.within("the broker's clock", async {
            // The broker must first notice that a page was closed.
            handle.idle().await;
            handle.advance(by).await;
            handle.idle().await;
            Ok(())
        })
        .await
    }

    /// Waits until all four hooks are armed.
    pub async fn all_armed(&mut self, session: &str) -> StepResult {
        self.detail(session, "all four hooks armed", |detail| {
            let armed = detail.hooks.iter().filter(|hook| hook.lamp == LampKind::Armed).count();
            (armed == 4).then_some(())
        })
        .await
    }

    /// Waits until the console shows `lines` chat messages.
    pub async fn chat_lines(&mut self, session: &str, lines: usize) -> StepResult {
        self.detail(session, &format!("{lines} chat messages"), |detail| {
            (detail.chat.len() == lines).then_some(())
        })
        .await
    }

    /// Waits until the session is in that state.
    pub async fn state(
        &mut self,
        session: &str,
        kind: StateKind,
        what: &str,
    ) -> StepResult<SessionDetail> {
        self.detail(session, what, |detail| (detail.row.state.kind == kind).then(|| detail.clone()))
            .await
    }

    /// Waits for something in the session's details.
    pub async fn detail<T>(
        &mut self,
        session: &str,
        what: &str,
        mut look: impl FnMut(&SessionDetail) -> Option<T>,
    ) -> StepResult<T> {
        self.until(what, |seen| look(seen.details.get(session)?)).await
    }

    /// Waits for something on the feed.
    pub async fn until<T>(
        &mut self,
        what: &str,
        look: impl FnMut(&Seen) -> Option<T>,
    ) -> StepResult<T> {
        let patience = self.patience;
        let watch =
            &mut self.running.as_mut().ok_or_else(|| unexpected("a running console"))?.watch;
        let found = watch.until(patience, look).await;
        found.ok_or_else(|| MissedStep {
            what: what.to_owned(),
            why: format!("It was waited for {} s.", patience.as_secs()),
        })
    }

    /// Runs something that mustn't take longer than a step may.
    pub async fn within<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, String>>,
    ) -> StepResult<T> {
        let missed = |why| MissedStep { what: what.to_owned(), why };
        match timeout(self.patience, work).await {
            Ok(done) => done.map_err(missed),
            Err(_) => Err(missed(format!("It was waited for {} s.", self.patience.as_secs()))),
        }
    }

    /// Forgets the last regions' race, so that the next one can be waited for.
    pub fn forget_race(&mut self) {
        if let Some(running) = &mut self.running {
            running.watch.seen.regions = None;
        }
    }

    /// Everything that the feed has shown so far.
    pub fn seen(&self) -> StepResult<&Seen> {
        Ok(&self.running()?.watch.seen)
    }

    fn running(&self) -> StepResult<&Running> {
        self.running.as_ref().ok_or_else(|| unexpected("a running console"))
    }
}

/// A step that is missed only because of a bug.
pub fn unexpected(what: &str) -> MissedStep {
    MissedStep { what: what.to_owned(), why: "This is a bug.".to_owned() }
}
