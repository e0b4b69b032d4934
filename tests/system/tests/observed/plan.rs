//! Customers and viewers who come, leave, share, decline and write: decided by a seed, so that the same seed gives the
//! same run.

use broker::Handle;
use deskhand_system_tests::chance::Chance;
use engine::SessionId;
use uuid::Uuid;
use wire::{Pin, Side};

/// At most so many viewers of one session.
const MOST_VIEWERS: usize = 3;

/// A session with everybody who is connected to it.
pub struct People {
    pub id: SessionId,
    pub pin: Pin,
    /// The bodies of the messages that the broker acknowledged, in order.
    pub said: Vec<String>,
    presenter: Option<Uuid>,
    viewers: Vec<Uuid>,
    customers_page: Option<Uuid>,
    question: Option<Uuid>,
}

impl People {
    pub const fn nobody(id: SessionId, pin: Pin) -> Self {
        Self {
            id,
            pin,
            said: Vec::new(),
            presenter: None,
            viewers: Vec::new(),
            customers_page: None,
            question: None,
        }
    }

    /// Somebody does something.
    pub async fn act(&mut self, broker: &Handle, chance: &mut Chance) {
        match chance.below(16) {
            0..3 => self.viewer_comes(broker).await,
            3 | 4 => self.viewer_leaves(broker, chance).await,
            5 | 6 => self.presenter_comes_or_leaves(broker).await,
            7 => self.presenter_comes(broker).await,
            8 => self.page_opens_or_closes(broker).await,
            9 => broker.program_is_downloaded(&self.pin).await.unwrap(),
            10..12 => self.question(broker, chance).await,
            _ => self.writes(broker, chance).await,
        }
    }

    /// Somebody comes, leaves or writes.
    pub async fn come_or_leave(&mut self, broker: &Handle, chance: &mut Chance) {
        match chance.below(8) {
            0..3 => self.viewer_comes(broker).await,
            3 | 4 => self.viewer_leaves(broker, chance).await,
            5 | 6 => self.presenter_comes_or_leaves(broker).await,
            _ => self.writes(broker, chance).await,
        }
    }

    async fn viewer_comes(&mut self, broker: &Handle) {
        if self.viewers.len() < MOST_VIEWERS {
            let page = Uuid::new_v4();
            broker.page_arrives(&self.pin, Side::Viewers, page, "Anna").await.unwrap();
            self.viewers.push(page);
        }
    }

    async fn viewer_leaves(&mut self, broker: &Handle, chance: &mut Chance) {
        if !self.viewers.is_empty() {
            let page = self.viewers.swap_remove(chance.index(self.viewers.len()));
            assert!(broker.page_leaves(&self.pin, page).await);
        }
    }

    async fn presenter_comes_or_leaves(&mut self, broker: &Handle) {
        match self.presenter.take() {
            Some(page) => assert!(broker.page_leaves(&self.pin, page).await),
            None => self.presenter_comes(broker).await,
        }
    }

    /// It takes the place of one that is there, as where a page is loaded again.
    pub async fn presenter_comes(&mut self, broker: &Handle) {
        let page = Uuid::new_v4();
        broker.page_arrives(&self.pin, Side::Presenter, page, "Maria").await.unwrap();
        self.presenter = Some(page);
    }

    async fn page_opens_or_closes(&mut self, broker: &Handle) {
        match self.customers_page.take() {
            Some(page) => assert!(broker.page_leaves(&self.pin, page).await),
            None => {
                let page = Uuid::new_v4();
                broker.customers_page_opens(&self.pin, page).await.unwrap();
                self.customers_page = Some(page);
            }
        }
    }

    /// A program asks; or its question is answered, or goes away.
    async fn question(&mut self, broker: &Handle, chance: &mut Chance) {
        let Some(program) = self.question else {
            let program = Uuid::new_v4();
            broker.program_asks(&self.pin, program).await.unwrap();
            self.question = Some(program);
            return;
        };
        let answer = chance.below(4);
        if answer < 3 {
            broker.customer_answers(&self.pin, program, answer < 2).await.unwrap();
        }
        self.question = None;
        assert!(broker.page_leaves(&self.pin, program).await);
        // Whoever agreed goes on as the presenter.
        if answer < 2 {
            self.presenter_comes(broker).await;
        }
    }

    async fn writes(&mut self, broker: &Handle, chance: &mut Chance) {
        let there: Vec<_> = self.presenter.into_iter().chain(self.customers_page).collect();
        let there = [there, self.viewers.clone()].concat();
        if !there.is_empty() {
            let (page, body) = (there[chance.index(there.len())], Uuid::new_v4().to_string());
            // Who writes too fast is refused, and nothing is acknowledged.
            if broker.page_says(&self.pin, page, "Maria", &body).await.is_ok() {
                self.said.push(body);
            }
        }
    }
}
