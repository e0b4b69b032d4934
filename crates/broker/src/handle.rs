//! What the owner of a broker can do with it while it runs.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use serve::{Client, FaultPlan, Owner};
use uuid::Uuid;
use wire::{Pin, Region, Side, session_events::SessionFacts};

use crate::{
    control_routes::stand_in_program,
    coordinator::Coordinator,
    hub::{
        abuse::Block,
        customer::Answer,
        join::{JoinAs, JoinRequest},
        outbox::Mail,
    },
};

/// Controls a broker from within its process.
#[derive(Debug, Clone)]
pub struct Handle(Arc<Coordinator>);

impl Handle {
    pub(crate) const fn new(coordinator: Arc<Coordinator>) -> Self {
        Self(coordinator)
    }

    /// Moves the clock and applies the deadlines that have passed. It doesn't wait for deliveries; [`Handle::idle`] does.
    pub async fn advance(&self, by: Duration) {
        self.0.advance(by).await;
    }

    /// Holds fired hooks back.
    pub fn hold_deliveries(&self) {
        self.0.deliverer.hold();
    }

    /// Lets fired hooks go, those that were held back first.
    pub fn release_deliveries(&self) {
        self.0.release_deliveries();
    }

    /// Returns once every change is saved and every delivery has been tried. One that nobody answered is tried again later.
    pub async fn idle(&self) {
        self.0.deliverer.idle().await;
    }

    /// What links for people elsewhere begin with: the network's address while strangers are let in there, otherwise
    /// the broker's own.
    pub fn customers_origin(&self) -> String {
        self.0.customers_origin()
    }

    /// The e-mails that were asked for lately, newest last.
    pub fn outbox(&self) -> Vec<Mail> {
        self.0.with_hub(|hub, _| hub.outbox().iter().cloned().collect())
    }

    /// The addresses and networks that are blocked after reports of abuse, the oldest block first.
    pub fn blocks(&self) -> Vec<Block> {
        self.0.blocks()
    }

    /// Ends the block of an address or network, and forgets what led to it; false if there is none.
    ///
    /// # Errors
    /// Why it could not be saved, for people.
    pub async fn lift_block(&self, owner: Owner) -> Result<bool, String> {
        self.0.lift_block(owner).await.map_err(|refused| refused.to_string())
    }

    /// The fault plan. Its routes are templates of paths (`/api/v1/hook/`), and `deliver` for deliveries of hooks.
    pub fn faults(&self) -> FaultPlan {
        self.0.faults.clone()
    }

    /// The broker's time.
    pub fn now(&self) -> serve::Millis {
        self.0.clock.now()
    }

    /// Mints a PIN without HTTP.
    ///
    /// # Errors
    /// Why it was refused, for people.
    pub async fn mint(&self, region: Region) -> Result<Pin, String> {
        self.0.mint(this_machine(), region, None).await.map_err(|refused| refused.to_string())
    }

    /// Connects a page without a browser, for tests and demos.
    ///
    /// # Errors
    /// Why it was refused, for people.
    pub async fn page_arrives(
        &self,
        pin: &Pin,
        side: Side,
        page: Uuid,
        name: &str,
    ) -> Result<(), String> {
        self.arrives(pin, JoinAs::plain_page(side), page, name).await
    }

    /// Connects a customer's page, which counts for no presence, without a browser.
    ///
    /// # Errors
    /// Why it was refused, for people.
    pub async fn customers_page_opens(&self, pin: &Pin, page: Uuid) -> Result<(), String> {
        self.arrives(pin, JoinAs::Companion, page, "").await
    }

    /// Notes a download of the program for this session.
    ///
    /// # Errors
    /// Why it was refused, for people.
    pub async fn program_is_downloaded(&self, pin: &Pin) -> Result<(), String> {
        let noted = self.0.apply(|hub, now| hub.note_download(this_machine(), pin, now));
        noted.await.map_err(|refused| refused.to_string())
    }

    /// Connects a program that asks the customer whether they agree.
    ///
    /// # Errors
    /// Why it was refused, for people.
    pub async fn program_asks(&self, pin: &Pin, page: Uuid) -> Result<(), String> {
        self.arrives(pin, JoinAs::Asking(stand_in_program()), page, "").await
    }

    /// The customer answers the question of [`Handle::program_asks`].
    ///
    /// # Errors
    /// Why it was refused, for people.
    pub async fn customer_answers(
        &self,
        pin: &Pin,
        page: Uuid,
        agrees: bool,
    ) -> Result<(), String> {
        let id = self.0.find_connection(pin, page).ok_or("this program is not connected")?;
        let answer = if agrees { Answer::Agreed } else { Answer::Declined };
        let answered = self.0.apply(|hub, now| hub.answer_question(id, answer, now));
        answered.await.map_err(|refused| refused.to_string())
    }

    /// The present state of a session, as its console is told of it; `None` if there is none with this PIN.
    pub fn facts(&self, pin: &Pin) -> Option<SessionFacts> {
        self.0.with_hub(|hub, now| self.0.facts(hub, pin, now))
    }

    async fn arrives(
        &self,
        pin: &Pin,
        join_as: JoinAs,
        page: Uuid,
        name: &str,
    ) -> Result<(), String> {
        let request = JoinRequest::stand_in(pin.clone(), join_as, page, name);
        self.0.connect_stand_in(request).await.map(drop).map_err(|refused| refused.to_string())
    }

    /// Disconnects a page or a program that this handle has connected; false if it wasn't there.
    pub async fn page_leaves(&self, pin: &Pin, page: Uuid) -> bool {
        let Some(id) = self.0.find_connection(pin, page) else { return false };
        self.0.disconnect(id).await;
        true
    }

    /// Has a page that this handle has connected write a chat message.
    ///
    /// # Errors
    /// Why it was refused, for people.
    pub async fn page_says(
        &self,
        pin: &Pin,
        page: Uuid,
        name: &str,
        body: &str,
    ) -> Result<(), String> {
        let id = self.0.find_connection(pin, page).ok_or("this page is not online")?;
        let posted = self.0.apply(|hub, now| hub.post_chat(id, (name, body), Uuid::new_v4(), now));
        posted.await.map_err(|refused| refused.to_string())
    }
}

/// Who gives orders from within this process or by the control API.
pub(crate) fn this_machine() -> Client {
    Client::from_ip(Ipv4Addr::LOCALHOST.into())
}
