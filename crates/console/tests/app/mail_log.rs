//! What an operator reads of e-mails: that each was handed over, and what became of it. Nothing of whom it went to.

use broker::{Broker, Config, Rates, Smtp, TargetPolicy};
use console::{SettingsSource, view::MailKind};
use mail_tests::{Does, server};
use serde_json::{Value, json};

use crate::{log::Log, rig::Rig};

const NAME: &str = "Zacharias";

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_what_became_of_each_email_and_not_to_whom_or_for_which_pin() {
    let log = Log::start("info");
    let folder = tempfile::tempdir().unwrap();
    // Servers repeat the address in what they say.
    let refuses = Does::Answer("550 5.1.1 <second@customer.example> no such user");
    let (url, _told) = server(&[], vec![Does::Take, refuses]).await;
    let mut config = Config::network(folder.path().join("broker"));
    config.hook_targets = TargetPolicy { loopback: true, private: false }.into();
    config.rates = Rates::embedded().into();
    config.smtp = Some(Smtp { url: url.into(), from: "support@desk.example".into() });
    let broker = Broker::start(config).await.unwrap();
    let Value::Object(flags) = json!({ "base_url": broker.base_url() }) else { panic!() };
    let mut rig = Rig::start_in(folder, SettingsSource::nowhere().with(flags)).await;
    let id = rig.session(NAME).await;
    let pin = rig.seen.pin(&id).await;
    let link = rig.seen.detail(&id, "its link", |d| d.pin.as_ref()?.join_link.clone()).await;
    for (n, (to, state)) in [
        ("first@customer.example", MailKind::HandedOver),
        ("second@customer.example", MailKind::Refused),
    ]
    .into_iter()
    .enumerate()
    {
        let mail =
            json!({ "do": "mail", "session": id, "to": to, "to_customer": true, "when": "now" });
        rig.ask(mail).await;
        let is_so = |d: &console::view::SessionDetail| {
            d.mails.get(n).filter(|mail| mail.state == state).map(drop)
        };
        rig.seen.detail(&id, "what became of it", is_so).await;
    }
    rig.app.stop().await;
    broker.shutdown().await;

    let text = String::from_utf8(log.take()).unwrap();
    for outcome in ["taken", "refused"] {
        let says = |line: &&str| {
            line.contains("INFO") && line.contains("e-mail") && line.contains(outcome)
        };
        assert_eq!(text.lines().filter(says).count(), 1, "{outcome}: {text}");
    }
    let secrets = ["customer.example", "desk.example", NAME, &pin, &link, "no such user"];
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} is in the log: {text}");
    }
}
