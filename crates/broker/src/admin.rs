//! `deskhand-broker admin`: what an operator sees of a running broker, by its control API.

use std::{net::SocketAddr, path::Path, process::ExitCode, time::Duration};

use broker::cli::{Admin, AdminAct, Args, control_of};
use reqwest::Method;
use serde_json::Value;

use crate::WRONG_SETTINGS;

/// How long the broker may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Does it, and prints what the broker answered.
pub fn run(args: Args, admin: &Admin) -> ExitCode {
    let (addr, token_file) = match control_of(args) {
        Ok(found) => found,
        Err(error) => {
            eprintln!("deskhand-broker: {error}");
            return ExitCode::from(WRONG_SETTINGS);
        }
    };
    match ask(addr, &token_file, &admin.act) {
        Ok(answer) if admin.json => println!("{answer:#}"),
        Ok(answer) => print!("{}", text(&admin.act, &answer)),
        Err(why) => {
            eprintln!("deskhand-broker: {why}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn ask(addr: SocketAddr, token_file: &Path, act: &AdminAct) -> Result<Value, String> {
    let token = std::fs::read_to_string(token_file).map_err(|error| {
        let file = token_file.display();
        let remedy = match error.kind() {
            std::io::ErrorKind::NotFound => {
                "is the broker running, with its control API on, and are these its settings?"
            }
            _ => "run this as the broker's user or as root",
        };
        format!("read the control API's token from {file}: {error}; {remedy}")
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("start: {error}"))?;
    runtime.block_on(call(addr, token.trim(), act))
}

async fn call(addr: SocketAddr, token: &str, act: &AdminAct) -> Result<Value, String> {
    let failed = |error: reqwest::Error| {
        let why = cause(&error);
        format!(
            "ask the broker's control API at {addr}: {why}; is the broker running, and was it started with its \
             control API on? A reload doesn't turn that on: restart it"
        )
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    // No proxy: the token is for this broker alone.
    let client = reqwest::Client::builder().no_proxy().timeout(ANSWERS_WITHIN).build();
    let (method, path) = request(act);
    let url = format!("http://{addr}/control/{path}");
    let sent = client.map_err(failed)?.request(method, url).bearer_auth(token).send().await;
    let answer = sent.map_err(failed)?;
    if answer.status() == reqwest::StatusCode::UNAUTHORIZED {
        return Err(format!(
            "ask the broker's control API at {addr}: it doesn't take the token; each start makes a new one, so \
             --config or --control-token-file may name another broker's"
        ));
    }
    let status = answer.status();
    let body = answer.text().await.map_err(failed)?;
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    match body["error"].as_str() {
        None if status.is_success() => Ok(body),
        Some(error) => Err(plain(error)),
        None => Err(format!("ask the broker's control API at {addr}: it answered {status}")),
    }
}

fn request(act: &AdminAct) -> (Method, String) {
    match act {
        AdminAct::Sessions => (Method::GET, "sessions".to_owned()),
        AdminAct::Outbox => (Method::GET, "outbox".to_owned()),
        AdminAct::Blocks => (Method::GET, "blocks".to_owned()),
        // An address or a network, as the command line has checked: nothing in it has a meaning in a URL.
        AdminAct::Lift { owner } => (Method::DELETE, format!("blocks/{owner}")),
    }
}

/// What an error stems from; its own words only repeat the address.
fn cause(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

fn text(act: &AdminAct, answer: &Value) -> String {
    match act {
        AdminAct::Sessions => table(
            &["ID", "REGION", "MINTED", "EXPIRES", "PROGRAM", "PAGES", "VIEWERS", "STREAMS"],
            &answer["sessions"],
            |one| {
                let [minted, expires] = ["minted_s", "expires_s"].map(|field| time(&one[field]));
                let program = if one["program"] == true { "yes" } else { "no" };
                let rest = ["customer_pages", "viewers", "streams"].map(|field| cell(&one[field]));
                let [pages, viewers, streams] = rest;
                let (id, region) = (cell(&one["id"]), cell(&one["region"]));
                vec![id, region, minted, expires, program.to_owned(), pages, viewers, streams]
            },
        ),
        AdminAct::Outbox => table(&["AT", "STATE", "TO", "REASON"], &answer["outbox"], |one| {
            vec![time(&one["at_s"]), cell(&one["state"]), cell(&one["to"]), cell(&one["reason"])]
        }),
        AdminAct::Blocks => table(&["ADDRESS", "SINCE"], &answer["blocks"], |one| {
            vec![cell(&one["owner"]), time(&one["since_s"])]
        }),
        AdminAct::Lift { .. } => "The block is lifted.\n".to_owned(),
    }
}

/// Rows under their heads, each column as wide as its widest cell.
fn table(heads: &[&str], rows: &Value, row: impl Fn(&Value) -> Vec<String>) -> String {
    let heads = heads.iter().map(|&head| head.to_owned()).collect();
    let rows = rows.as_array().into_iter().flatten().map(row);
    let lines: Vec<Vec<String>> = std::iter::once(heads).chain(rows).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..lines[0].len()).map(|column| width(column).unwrap_or(0)).collect();
    let padded = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    lines.iter().map(padded).collect()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => plain(text),
        other => other.to_string(),
    }
}

/// A moment in UTC, as ISO 8601 has it.
fn time(seconds: &Value) -> String {
    let moment = seconds.as_i64().and_then(|at| jiff::Timestamp::from_second(at).ok());
    moment.map_or_else(|| "-".to_owned(), |at| at.to_string())
}

/// Without what would move a terminal's cursor: a mail server's words are among it.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use broker::cli::Command;
    use clap::Parser as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_listing_is_a_table_without_what_moves_the_cursor() {
        let answer = json!({ "outbox": [
            { "at_s": 0, "state": "failed", "to": "a@b.example", "reason": "no\u{1b}[2Jbody\nhere" },
            { "at_s": 86_400, "state": "sent", "to": "c@d.example", "reason": null },
        ]});
        assert_eq!(
            text(&AdminAct::Outbox, &answer),
            "AT                    STATE   TO           REASON\n\
             1970-01-01T00:00:00Z  failed  a@b.example  no [2Jbody here\n\
             1970-01-02T00:00:00Z  sent    c@d.example  -\n"
        );
        assert_eq!(text(&AdminAct::Blocks, &json!({ "blocks": [] })), "ADDRESS  SINCE\n");
    }

    #[test]
    fn what_is_lifted_is_an_address_and_leads_to_no_other_call() {
        let parsed = |owner| Args::try_parse_from(["deskhand-broker", "admin", "lift", owner]);
        for good in ["192.0.2.7", "2001:db8:1::/48"] {
            let Some(Command::Admin(admin)) = parsed(good).unwrap().command else {
                panic!("admin")
            };
            assert_eq!(request(&admin.act).1, format!("blocks/{good}"));
        }
        for bad in ["192.0.2.7?x", "192.0.2.7/../../outbox", "somebody", "", "10.0.0.1%2f"] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }
}
