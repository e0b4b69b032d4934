//! The makers' clients for backends, each call in a process of its own.

use std::path::{Path, PathBuf};

use sandbox::passwordless::Passwordless;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::process::Command;

/// A client in one language.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Backend {
    /// npm's `@passwordlessdev/passwordless-nodejs`.
    Node,
    /// PyPI's `passwordless`.
    Python,
}

/// Where the test clients' npm packages are.
pub(crate) fn clients() -> PathBuf {
    root().join("tests/clients")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder or file, which `./test` puts there.
pub(crate) fn installed(path: PathBuf) -> PathBuf {
    assert!(path.exists(), "{} is missing: run ./test, which installs the clients", path.display());
    path
}

impl Backend {
    /// What a call gives that succeeds.
    pub(crate) async fn ok(self, service: &Passwordless, call: &str, asked: Value) -> Value {
        let secret = service.api_secret();
        let mut said = self.run(service, secret.expose_secret(), call, &asked).await;
        assert!(said.get("ok").is_some(), "{self:?} {call}: {said}");
        said["ok"].take()
    }

    /// What the client makes of a call that is refused.
    pub(crate) async fn problem(self, service: &Passwordless, call: &str, asked: Value) -> Value {
        let secret = service.api_secret();
        self.run(service, secret.expose_secret(), call, &asked).await["problem"].take()
    }

    /// The same with a secret that isn't the service's.
    pub(crate) async fn wrong_secret(
        self,
        service: &Passwordless,
        call: &str,
        asked: Value,
    ) -> Value {
        let wrong = "app:secret:00000000000000000000000000000000";
        self.run(service, wrong, call, &asked).await["problem"].take()
    }

    async fn run(self, service: &Passwordless, secret: &str, call: &str, asked: &Value) -> Value {
        let mut command = match self {
            Self::Node => {
                installed(clients().join("node_modules/@passwordlessdev/passwordless-nodejs"));
                let mut node = Command::new(node());
                node.arg(clients().join("passwordless.mjs"));
                node
            }
            Self::Python => {
                let packages = root().join("target/clients/python");
                installed(packages.join("passwordless"));
                let mut python = Command::new("/usr/bin/python3");
                python.env("PYTHONPATH", packages).arg(clients().join("passwordless_calls.py"));
                python
            }
        };
        let output = command
            .args([call, &asked.to_string()])
            .env("PASSWORDLESS_SECRET", secret)
            .env("PASSWORDLESS_URL", service.base_url())
            .env("no_proxy", "127.0.0.1,localhost")
            .kill_on_drop(true)
            .output()
            .await
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{self:?} {call}: {told}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// The Node that `./test` uses: its own, where the system's is too old.
fn node() -> PathBuf {
    let own = root().join("target/node/node_modules/node/bin/node");
    if own.exists() { own } else { "node".into() }
}
