//! `deskhand regions`: times every region, and reports which it would choose and why.
//!
//! It stores nothing: if no service is configured, a broker in a temporary folder stands in.

use std::fmt::Write as _;

use broker::{Broker, Config, Running};
use clap::Args;
use engine::{
    clock::now,
    remote::{LoginWithMe, LoginWithMeConfig, ProbeFailed, ServiceError, probe},
};
use session::region::{Choice, LaneEnd};
use tempfile::TempDir;

use super::{End, Failed, Global};
use crate::{
    present::{region_race::over, remedy, trouble},
    view::{LaneView, RegionsView},
};

/// The flags of `deskhand regions`.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Probes the regions and prints the result.
pub(super) async fn run(global: &Global, flags: &Flags) -> Result<End, Failed> {
    let settings = global.settings()?;
    let (own, service) = match settings.service() {
        Some(service) => (None, service),
        None => {
            let (running, folder) = own_broker().await?;
            let service = (running.base_url(), running.region_url_template());
            (Some((running, folder)), service)
        }
    };
    let result = race(&service, settings.probe_rounds).await;
    // The broker must not outlive its folder, so it stops before a failure is returned.
    if let Some((running, folder)) = own {
        running.shutdown().await;
        drop(folder);
    }
    let view = over(now(), &result?);
    if flags.json {
        let text = serde_json::to_string(&view).map_err(|error| Failed::internal(&error))?;
        println!("{text}");
    } else {
        print!("Regions of {}\n\n{}", service.0, table(&view));
    }
    Ok(End::Done)
}

async fn own_broker() -> Result<(Running, TempDir), Failed> {
    let folder = super::temporary_folder()?;
    let running = Broker::start(Config::embedded(folder.path()))
        .await
        .map_err(|error| Failed::general(error.to_string(), ""))?;
    Ok((running, folder))
}

async fn race(service: &(String, String), rounds: u32) -> Result<Choice, Failed> {
    let wrong = |error: ServiceError| {
        Failed::usage(trouble::sentence(&error.to_string()) + " " + remedy::of_service(error).1)
    };
    let service = LoginWithMeConfig::parse(&service.0, &service.1).map_err(wrong)?;
    let client = LoginWithMe::new(service).map_err(wrong)?;
    let rounds = usize::try_from(rounds).unwrap_or(1);
    probe(&client, rounds, None, |_| {}).await.map_err(|failed| {
        Failed::general(why_none(&failed), "Check the address and the network, then try again.")
    })
}

fn why_none(failed: &ProbeFailed) -> String {
    let mut text = failed.to_string();
    for lane in &failed.lanes {
        if let LaneEnd::Failed { failure } = &lane.end {
            let _ = write!(text, "\n  {}: {}", lane.region, failure.reason());
        }
    }
    text
}

/// The fastest regions first, then the stopped ones, then the failed ones.
fn table(view: &RegionsView) -> String {
    let mut lanes: Vec<&LaneView> = view.lanes.iter().collect();
    lanes.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
    let wide = lanes.iter().map(|lane| lane.region.len()).max().unwrap_or(0).max(6);
    let mut text = format!("  {:wide$}  {:<20}  Samples\n", "Region", "Best");
    for lane in lanes {
        let mark = if view.chosen.as_deref() == Some(&lane.region) { '*' } else { ' ' };
        let samples: Vec<_> = lane.samples_ms.iter().map(|ms| format!("{ms:.1}")).collect();
        let line =
            format!("{mark} {:wide$}  {:<20}  {}", lane.region, best(lane), samples.join("  "));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if let (Some(chosen), Some(took)) = (&view.chosen, view.took_ms) {
        let _ = writeln!(text, "\nChosen: {chosen} ({}). It took {took:.0} ms.", view.reason);
    }
    text
}

fn key(lane: &LaneView) -> (u8, f64) {
    match (&lane.failure, lane.over_ms) {
        (Some(_), _) => (2, 0.0),
        (None, Some(over)) => (1, lane.best_ms.unwrap_or(over)),
        (None, None) => (0, lane.best_ms.unwrap_or(f64::MAX)),
    }
}

fn best(lane: &LaneView) -> String {
    match (&lane.failure, lane.over_ms, lane.best_ms) {
        (Some(failure), _, _) => failure.clone(),
        (None, Some(over), _) => format!("> {over:.0} ms, stopped"),
        (None, None, Some(best)) => format!("{best:.1} ms"),
        (None, None, None) => "no answer".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use session::region::{Lane, LaneEnd, Reason};

    use super::{Choice, now, over, table};

    fn lane(region: &str, samples_us: &[u64], end: LaneEnd) -> Lane {
        Lane { region: region.parse().unwrap(), samples_us: samples_us.to_vec(), end }
    }

    #[test]
    fn the_table_puts_the_fastest_first_and_shows_no_number_for_what_was_stopped() {
        let lanes = vec![
            lane("ap-southeast-2", &[], LaneEnd::Stopped { over_us: 39_000 }),
            lane("ca-central-1", &[31_200, 31_000, 32_000], LaneEnd::Finished),
            lane("us-west-2", &[], LaneEnd::Failed { failure: session::Failure::Unreachable }),
            lane("us-east-1", &[24_500, 24_100, 24_300], LaneEnd::Finished),
        ];
        let region = "us-east-1".parse().unwrap();
        let choice = Choice { region, reason: Reason::Fastest, lanes, took_us: 129_400 };
        let failed = session::Failure::Unreachable.reason();
        let expected = format!(
            "  Region          Best                  Samples
* us-east-1       24.1 ms               24.5  24.1  24.3
  ca-central-1    31.0 ms               31.2  31.0  32.0
  ap-southeast-2  > 39 ms, stopped
  us-west-2       {failed}

Chosen: us-east-1 (fastest of 2 that finished). It took 129 ms.
"
        );
        assert_eq!(table(&over(now(), &choice)), expected);
    }
}
