//! The demo's story, chapter by chapter. Each step waits for what the feed shows.

use std::time::Duration;

use super::{
    browser_page::Page,
    customer::Customer,
    demo_console::{DemoConsole, StepResult, unexpected},
    narrator::{MissedStep, Narrator},
};
use console::{
    commands::{ArchiveCommand, SessionCommand},
    parameters::{About, Outcome},
    reply::Reply,
    view::{FactKind, SessionDetail, StateKind, TranscriptView},
};

const CUSTOMER: &str = "Maria Lopez";
const OTHER_CUSTOMER: &str = "Ben Okafor";
/// The customer whose screen is shared.
pub const SCREEN_CUSTOMER: &str = "Ida Berg";
const COLLEAGUE: &str = "Tom";
/// Longer than the 60 s after which a side counts as gone.
const OVER_A_MINUTE: Duration = Duration::from_secs(61);
const RELOADS: usize = 5;

impl DemoConsole {
    /// Plays the whole story.
    pub async fn tell_story(&mut self, narrator: &mut Narrator) -> StepResult {
        self.start(narrator).await?;
        let session = self.new_session(narrator, CUSTOMER, "T-1001").await?;
        let (customer, viewer) = self.meeting(narrator, &session).await?;
        let customer = self.reloads(narrator, &session, customer).await?;
        self.viewers_leave(narrator, &session, viewer, 4).await?;
        let viewer = self.comes_back(narrator, &session).await?;
        self.viewers_leave(narrator, &session, viewer, 5).await?;
        self.search(narrator, &session).await?;
        self.close(narrator, &session).await?;
        customer.end().await;
        self.screen(narrator).await?;
        self.restart(narrator).await
    }

    async fn start(&mut self, narrator: &mut Narrator) -> StepResult {
        narrator.part("Start");
        self.open().await?;
        narrator.seen("Console and its own broker run, in a temporary folder");
        let address = self
            .until("the webhook listener", |seen| seen.console.as_ref()?.listener.address.clone())
            .await?;
        narrator.seen(&format!("Webhooks arrive at {address}"));
        if let Err(missing) = self.program() {
            narrator.note(missing);
        }
        Ok(())
    }

    /// A session whose hooks are armed.
    pub async fn new_session(
        &mut self,
        narrator: &mut Narrator,
        customer: &str,
        ticket: &str,
    ) -> StepResult<String> {
        narrator.part(&format!("A new session for {customer}"));
        self.forget_race();
        let about =
            About { customer: customer.into(), ticket: ticket.into(), contact: String::new() };
        let reply = self.command(SessionCommand::NewSession { about, region: None }).await?;
        let Reply::Session { id: session } = reply else { return Err(unexpected("a session")) };
        self.command(SessionCommand::Show { session: Some(session.clone()) }).await?;
        narrator.seen("New session");
        let race = self
            .until("the regions' race", |seen| {
                seen.regions.clone().filter(|race| race.chosen.is_some())
            })
            .await?;
        let chosen = race.chosen.unwrap_or_default();
        narrator.seen(&format!("Region {chosen}: {}", race.reason));
        let pin = self.detail(&session, "the PIN", |detail| detail.pin.clone()).await?;
        narrator.seen(&format!("PIN {}", pin.text));
        narrator.note(&format!("On the phone: {}", pin.spelled.join(" ")));
        narrator.note("It may be shown here, for it dies with this demo's broker.");
        self.all_armed(&session).await?;
        narrator.seen("All four hooks are armed");
        Ok(session)
    }

    /// A session's customer arrives, and the console notices.
    pub async fn come_online(
        &mut self,
        narrator: &mut Narrator,
        session: &str,
        name: &str,
    ) -> StepResult<Customer> {
        let computer = self.computer(session).await?;
        let has_program = computer.is_some();
        if has_program {
            narrator.seen("A virtual display runs, with nobody at it");
        }
        let mut customer = self.arrive(session, name, computer).await?;
        narrator.seen(&format!("{name} opens the join page"));
        let online = self.state(session, StateKind::Ready, "the customer's program online");
        customer.with_program(online).await?;
        narrator.seen(if has_program {
            "The customer's program is connected"
        } else {
            "The customer's page is connected, in place of a program"
        });
        Ok(customer)
    }

