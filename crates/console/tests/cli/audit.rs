//! `deskhand audit`, and secrets on standard input.

use serde_json::{Value, json};

use crate::process::{Console, run};

#[tokio::test]
async fn a_console_that_does_not_run_has_its_log_looked_through_and_written_out() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let audit = |more: &[&str]| {
        let words = ["audit", "--no-keyring", "--data", data.to_str().unwrap()];
        [&words[..], more].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let ran = async |more: &[&str]| {
        let words = audit(more);
        run(home.path(), &words.iter().map(String::as_str).collect::<Vec<_>>()).await
    };
    let none = ran(&["verify"]).await;
    assert_eq!((none.status.code(), data.exists()), (Some(1), false), "it makes nothing");
    assert!(String::from_utf8_lossy(&none.stderr).contains("there is none"));

    let mut console = Console::start(home.path(), &[]).await;
    console.new_session("Maria").await;
    let held = ran(&["verify"]).await;
    assert_eq!(held.status.code(), Some(3), "the console has the folder");
    let checked = console.ask(json!({ "do": "verify_audit" })).await;
    console.quit().await;

    let verified = ran(&["verify", "--json"]).await;
    assert!(verified.status.success());
    let check: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(check, checked["check"]);
    assert_eq!((&check["entries"], &check["broken"]), (&json!(1), &Value::Null));

    let exported = ran(&["export"]).await;
    assert!(exported.status.success());
    let text = String::from_utf8(exported.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[1]["action"]), (2, &json!("audit_exported")));
    assert_eq!((&lines[0]["hash"], &lines[1]["prev"]), (&check["head"], &check["head"]));
}

#[tokio::test]
async fn a_secret_that_comes_in_on_a_line_is_kept_and_a_number_for_it_is_not_repeated() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::start(home.path(), &[]).await;
    let key = "k3Y9".repeat(16);
    let set = json!({ "do": "set_secret", "secret": "logintc_key", "value": key });
    let answer = console.ask(set).await;
    assert_eq!(answer["reply"], "services");
    assert!(answer["services"][1]["has_secret"].as_bool().unwrap(), "{answer}");
    assert!(!answer.to_string().contains(&key));
    let number = json!({ "do": "set_secret", "secret": "logintc_key", "value": 424_242_424 });
    let answer = console.ask(number).await;
    assert_eq!(answer["error"]["code"], "bad_input");
    assert!(!answer.to_string().contains("424242424"), "{answer}");
    console.quit().await;
}
