//! `deskhand doctor`: checks everything that Deskhand needs on this computer, one line each.
//!
//! It changes nothing that a start would not change, and its broker and engine use a temporary
//! folder. A warning concerns something that the main job, a session from PIN to transcript,
//! can do without.

mod data;
mod desktop;
mod salvage;
mod service;

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use serde::Serialize;

use super::{End, Failed, Global};

/// The flags of `deskhand doctor`.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// Print one JSON object instead of a line for each
    #[arg(long)]
    json: bool,
    /// Instead, write what can be read of the databases to a new data folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "json")]
    salvage: Option<PathBuf>,
}

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Found {
    /// Nothing is wrong.
    Ok,
    /// The main job works without it.
    Warning,
    /// The main job doesn't work.
    Failed,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    check: &'static str,
    found: Found,
    text: String,
    /// What to do; empty if nothing has to be done.
    remedy: String,
}

impl Check {
    fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, found: Found::Ok, text: text.into(), remedy: String::new() }
    }

    fn warning(check: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, found: Found::Warning, text: text.into(), remedy: remedy.into() }
    }

    fn failed(check: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, found: Found::Failed, text: text.into(), remedy: remedy.into() }
    }
}

/// The outcome of all checks.
#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    checks: Vec<Check>,
}

/// Runs all checks and prints the report.
pub(super) async fn run(global: &Global, flags: &Flags) -> Result<End, Failed> {
    if let Some(to) = &flags.salvage {
        return salvage::run(global, to).await;
    }
    let settings = global.settings()?;
    let mut checks = vec![desktop::display()];
    checks.extend(desktop::bus().await);
    checks.push(desktop::keyring(global.no_keyring).await);
    checks.extend(data::look(global).await?);
    checks.push(service::listener(settings.listen));
    checks.extend(service::both_ways(&settings).await?);
    let ok = checks.iter().all(|check| check.found != Found::Failed);
    let report = Report { ok, checks };
    if flags.json {
        let text = serde_json::to_string(&report).map_err(|error| Failed::internal(&error))?;
        println!("{text}");
    } else {
        print!("{}", lines(&report));
    }
    Ok(if ok { End::Done } else { End::NotGood })
}

fn lines(report: &Report) -> String {
    let mut text = String::new();
    for Check { check, found, text: what, remedy } in &report.checks {
        let mark = match found {
            Found::Ok => "ok",
            Found::Warning => "warning",
            Found::Failed => "failed",
        };
        let _ = writeln!(text, "{mark:8} {check:14} {what}");
        if !remedy.is_empty() {
            let _ = writeln!(text, "{:24}{remedy}", "");
        }
    }
    let warned = report.checks.iter().any(|check| check.found == Found::Warning);
    text += match (report.ok, warned) {
        (true, false) => "\nEverything is as it should be.\n",
        (true, true) => {
            "\nA session from PIN to transcript works here; see the warnings for the rest.\n"
        }
        (false, _) => "\nA session can't work here until what failed is mended.\n",
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_has_a_line_and_its_remedy_below() {
        let checks = vec![
            Check::ok("listener", "127.0.0.1 can be listened on"),
            Check::warning("display", "there is none", "Use a desktop."),
        ];
        assert_eq!(
            lines(&Report { ok: true, checks }),
            "ok       listener       127.0.0.1 can be listened on\n\
             warning  display        there is none\n                        Use a desktop.\n\n\
             A session from PIN to transcript works here; see the warnings for the rest.\n"
        );
    }

    #[test]
    fn one_failure_decides_the_last_line() {
        let checks = vec![Check::failed("data folder", "it is read-only", "Choose another.")];
        let text = lines(&Report { ok: false, checks });
        assert!(
            text.ends_with("A session can't work here until what failed is mended.\n"),
            "{text}"
        );
    }
}
