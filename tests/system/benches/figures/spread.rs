//! Statistics of many measurements, and repeatable random numbers.

use std::time::Duration;

/// The middle and the end of a distribution.
pub struct Spread {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub most: f64,
}

impl Spread {
    pub fn from_samples(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1).unwrap();
        let at = |share: usize| values[(values.len() * share / 100).min(last)];
        Self { p50: at(50), p90: at(90), p99: at(99), most: values[last] }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>9.1} {:>9.1} {:>9.1}", self.p50, self.p90, self.p99)
    }
}

pub fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6
}

pub fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

/// SplitMix64: random numbers that are the same in every run.
pub struct SplitMix64(pub u64);

impl SplitMix64 {
    /// From 0 to 1.
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        f64::from((mixed >> 32) as u32) / f64::from(u32::MAX)
    }
}
