//! What is there again after an end, in good order or not; and who may have the folder.

use std::path::Path;

use port_tests::KeptPort;
use serde_json::{Value, json};
use uuid::Uuid;
use wire::Side;

use crate::process::{Console, armed, pin_of, run};

#[tokio::test]
async fn killed_in_the_middle_of_two_live_sessions_it_has_both_again() {
    let home = tempfile::tempdir().unwrap();
    let broker = broker::Broker::start(broker::Config::embedded(home.path().join("broker"))).await;
    let broker = broker.unwrap();
    let base_url = broker.base_url();
    let words = ["--base-url", base_url.as_str()];
    let mut console = Console::start(home.path(), &words).await;
    let mut sessions = Vec::new();
    for customer in ["Maria Lopez", "Ben Okafor"] {
        let (session, detail) = console.new_session(customer).await;
        let page = Uuid::new_v4();
        let (pin, handle) = (pin_of(&detail), broker.handle());
        handle.page_arrives(&pin, Side::Presenter, page, customer).await.unwrap();
        console.state(&session, "ready").await;
        sessions.push((session, detail["pin"]["join_link"].clone()));
    }
    console.signal("KILL");
    assert_eq!(console.ended().await, None);

    let mut console = Console::start(home.path(), &words).await;
    for (session, link) in &sessions {
        console.ask(json!({ "do": "show", "session": session })).await;
        // The broker is asked for its links anew, beside its hooks.
        let back = |detail: &Value| {
            let known = detail["presenter"]["is"] != "unknown";
            armed(detail) && known && detail["pin"]["join_link"] == *link
        };
        let detail = console.detail(session, "re-armed, with the same link", back).await;
        // The broker tells what is so: nobody has to wait for the next webhook.
        assert_eq!(detail["presenter"]["is"], "online", "{}", detail["presenter"]);
        assert!(detail["presenter"]["since"].is_number());
        let page = Uuid::new_v4();
        let again = broker.handle();
        again.page_arrives(&pin_of(&detail), Side::Presenter, page, "again").await.unwrap();
        let back = |detail: &Value| detail["presenter"]["is"] == "online";
        let detail = console.detail(session, "online again", back).await;
        assert_eq!(detail["viewers"]["is"], "never");
        assert_eq!(detail["row"]["state"]["kind"], "ready");
    }
    console.quit().await;
    broker.shutdown().await;
}

#[tokio::test]
async fn with_its_own_broker_links_are_the_same_after_a_kill() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::start(home.path(), &[]).await;
    let (session, before) = console.new_session("Maria Lopez").await;
    console.signal("KILL");
    assert_eq!(console.ended().await, None);
    let _port = KeptPort::given_back_by(before["pin"]["join_link"].as_str().unwrap());
    let mut console = Console::start(home.path(), &[]).await;
    console.ask(json!({ "do": "show", "session": session })).await;
    let after = console.detail(&session, "re-armed", armed).await;
    assert_eq!(after["pin"], before["pin"]);
    console.quit().await;
}

#[tokio::test]
async fn a_script_resumes_after_the_last_happening_that_it_saw() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::start(home.path(), &[]).await;
    let (session, _) = console.new_session("Maria Lopez").await;
    let seen = console.happening(&session, "created").await["seq"].as_u64().unwrap();
    let ready = console.happening(&session, "pin_ready").await;
    console.quit().await;

    let from = seen.to_string();
    let mut console = Console::start(home.path(), &["--from-seq", &from]).await;
    let first = console.until("a happening", |line| line["push"] == "happening").await;
    assert_eq!(first["seq"], ready["seq"]);
    assert_eq!(first["event"], "pin_ready");
    console.quit().await;
}

#[tokio::test]
async fn a_script_that_has_read_further_than_this_folder_goes_is_told_so() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::start(home.path(), &[]).await;
    console.new_session("Maria Lopez").await;
    console.quit().await;
    let output = second(home.path(), &["--from-seq", "99"]).await;
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("the newest happening of this data folder has the number"), "{error}");
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn whoever_reads_slowly_misses_nothing_that_happened() {
    const SESSIONS: usize = 40;
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::start(home.path(), &[]).await;
    let commands = "{\"do\":\"new_session\"}\n".repeat(SESSIONS);
    console.write(commands.as_bytes()).await;
    let mut created = 0;
    console
        .until("every session's begin", |line| {
            created += usize::from(line["event"] == "created");
            created == SESSIONS
        })
        .await;
    let seqs: Vec<u64> = console.said().iter().filter_map(|line| line["seq"].as_u64()).collect();
    assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]), "{seqs:?}");
    console.quit().await;
}

#[tokio::test]
async fn a_second_console_on_the_same_folder_is_refused_naming_the_first() {
    let home = tempfile::tempdir().unwrap();
    let mut first = Console::start(home.path(), &[]).await;
    let output = second(home.path(), &[]).await;
    assert_eq!(output.status.code(), Some(3));
    let error = String::from_utf8(output.stderr).unwrap();
    let named = format!("deskhand headless (process {})", first.pid());
    assert!(error.contains(&named), "{error}");
    assert!(output.stdout.is_empty());
    let answer = first.ask(json!({ "do": "settings" })).await;
    assert_eq!(answer["reply"], "settings", "the first one goes on");
    first.quit().await;
}

async fn second(home: &Path, more: &[&str]) -> std::process::Output {
    let data = home.join("data");
    let words = ["headless", "--no-keyring", "--data", data.to_str().unwrap()];
    run(home, &[&words, more].concat()).await
}