    async fn meeting(
        &mut self,
        narrator: &mut Narrator,
        session: &str,
    ) -> StepResult<(Customer, Page)> {
        narrator.part("Customer and technician meet");
        let mut customer = self.come_online(narrator, session, CUSTOMER).await?;
        self.all_armed(session).await?;
        narrator.seen("The hook that fired is armed again");
        let mut viewer = self.viewer(session, COLLEAGUE).await?;
        self.state(session, StateKind::Active, "the viewer connected").await?;
        narrator.seen("Viewer connected: the session is active");
        self.all_armed(session).await?;
        narrator.seen("The hook that fired is armed again");
        let talk = [
            (false, "Hello Maria, what can I do for you?"),
            (true, "The printer says that its toner is empty."),
            (false, "I see it. Please open the upper lid."),
            (true, "Done, it prints again. Thank you!"),
        ];
        for (by_customer, body) in talk {
            let said = if by_customer {
                customer.page.chat(CUSTOMER, body).await
            } else {
                viewer.chat(COLLEAGUE, body).await
            };
            said.map_err(|why| MissedStep { what: "a chat message".into(), why })?;
            let other = if by_customer { &mut viewer } else { &mut customer.page };
            self.within("the chat message on the other side", other.hears(body)).await?;
        }
        narrator.seen("Both chat: 4 messages reached the other side");
        self.chat_lines(session, 4).await?;
        narrator.seen("The console shows the chat");
        Ok((customer, viewer))
    }

    async fn reloads(
        &mut self,
        narrator: &mut Narrator,
        session: &str,
        mut customer: Customer,
    ) -> StepResult<Customer> {
        narrator.part(if self.program().is_ok() {
            "The customer reloads the page and starts the program anew, five times"
        } else {
            "The customer reloads the page five times"
        });
        for reload in 1..=RELOADS {
            self.all_armed(session).await?;
            let before = self.seen()?.count(session, "presenter_online");
            let computer = customer.leave().await;
            customer = self.arrive(session, CUSTOMER, computer).await?;
            let started = self.until("the next start of the customer's program", |seen| {
                (seen.count(session, "presenter_online") > before).then_some(())
            });
            customer.with_program(started).await?;
            self.all_armed(session).await?;
            self.state(session, StateKind::Active, "the session still active").await?;
            narrator.seen(&format!("Reload {reload}: started again, hook armed again"));
        }
        let offline = self.seen()?.count(session, "presenter_offline");
        if offline != 0 {
            return Err(MissedStep {
                what: "five reloads without an offline event".into(),
                why: format!("There were {offline}."),
            });
        }
        narrator.seen("No offline event: each reload took less than a minute");
        Ok(customer)
    }

    async fn viewers_leave(
        &mut self,
        narrator: &mut Narrator,
        session: &str,
        viewer: Page,
        messages: u32,
    ) -> StepResult {
        narrator.part("The last viewer leaves");
        let before = self.seen()?.count(session, "viewers_gone");
        viewer.close().await;
        narrator.seen("Viewer window closed");
        self.advance(OVER_A_MINUTE).await?;
        narrator.seen("The broker's clock moved on by 61 s");
        self.until("the word that all viewers are gone", |seen| {
            (seen.count(session, "viewers_gone") > before).then_some(())
        })
        .await?;
        narrator.seen("viewer_offline arrived");
        self.detail(session, &format!("{messages} messages in the archive"), |detail| match detail
            .transcript
        {
            TranscriptView::Saved { messages: saved, .. } => (saved == messages).then_some(()),
            TranscriptView::NotYet | TranscriptView::NotKnown | TranscriptView::Wanted { .. } => {
                None
            }
        })
        .await?;
        narrator.seen(&format!("Transcript archived: {messages} messages"));
        let row = self.state(session, StateKind::Ended, "the session ended").await?;
        narrator.seen(&with_detail("Ended", &row));
        Ok(())
    }

