//! The demo's story, chapter by chapter. Each step waits for what the feed shows.

use std::{path::PathBuf, sync::Arc, time::Duration};

use engine::desktop::Headless;
use tokio::time::timeout;

use super::telling::{Missed, Telling};
use crate::{
    app::{App, Options},
    cli::{
        os,
        page::{Page, Who},
        watch::{Seen, Watch},
    },
    command::{About, Command, Outcome, Reply},
    settings::SettingsSource,
    view::{FactKind, LampKind, SessionDetail, StateKind, TranscriptView},
};

const CUSTOMER: &str = "Maria Lopez";
const OTHER_CUSTOMER: &str = "Ben Okafor";
const COLLEAGUE: &str = "Tom";
/// More than the 60 s after which a side counts as gone.
const OVER_A_MINUTE: Duration = Duration::from_secs(61);
const RELOADS: usize = 5;

/// The story, as far as it has come.
pub struct Story {
    data: PathBuf,
    patience: Duration,
    by: String,
    stage: Option<Stage>,
}

/// A running console, and the feed that is watched.
struct Stage {
    app: App,
    watch: Watch,
}

type Told<T = ()> = Result<T, Missed>;

impl Story {
    /// A story that keeps its data in `data` and waits for each step as long as `patience`.
    pub fn new(data: PathBuf, patience: Duration) -> Self {
        Self { data, patience, by: os::user(), stage: None }
    }

    /// Tells it.
    pub async fn tell(&mut self, telling: &mut Telling) -> Told {
        self.start(telling).await?;
        let session = self.new_session(telling, CUSTOMER, "T-1001").await?;
        let (customer, viewer) = self.meeting(telling, &session).await?;
        let customer = self.reloads(telling, &session, customer).await?;
        self.viewers_leave(telling, &session, viewer, 4).await?;
        let viewer = self.comes_back(telling, &session).await?;
        self.viewers_leave(telling, &session, viewer, 5).await?;
        self.search(telling, &session).await?;
        self.close(telling, &session).await?;
        customer.close().await;
        self.restart(telling).await
    }

    /// Stops what runs.
    pub async fn end(&mut self) {
        if let Some(stage) = self.stage.take() {
            stage.app.stop().await;
        }
    }

    async fn start(&mut self, telling: &mut Telling) -> Told {
        telling.part("Start");
        self.open().await?;
        telling.seen("Console and its own broker run, in a temporary folder");
        let address = self
            .until("the webhook listener", |seen| seen.console.as_ref()?.listener.address.clone())
            .await?;
        telling.seen(&format!("Webhooks arrive at {address}"));
        Ok(())
    }

    async fn open(&mut self) -> Told {
        let options = Options {
            data: self.data.clone(),
            settings: SettingsSource::default(),
            desktop: Arc::new(Headless),
            program: "deskhand demo",
            passphrase: None,
            // The demo's key dies with its folder; a keyring would keep it.
            use_keyring: false,
            broker_control: true,
            from_seq: None,
        };
        let app = App::start(options).await.map_err(|error| Missed {
            what: "the start".into(),
            why: error.to_string(),
        })?;
        let watch = Watch::new(app.subscribe());
        self.stage = Some(Stage { app, watch });
        Ok(())
    }

    async fn new_session(
        &mut self,
        telling: &mut Telling,
        customer: &str,
        ticket: &str,
    ) -> Told<String> {
        telling.part(&format!("A new session for {customer}"));
        let about = About { customer: customer.into(), ticket: ticket.into(), contact: String::new() };
        let reply = self.command(Command::NewSession { about, region: None }).await?;
        let Reply::Session { id: session } = reply else { return Err(unexpected("a session")) };
        self.command(Command::Show { session: Some(session.clone()) }).await?;
        telling.seen("New session");
        let race = self
            .until("the regions' race", |seen| {
                seen.regions.clone().filter(|race| race.chosen.is_some())
            })
            .await?;
        let chosen = race.chosen.unwrap_or_default();
        telling.seen(&format!("Region {chosen}: {}", race.reason));
        let pin = self.detail(&session, "the PIN", |detail| detail.pin.clone()).await?;
        telling.seen(&format!("PIN {}", pin.text));
        telling.note(&format!("On the phone: {}", pin.spelled.join(" ")));
        telling.note("It may be shown here, for it dies with this demo's broker.");
        self.all_armed(&session).await?;
        telling.seen("All four hooks are armed");
        Ok(session)
    }

