//! Passkeys: the client and a software authenticator against the sandbox's relying party.
#![allow(clippy::unwrap_used)]

mod answers;
mod calls;
mod ceremonies;
mod rsa;
mod tokens;

use std::time::Duration;

use authenticator_tests::Browser;
use engine::remote::passwordless::{Passwordless, PasswordlessConfig};
use sandbox::{Config, Ports, Running, Sandbox};
use secrecy::{ExposeSecret as _, SecretString};
use serve::{Clock, Millis, Port};
use tempfile::TempDir;
use wire::passwordless::RegisterToken;

/// The time of the sandbox's clock, which stands still, in milliseconds since 1970.
const NOW: i64 = 1_795_000_000_000;
const ANNA: &str = "107fb578-9559-4540-a0e2-f82ad78852f7";
const BEN: &str = "c8a32e5b-46d3-4808-ae10-16d3e26ff6f9";

/// A sandbox and a client of its passkey service.
struct World {
    folder: TempDir,
    running: Running,
    client: Passwordless,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start(folder, Port::Any).await
    }

    async fn start(folder: TempDir, port: Port) -> Self {
        let mut config = Config::embedded(folder.path());
        config.clock = Clock::frozen(Millis(NOW));
        config.ports = Ports { passwordless: port, ..Ports::ANY };
        let running = Sandbox::start(config).await.unwrap();
        let client = client(&running, running.passwordless().api_secret());
        Self { folder, running, client }
    }

    /// Ends the sandbox and starts it again where it was.
    async fn restarted(self) -> Self {
        let port = self.running.addrs()[2].port();
        self.running.shutdown().await;
        Self::start(self.folder, Port::Remembered(port)).await
    }

    fn browser(&self) -> Browser {
        let service = self.running.passwordless();
        Browser::new(service.base_url(), service.api_key())
    }

    fn pass(&self, seconds: u64) {
        self.running.advance(Duration::from_secs(seconds));
    }

    async fn register_token(&self, asked: &RegisterToken) -> String {
        self.client.register_token(asked).await.unwrap().expose_secret().to_owned()
    }

    /// A browser of somebody who has just made a passkey.
    async fn registered(&self, user: &str) -> Browser {
        let mut browser = self.browser();
        let token = self.register_token(&asked(user)).await;
        let made = browser.register(&token, "My key").await;
        self.client.verify(&secret(made.token())).await.unwrap();
        browser
    }
}

fn client(running: &Running, api_secret: SecretString) -> Passwordless {
    Passwordless::new(PasswordlessConfig {
        base_url: running.passwordless().base_url().parse().unwrap(),
        api_key: running.passwordless().api_key().to_owned(),
        api_secret,
    })
    .unwrap()
}

fn asked(user: &str) -> RegisterToken {
    RegisterToken::new(user, "anna@example.org", "Anna Keller")
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}
