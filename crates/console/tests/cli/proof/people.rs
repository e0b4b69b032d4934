//! The customer and the viewers of a session, and what they do by a seed.

use system_tests::chance::Chance;
use uuid::Uuid;
use wire::Pin;

use crate::broker_process::BrokerProcess;

const MOST_VIEWERS: usize = 3;

/// A session with those who are connected to it.
pub struct People {
    pub session: String,
    pub pin: Pin,
    pub viewers: Vec<Uuid>,
    presenter: Option<Uuid>,
    customers_page: Option<Uuid>,
    /// A program that asks the customer.
    question: Option<Uuid>,
    /// The messages that the broker acknowledged.
    pub said: Vec<String>,
    /// To whom the console was told to send e-mails: each address once.
    pub mailed: Vec<String>,
}

impl People {
    pub const fn nobody(session: String, pin: Pin) -> Self {
        Self {
            session,
            pin,
            viewers: Vec::new(),
            presenter: None,
            customers_page: None,
            question: None,
            said: Vec::new(),
            mailed: Vec::new(),
        }
    }

    /// Somebody does something.
    pub async fn act(&mut self, broker: &BrokerProcess, chance: &mut Chance) {
        match chance.below(16) {
            0..3 => self.viewer_comes(broker).await,
            3 | 4 => self.viewer_leaves(broker).await,
            5 | 6 => self.presenter_comes_or_leaves(broker).await,
            7 | 8 => self.page_opens_or_closes(broker).await,
            9 => broker.downloads(&self.pin).await,
            10..13 => self.question(broker, chance).await,
            _ => self.writes(broker, chance).await,
        }
    }

    /// After the broker's end some pages connect again, and the others are gone.
    pub async fn connect_again(&mut self, broker: &BrokerProcess, chance: &mut Chance) {
        for page in std::mem::take(&mut self.viewers) {
            if chance.below(2) == 0 {
                broker.presence(&self.pin, "viewers", page, true).await;
                self.viewers.push(page);
            }
        }
        self.presenter = self.presenter.filter(|_| chance.below(2) == 0);
        self.customers_page = self.customers_page.filter(|_| chance.below(2) == 0);
        self.question = self.question.filter(|_| chance.below(2) == 0);
        if let Some(page) = self.presenter {
            broker.presence(&self.pin, "presenter", page, true).await;
        }
        if let Some(page) = self.customers_page {
            broker.page_opens(&self.pin, page).await;
        }
        if let Some(program) = self.question {
            broker.asks(&self.pin, program).await;
        }
    }

    async fn viewer_comes(&mut self, broker: &BrokerProcess) {
        if self.viewers.len() < MOST_VIEWERS {
            let page = Uuid::new_v4();
            broker.presence(&self.pin, "viewers", page, true).await;
            self.viewers.push(page);
        }
    }

    async fn viewer_leaves(&mut self, broker: &BrokerProcess) {
        if let Some(page) = self.viewers.pop() {
            broker.presence(&self.pin, "viewers", page, false).await;
        }
    }

    async fn presenter_comes_or_leaves(&mut self, broker: &BrokerProcess) {
        match self.presenter.take() {
            Some(page) => broker.leaves(&self.pin, page).await,
            None => self.presenter_comes(broker).await,
        }
    }

    /// It takes the place of one that is there.
    pub async fn presenter_comes(&mut self, broker: &BrokerProcess) {
        let page = Uuid::new_v4();
        broker.presence(&self.pin, "presenter", page, true).await;
        self.presenter = Some(page);
    }

    async fn page_opens_or_closes(&mut self, broker: &BrokerProcess) {
        match self.customers_page.take() {
            Some(page) => broker.leaves(&self.pin, page).await,
            None => {
                let page = Uuid::new_v4();
                broker.page_opens(&self.pin, page).await;
                self.customers_page = Some(page);
            }
        }
    }

    /// A program asks; or its question is answered, or goes away.
    async fn question(&mut self, broker: &BrokerProcess, chance: &mut Chance) {
        let Some(program) = self.question.take() else {
            let program = Uuid::new_v4();
            broker.asks(&self.pin, program).await;
            self.question = Some(program);
            return;
        };
        let answer = chance.below(4);
        if answer < 3 {
            broker.is_answered(&self.pin, program, answer < 2).await;
        }
        broker.leaves(&self.pin, program).await;
        // Whoever agreed goes on as the presenter.
        if answer < 2 {
            self.presenter_comes(broker).await;
        }
    }

    async fn writes(&mut self, broker: &BrokerProcess, chance: &mut Chance) {
        let there: Vec<_> = self.presenter.into_iter().chain(self.customers_page).collect();
        let there = [there, self.viewers.clone()].concat();
        if !there.is_empty() {
            let (page, text) = (there[chance.index(there.len())], Uuid::new_v4().to_string());
            // Who writes too fast is refused, and nothing is acknowledged.
            if broker.says(&self.pin, page, &text).await {
                self.said.push(text);
            }
        }
    }
}
