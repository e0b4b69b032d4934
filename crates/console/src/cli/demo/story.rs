//! The demo's story, chapter by chapter. Each step waits for what the feed shows.

use std::time::Duration;

use super::{
    customer::Customer,
    stage::{Stage, Told, unexpected},
    telling::{Missed, Telling},
};
use crate::{
    cli::page::Page,
    commands::{ArchiveCommand, SessionCommand},
    parameters::{About, Outcome},
    reply::Reply,
    view::{FactKind, SessionDetail, StateKind, TranscriptView},
};

const CUSTOMER: &str = "Maria Lopez";
const OTHER_CUSTOMER: &str = "Ben Okafor";
/// Whose screen is shared.
pub const SCREEN_CUSTOMER: &str = "Ida Berg";
const COLLEAGUE: &str = "Tom";
/// More than the 60 s after which a side counts as gone.
const OVER_A_MINUTE: Duration = Duration::from_secs(61);
const RELOADS: usize = 5;

impl Stage {
    /// Tells it.
    pub async fn tell_story(&mut self, telling: &mut Telling) -> Told {
        self.start(telling).await?;
        let session = self.new_session(telling, CUSTOMER, "T-1001").await?;
        let (customer, viewer) = self.meeting(telling, &session).await?;
        let customer = self.reloads(telling, &session, customer).await?;
        self.viewers_leave(telling, &session, viewer, 4).await?;
        let viewer = self.comes_back(telling, &session).await?;
        self.viewers_leave(telling, &session, viewer, 5).await?;
        self.search(telling, &session).await?;
        self.close(telling, &session).await?;
        customer.end().await;
        self.screen(telling).await?;
        self.restart(telling).await
    }

    async fn start(&mut self, telling: &mut Telling) -> Told {
        telling.part("Start");
        self.open().await?;
        telling.seen("Console and its own broker run, in a temporary folder");
        let address = self
            .until("the webhook listener", |seen| seen.console.as_ref()?.listener.address.clone())
            .await?;
        telling.seen(&format!("Webhooks arrive at {address}"));
        if let Err(missing) = self.program() {
            telling.note(missing);
        }
        Ok(())
    }