    async fn comes_back(&mut self, narrator: &mut Narrator, session: &str) -> StepResult<Page> {
        narrator.part("The viewer comes back");
        self.all_armed(session).await?;
        let mut viewer = self.viewer(session, COLLEAGUE).await?;
        self.state(session, StateKind::Active, "the session active again").await?;
        narrator.seen("The session is live again");
        let said = viewer.chat(COLLEAGUE, "One more thing: the new cartridge is under way.").await;
        said.map_err(|why| MissedStep { what: "a chat message".into(), why })?;
        self.chat_lines(session, 5).await?;
        narrator.seen("The chat goes on: 5 messages, none twice");
        Ok(viewer)
    }

    async fn search(&mut self, narrator: &mut Narrator, session: &str) -> StepResult {
        narrator.part("Afterwards");
        let query = "cartridge".to_owned();
        let reply = self.command(ArchiveCommand::Search { query, cursor: None }).await?;
        let Reply::Found { hits, .. } = reply else { return Err(unexpected("hits")) };
        let hit = hits.iter().find(|hit| hit.session == session).ok_or_else(|| MissedStep {
            what: "the session among what a search for \u{201c}cartridge\u{201d} found".into(),
            why: format!("It found {} others.", hits.len()),
        })?;
        narrator.seen(&format!("A search for \u{201c}cartridge\u{201d} finds {}", hit.name));
        narrator.note(&hit.snippet);
        Ok(())
    }

    async fn close(&mut self, narrator: &mut Narrator, session: &str) -> StepResult {
        let close = SessionCommand::Close {
            session: session.into(),
            outcome: Outcome::Resolved,
            note: "Upper lid was open; a new cartridge is on its way.".into(),
        };
        self.command(close).await?;
        self.state(session, StateKind::Closed, "the session closed").await?;
        narrator.seen("Closed as resolved, with a note");
        Ok(())
    }

    async fn restart(&mut self, narrator: &mut Narrator) -> StepResult {
        let session = self.new_session(narrator, OTHER_CUSTOMER, "T-1002").await?;
        let customer = self.come_online(narrator, &session, OTHER_CUSTOMER).await?;
        let link = |detail: &SessionDetail| detail.pin.clone()?.join_link;
        let before = self.detail(&session, "the customer's link", link).await?;
        narrator.part("The console is ended in the middle of it, and started again");
        self.end().await;
        // Left alone, the program would reconnect as the same participant, which is no event.
        let computer = customer.leave().await;
        self.open().await?;
        self.command(SessionCommand::Show { session: Some(session.clone()) }).await?;
        narrator.seen("Started again on the same data");
        let after = self.detail(&session, "the session after the restart", link).await?;
        if after != before {
            return Err(MissedStep {
                what: "the same link after the restart".into(),
                why: "It is another one.".into(),
            });
        }
        narrator.seen("The session is there, and its link is the same");
        self.detail(&session, "the customer's presence unknown", |detail| {
            (detail.presenter.is == FactKind::Unknown && detail.presenter.since.is_some())
                .then_some(())
        })
        .await?;
        narrator.seen("What can't be known is shown as unknown, with its time");
        self.all_armed(&session).await?;
        narrator.seen("All four hooks are armed again");
        let mut customer = self.arrive(&session, OTHER_CUSTOMER, computer).await?;
        let online =
            self.detail(&session, "the customer's program online after the restart", |detail| {
                (detail.presenter.is == FactKind::Online).then_some(())
            });
        customer.with_program(online).await?;
        narrator.seen("The customer's program is connected again");
        let viewer = self.viewer(&session, COLLEAGUE).await?;
        self.state(&session, StateKind::Active, "the viewer connected after the restart").await?;
        narrator.seen("Viewer connected: now both sides are known again");
        viewer.close().await;
        customer.end().await;
        Ok(())
    }
}

fn with_detail(word: &str, detail: &SessionDetail) -> String {
    match detail.row.state.detail.as_str() {
        "" => word.to_owned(),
        more => format!("{word}: {more}"),
    }
}
