//! Times all regions at once and chooses one (quality.md, F5).
//!
//! The pure [`Race`] decides which samples count and which regions drop out; this module drives it
//! with real round trips. Each region has a connection of its own, also where all share one host,
//! so that a slow region delays no other. Nothing outlives the call: dropping its future ends every
//! round trip.

use std::time::Duration;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use jiff::Timestamp;
use reqwest::{Method, Response};
use session::{
    Failure,
    region::{Choice, Lane, LaneEnd, Race},
};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use url::Url;
use wire::Region;

use super::{
    CallError, LoginWithMe, Timeouts,
    error::{Cause, malformed, of_status, timed_out},
    http::{self, builder, within},
};

/// No region could be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("choose a region: {detail}")]
pub struct ProbeFailed {
    /// Every region's part, as far as it came; empty if the regions aren't known.
    pub lanes: Vec<Lane>,
    /// Why, by its remedy: [`Failure::NoRegion`], or why the regions could not be listed.
    pub failure: Failure,
    /// Why, for people.
    pub detail: String,
}

/// Bytes of an answer that are read so that its connection can be used again.
const MOST_DRAINED: usize = 256 << 10;

/// Lists the service's regions, times each `rounds` times on a warm connection, and chooses.
///
/// An answer of a region is a sample, 404 too (documented). One that shows a fault (5xx) or leads to
/// another host isn't: whatever answers so is no region that works, however fast. It ends the
/// region's part, and so does a broken connection. `on_change` sees every region's part at the start and after each change.
/// `current` is kept on a near tie.
///
/// # Errors
/// [`ProbeFailed`] if the regions can't be listed, or none answered within the time for a probe.
pub async fn probe(
    client: &LoginWithMe,
    rounds: usize,
    current: Option<&Region>,
    on_change: impl FnMut(&[Lane]),
) -> Result<Choice, ProbeFailed> {
    let unlisted = |CallError { doing, failure, detail }| ProbeFailed {
        lanes: Vec::new(),
        failure,
        detail: format!("{doing}: {detail}"),
    };
    // Reading this computer's certificates for the probe's own connections takes its time too.
    let (regions, connections) = tokio::join!(client.regions(), connections(client));
    let track = Track { client: connections, timeouts: *client.timeouts() };
    let lanes: Vec<(Region, Option<Url>)> = regions
        .map_err(unlisted)?
        .into_iter()
        .map(|region| {
            let url = client.service().region_url(&region);
            (region, url)
        })
        .collect();
    track.run(lanes, rounds, current, on_change).await
}

/// A pool of its own, empty at the start: a connection left over from an earlier probe would make
/// its region's handshake look short. HTTP/1, for its connections carry one request at a time.
async fn connections(client: &LoginWithMe) -> Option<http::Client> {
    let (service, timeouts) = (client.service().clone(), *client.timeouts());
    let build = move || {
        let sample = service.region_url(&"region-1".parse().ok()?)?;
        builder(&service.user_agent, &sample, &timeouts).http1_only().build().ok()
    };
    client.http().with_own_connections(build).await
}

struct Track {
    client: Option<http::Client>,
    timeouts: Timeouts,
}

/// The result of a round trip: the lane's place, then its duration and answer; none if the lane
/// dropped out.
type Arrival = (usize, Option<Result<(Duration, Response), Cause>>);

impl Track {
    async fn run(
        &self,
        lanes: Vec<(Region, Option<Url>)>,
        rounds: usize,
        current: Option<&Region>,
        mut on_change: impl FnMut(&[Lane]),
    ) -> Result<Choice, ProbeFailed> {
        let (regions, urls): (Vec<_>, Vec<_>) = lanes.into_iter().unzip();
        let mut race = Race::new(regions, rounds);
        let stops: Vec<Stop> = urls.iter().map(|_| Stop::default()).collect();
        let mut shown = race.lanes().to_vec();
        on_change(&shown);

        let start = Instant::now();
        let over = start + self.timeouts.probe;
        let mut running: FuturesUnordered<_> =
            (0..urls.len()).map(|place| self.lap(place, &urls, &stops, None)).collect();
        while !race.is_over() {
            let cut = race.next_cut().map_or(over, |cut| over.min(start + cut));
            tokio::select! {
                // An answer that has arrived counts, however late it is polled.
                biased;
                Some((place, arrival)) = running.next() => {
                    let again = match arrival {
                        Some(Ok((took, answer))) => {
                            race.answered(place, took, start.elapsed()).then_some(answer)
                        }
                        Some(Err((failure, _))) => {
                            race.failed(place, failure);
                            None
                        }
                        // Its region had dropped out.
                        None => None,
                    };
                    running.extend(again.map(|answer| self.lap(place, &urls, &stops, Some(answer))));
                }
                () = sleep_until(cut) => race.cut(start.elapsed()),
            }
            if Instant::now() >= over {
                (0..urls.len()).for_each(|place| race.failed(place, timed_out().0));
            }
            if race.lanes() != shown {
                shown = race.lanes().to_vec();
                stop_those_out(&shown, &stops);
                on_change(&shown);
            }
        }
        race.choose(current, start.elapsed()).ok_or_else(|| ProbeFailed {
            lanes: shown,
            failure: Failure::NoRegion,
            detail: "no region answered".to_owned(),
        })
    }

    /// One round trip of a lane, ended when the lane drops out.
    async fn lap(
        &self,
        place: usize,
        urls: &[Option<Url>],
        stops: &[Stop],
        former: Option<Response>,
    ) -> Arrival {
        let Some(stop) = stops.get(place) else { return (place, None) };
        let url = urls.get(place).and_then(Option::as_ref);
        (place, stop.0.run_until_cancelled(self.round_trip(url, former)).await)
    }

    async fn round_trip(
        &self,
        url: Option<&Url>,
        former: Option<Response>,
    ) -> Result<(Duration, Response), Cause> {
        let (Some(client), Some(url)) = (&self.client, url) else {
            return Err(malformed("the region has no address"));
        };
        within(self.timeouts.round_trip, async {
            if let Some(former) = former {
                drain(former).await;
            }
            let sent = Instant::now();
            let answer = client.send(client.request(Method::GET, url.clone())).await?;
            let took = sent.elapsed();
            counts(url, &answer)?;
            Ok((took, answer))
        })
        .await
    }
}

/// Whether an answer comes from a region that works.
fn counts(url: &Url, answer: &Response) -> Result<(), Cause> {
    if answer.status().is_server_error() {
        Err(of_status(answer, Timestamp::now()))
    } else if http::leads_elsewhere(url, answer) {
        Err(malformed("the region leads to another host"))
    } else {
        Ok(())
    }
}

/// Ends a lane's round trip, at the latest when the probe is over.
#[derive(Default)]
struct Stop(CancellationToken);

fn stop_those_out(lanes: &[Lane], stops: &[Stop]) {
    for (lane, stop) in lanes.iter().zip(stops) {
        match lane.end {
            LaneEnd::Running => {}
            LaneEnd::Finished | LaneEnd::Stopped { .. } | LaneEnd::Failed { .. } => stop.0.cancel(),
        }
    }
}

/// Reads the rest of the answer, since only then is the connection free for the next round.
async fn drain(mut answer: Response) {
    let mut drained = 0;
    while let Ok(Some(piece)) = answer.chunk().await {
        drained += piece.len();
        if drained > MOST_DRAINED {
            return;
        }
    }
}