    async fn meeting(&mut self, telling: &mut Telling, session: &str) -> Told<(Page, Page)> {
        telling.part("Customer and technician meet");
        let mut customer = self.presenter(session, CUSTOMER).await?;
        telling.seen(&format!("{CUSTOMER} opens the join page"));
        self.state(session, StateKind::Ready, "the presenter online").await?;
        telling.seen("Presenter online");
        self.all_armed(session).await?;
        telling.seen("The hook that fired is armed again");
        let mut viewer = self.viewer(session).await?;
        self.state(session, StateKind::Active, "the viewer connected").await?;
        telling.seen("Viewer connected: the session is active");
        self.all_armed(session).await?;
        telling.seen("The hook that fired is armed again");
        let talk = [
            (false, "Hello Maria, what can I do for you?"),
            (true, "The printer says that its toner is empty."),
            (false, "I see it. Please open the upper lid."),
            (true, "Done, it prints again. Thank you!"),
        ];
        for (by_customer, body) in talk {
            let said = if by_customer {
                customer.chat(CUSTOMER, body).await
            } else {
                viewer.chat(COLLEAGUE, body).await
            };
            said.map_err(|why| Missed { what: "a chat message".into(), why })?;
            let other = if by_customer { &mut viewer } else { &mut customer };
            self.within("the chat message on the other side", other.hears(body)).await?;
        }
        telling.seen("Both chat: 4 messages reached the other side");
        self.chat_lines(session, 4).await?;
        telling.seen("The console shows the chat");
        Ok((customer, viewer))
    }

    async fn reloads(
        &mut self,
        telling: &mut Telling,
        session: &str,
        mut customer: Page,
    ) -> Told<Page> {
        telling.part("The customer reloads the page five times");
        for reload in 1..=RELOADS {
            self.all_armed(session).await?;
            let before = self.watch()?.seen.count(session, "presenter_online");
            customer.close().await;
            customer = self.presenter(session, CUSTOMER).await?;
            self.until("the presenter's next start", |seen| {
                (seen.count(session, "presenter_online") > before).then_some(())
            })
            .await?;
            self.all_armed(session).await?;
            self.state(session, StateKind::Active, "the session still active").await?;
            telling.seen(&format!("Reload {reload}: started again, hook armed again"));
        }
        let offline = self.watch()?.seen.count(session, "presenter_offline");
        if offline != 0 {
            return Err(Missed {
                what: "five reloads without an offline event".into(),
                why: format!("There were {offline}."),
            });
        }
        telling.seen("No offline event: each reload took less than a minute");
        Ok(customer)
    }

    async fn viewers_leave(
        &mut self,
        telling: &mut Telling,
        session: &str,
        viewer: Page,
        messages: u32,
    ) -> Told {
        telling.part("The last viewer leaves");
        let before = self.watch()?.seen.count(session, "viewers_gone");
        viewer.close().await;
        telling.seen("Viewer window closed");
        self.advance(OVER_A_MINUTE).await?;
        telling.seen("The broker's clock moved on by 61 s");
        self.until("the word that all viewers are gone", |seen| {
            (seen.count(session, "viewers_gone") > before).then_some(())
        })
        .await?;
        telling.seen("viewer_offline arrived");
        self.detail(session, &format!("{messages} messages in the archive"), |detail| {
            match detail.transcript {
                TranscriptView::Saved { messages: saved, .. } => (saved == messages).then_some(()),
                TranscriptView::NotYet | TranscriptView::Wanted { .. } => None,
            }
        })
        .await?;
        telling.seen(&format!("Transcript archived: {messages} messages"));
        let row = self.state(session, StateKind::Ended, "the session ended").await?;
        telling.seen(&with_detail("Ended", &row));
        Ok(())
    }

    async fn comes_back(&mut self, telling: &mut Telling, session: &str) -> Told<Page> {
        telling.part("The viewer comes back");
        self.all_armed(session).await?;
        let mut viewer = self.viewer(session).await?;
        self.state(session, StateKind::Active, "the session active again").await?;
        telling.seen("The session is live again");
        let said = viewer.chat(COLLEAGUE, "One more thing: the new cartridge is under way.").await;
        said.map_err(|why| Missed { what: "a chat message".into(), why })?;
        self.chat_lines(session, 5).await?;
        telling.seen("The chat goes on: 5 messages, none twice");
        Ok(viewer)
    }

    async fn search(&mut self, telling: &mut Telling, session: &str) -> Told {
        telling.part("Afterwards");
        let query = "cartridge".to_owned();
        let reply = self.command(Command::Search { query, cursor: None }).await?;
        let Reply::Found { hits, .. } = reply else { return Err(unexpected("hits")) };
        let hit = hits.iter().find(|hit| hit.session == session).ok_or_else(|| Missed {
            what: "the session among what a search for \u{201c}cartridge\u{201d} found".into(),
            why: format!("It found {} others.", hits.len()),
        })?;
        telling.seen(&format!("A search for \u{201c}cartridge\u{201d} finds {}", hit.name));
        telling.note(&hit.snippet);
        Ok(())
    }

    async fn close(&mut self, telling: &mut Telling, session: &str) -> Told {
        let close = Command::Close {
            session: session.into(),
            outcome: Outcome::Resolved,
            note: "Upper lid was open; a new cartridge is on its way.".into(),
        };
        self.command(close).await?;
        let row = self.state(session, StateKind::Closed, "the session closed").await?;
        telling.seen(&with_detail("Closed as resolved, with a note", &row));
        Ok(())
    }

