//! The regions' race.

use serde::Serialize;
use ts_rs::TS;

/// The regions' race.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct RegionsView {
    /// Each region.
    pub lanes: Vec<LaneView>,
    /// The one chosen; none while it runs or if none answered.
    pub chosen: Option<String>,
    /// Why: "fastest of 2 that finished".
    pub reason: String,
    /// How long it took, in milliseconds; none while it runs.
    pub took_ms: Option<f64>,
    /// When it was.
    pub at: i64,
}

/// One region's part in the race.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct LaneView {
    /// Its name.
    pub region: String,
    /// Round trips in milliseconds.
    pub samples_ms: Vec<f64>,
    /// The shortest; none if none finished.
    pub best_ms: Option<f64>,
    /// "> this, stopped", in milliseconds; none if it wasn't stopped.
    pub over_ms: Option<f64>,
    /// Why it failed; none if it didn't.
    pub failure: Option<String>,
    /// Whether it still runs.
    pub running: bool,
}