    /// A session whose hooks are armed.
    pub async fn new_session(
        &mut self,
        telling: &mut Telling,
        customer: &str,
        ticket: &str,
    ) -> Told<String> {
        telling.part(&format!("A new session for {customer}"));
        self.forget_race();
        let about =
            About { customer: customer.into(), ticket: ticket.into(), contact: String::new() };
        let reply = self.command(SessionCommand::NewSession { about, region: None }).await?;
        let Reply::Session { id: session } = reply else { return Err(unexpected("a session")) };
        self.command(SessionCommand::Show { session: Some(session.clone()) }).await?;
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

    /// The customer of a session comes, and the console sees it.
    pub async fn come_online(
        &mut self,
        telling: &mut Telling,
        session: &str,
        name: &str,
    ) -> Told<Customer> {
        let computer = self.computer(session).await?;
        let has_program = computer.is_some();
        if has_program {
            telling.seen("A virtual display runs, with nobody at it");
        }
        let mut customer = self.arrive(session, name, computer).await?;
        telling.seen(&format!("{name} opens the join page"));
        let online = self.state(session, StateKind::Ready, "the presenter online");
        customer.with_program(online).await?;
        telling.seen(if has_program {
            "The customer's program has dialled out: presenter online"
        } else {
            "Presenter online: the page, in place of a program"
        });
        Ok(customer)
    }

    async fn meeting(&mut self, telling: &mut Telling, session: &str) -> Told<(Customer, Page)> {
        telling.part("Customer and technician meet");
        let mut customer = self.come_online(telling, session, CUSTOMER).await?;
        self.all_armed(session).await?;
        telling.seen("The hook that fired is armed again");
        let mut viewer = self.viewer(session, COLLEAGUE).await?;
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
                customer.page.chat(CUSTOMER, body).await
            } else {
                viewer.chat(COLLEAGUE, body).await
            };
            said.map_err(|why| Missed { what: "a chat message".into(), why })?;
            let other = if by_customer { &mut viewer } else { &mut customer.page };
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
        mut customer: Customer,
    ) -> Told<Customer> {
        telling.part(if self.program().is_ok() {
            "The customer reloads the page and starts the program anew, five times"
        } else {
            "The customer reloads the page five times"
        });
        for reload in 1..=RELOADS {
            self.all_armed(session).await?;
            let before = self.seen()?.count(session, "presenter_online");
            let computer = customer.leave().await;
            customer = self.arrive(session, CUSTOMER, computer).await?;
            let started = self.until("the presenter's next start", |seen| {
                (seen.count(session, "presenter_online") > before).then_some(())
            });
            customer.with_program(started).await?;
            self.all_armed(session).await?;
            self.state(session, StateKind::Active, "the session still active").await?;
            telling.seen(&format!("Reload {reload}: started again, hook armed again"));
        }
        let offline = self.seen()?.count(session, "presenter_offline");
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
        let before = self.seen()?.count(session, "viewers_gone");
        viewer.close().await;
        telling.seen("Viewer window closed");
        self.advance(OVER_A_MINUTE).await?;
        telling.seen("The broker's clock moved on by 61 s");
        self.until("the word that all viewers are gone", |seen| {
            (seen.count(session, "viewers_gone") > before).then_some(())
        })
        .await?;
        telling.seen("viewer_offline arrived");
        self.detail(session, &format!("{messages} messages in the archive"), |detail| match detail
            .transcript
        {
            TranscriptView::Saved { messages: saved, .. } => (saved == messages).then_some(()),
            TranscriptView::NotYet | TranscriptView::Wanted { .. } => None,
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
        let mut viewer = self.viewer(session, COLLEAGUE).await?;
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
        let reply = self.command(ArchiveCommand::Search { query, cursor: None }).await?;
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
        let close = SessionCommand::Close {
            session: session.into(),
            outcome: Outcome::Resolved,
            note: "Upper lid was open; a new cartridge is on its way.".into(),
        };
        self.command(close).await?;
        let row = self.state(session, StateKind::Closed, "the session closed").await?;
        telling.seen("Closed as resolved, with a note");
        telling.note(&row.row.state.detail);
        Ok(())
    }

    async fn restart(&mut self, telling: &mut Telling) -> Told {
        let session = self.new_session(telling, OTHER_CUSTOMER, "T-1002").await?;
        let customer = self.come_online(telling, &session, OTHER_CUSTOMER).await?;
        let link = |detail: &SessionDetail| detail.pin.clone()?.join_link;
        let before = self.detail(&session, "the customer's link", link).await?;
        telling.part("The console is ended in the middle of it, and started again");
        self.end().await;
        // Left alone, the program would come back as the one that it was, which is no event.
        let computer = customer.leave().await;
        self.open().await?;
        self.command(SessionCommand::Show { session: Some(session.clone()) }).await?;
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
            (detail.presenter.is == FactKind::Unknown && detail.presenter.since.is_some())
                .then_some(())
        })
        .await?;
        telling.seen("What can't be known is shown as unknown, with its time");
        self.all_armed(&session).await?;
        telling.seen("All four hooks are armed again");
        let mut customer = self.arrive(&session, OTHER_CUSTOMER, computer).await?;
        let online = self.detail(&session, "the presenter online after the restart", |detail| {
            (detail.presenter.is == FactKind::Online).then_some(())
        });
        customer.with_program(online).await?;
        telling.seen("The customer is there again: presenter online");
        let viewer = self.viewer(&session, COLLEAGUE).await?;
        self.state(&session, StateKind::Active, "the viewer connected after the restart").await?;
        telling.seen("Viewer connected: now both sides are known again");
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