    async fn restart(&mut self, telling: &mut Telling) -> Told {
        let session = self.new_session(telling, OTHER_CUSTOMER, "T-1002").await?;
        let customer = self.presenter(&session, OTHER_CUSTOMER).await?;
        self.state(&session, StateKind::Ready, "the presenter online").await?;
        telling.seen("Presenter online");
        let link = |detail: &SessionDetail| detail.pin.clone()?.join_link;
        let before = self.detail(&session, "the customer's link", link).await?;
        telling.part("The console is ended in the middle of it, and started again");
        self.end().await;
        customer.close().await;
        self.open().await?;
        self.command(Command::Show { session: Some(session.clone()) }).await?;
        telling.seen("Started again on the same data");
        let after = self.detail(&session, "the session after the restart", link).await?;
        if after != before {
            return Err(Missed {
                what: "the same link after the restart".into(),
                why: "It is another one.".into(),
            });
        }
        telling.seen("The session is there, and its link is the same");
        self.detail(&session, "the presenter unknown", |detail| {
            (detail.presenter.is == FactKind::Unknown && detail.presenter.since.is_some()).then_some(())
        })
        .await?;
        telling.seen("What can't be known is shown as unknown, with its time");
        self.all_armed(&session).await?;
        telling.seen("All four hooks are armed again");
        let customer = self.presenter(&session, OTHER_CUSTOMER).await?;
        self.state(&session, StateKind::Ready, "the presenter online after the restart").await?;
        telling.seen("The customer's page is loaded again: presenter online");
        customer.close().await;
        Ok(())
    }

    async fn command(&self, command: Command) -> Told<Reply> {
        let answer = self.stage()?.app.command(command, &self.by);
        self.within("the answer to a command", async {
            answer.await.map_err(|trouble| format!("{} {}", trouble.text, trouble.remedy))
        })
        .await
    }

    async fn presenter(&self, session: &str, name: &str) -> Told<Page> {
        self.page(session, "presenter", name).await
    }

    async fn viewer(&self, session: &str) -> Told<Page> {
        self.page(session, "viewers", COLLEAGUE).await
    }

    async fn page(&self, session: &str, side: &str, name: &str) -> Told<Page> {
        let stage = self.stage()?;
        let detail = stage.watch.seen.details.get(session);
        let pin = detail.and_then(|detail| Some(detail.pin.as_ref()?.text.clone()));
        let (Some(pin), Some(broker)) = (pin, stage.app.broker()) else {
            return Err(unexpected("a PIN of the demo's own broker"));
        };
        let who = Who { origin: broker.origin(), pin: &pin, side, name };
        self.within("a page that joins", Page::open(who)).await
    }

    async fn advance(&self, by: Duration) -> Told {
        let broker = self.stage()?.app.broker().ok_or_else(|| unexpected("the demo's own broker"))?;
        let handle = broker.handle();
        self.within("the broker's clock", async {
            // The page's end is taken note of first.
            handle.idle().await;
            handle.advance(by).await;
            handle.idle().await;
            Ok(())
        })
        .await
    }

    async fn all_armed(&mut self, session: &str) -> Told {
        self.detail(session, "all four hooks armed", |detail| {
            let armed = detail.hooks.iter().filter(|hook| hook.lamp == LampKind::Armed).count();
            (armed == 4).then_some(())
        })
        .await
    }

    async fn chat_lines(&mut self, session: &str, lines: usize) -> Told {
        self.detail(session, &format!("{lines} chat messages"), |detail| {
            (detail.chat.len() == lines).then_some(())
        })
        .await
    }

    async fn state(&mut self, session: &str, kind: StateKind, what: &str) -> Told<SessionDetail> {
        self.detail(session, what, |detail| (detail.row.state.kind == kind).then(|| detail.clone()))
            .await
    }

    async fn detail<T>(
        &mut self,
        session: &str,
        what: &str,
        mut look: impl FnMut(&SessionDetail) -> Option<T>,
    ) -> Told<T> {
        self.until(what, |seen| look(seen.details.get(session)?)).await
    }

    async fn until<T>(&mut self, what: &str, look: impl FnMut(&Seen) -> Option<T>) -> Told<T> {
        let patience = self.patience;
        let watch = &mut self.stage.as_mut().ok_or_else(|| unexpected("a running console"))?.watch;
        let found = watch.until(patience, look).await;
        found.ok_or_else(|| Missed {
            what: what.to_owned(),
            why: format!("It was waited for {} s.", patience.as_secs()),
        })
    }

    async fn within<T>(&self, what: &str, work: impl Future<Output = Result<T, String>>) -> Told<T> {
        let missed = |why| Missed { what: what.to_owned(), why };
        match timeout(self.patience, work).await {
            Ok(done) => done.map_err(missed),
            Err(_) => Err(missed(format!("It was waited for {} s.", self.patience.as_secs()))),
        }
    }

    fn stage(&self) -> Told<&Stage> {
        self.stage.as_ref().ok_or_else(|| unexpected("a running console"))
    }

    fn watch(&self) -> Told<&Watch> {
        Ok(&self.stage()?.watch)
    }
}

fn with_detail(word: &str, detail: &SessionDetail) -> String {
    match detail.row.state.detail.as_str() {
        "" => word.to_owned(),
        more => format!("{word}: {more}"),
    }
}

fn unexpected(what: &str) -> Missed {
    Missed { what: what.to_owned(), why: "This is a bug.".to_owned() }
}
