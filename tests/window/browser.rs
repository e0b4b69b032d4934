//! The system's browser: headless Chromium with a passkey device that approves everything.

use browser_tests::{Driver, add_passkey_device};
use desktop_tests::PATIENCE;
use fantoccini::{Client, Locator};

/// A browser of the test's own.
pub struct Browser {
    client: Client,
    _driver: Driver,
}

impl Browser {
    /// Starts it.
    pub async fn start() -> Self {
        let driver = Driver::start();
        let client = driver.browser("technician", 1100, 900).await;
        add_passkey_device(&client).await;
        Self { client, _driver: driver }
    }

    /// Completes the page at `link` and waits until it shows `outcome`. Nothing of the link stays
    /// in the address bar.
    pub async fn go_through(&self, link: &str, outcome: &str) {
        // From elsewhere: a link that differs in its fragment only would load nothing.
        self.client.goto("about:blank").await.unwrap();
        self.client.goto(link).await.unwrap();
        let button = Locator::XPath("//button[. = 'Continue']");
        self.client
            .wait()
            .at_most(PATIENCE)
            .for_element(button)
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
        let heading = format!("//h1[. = '{outcome}']");
        if self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(&heading)).await.is_err()
        {
            panic!("the page never said {outcome:?}: {}", self.client.source().await.unwrap());
        }
        let shown = self.client.current_url().await.unwrap();
        assert_eq!((shown.fragment(), shown.query()), (None, None));
    }
}
