//! Flow control of one viewer's updates: how many bytes may be on their way, and how many one update may have.
//!
//! A link holds as many bytes as its rate times its round trip. What is sent beyond that only waits in a queue, and
//! what changes next waits behind it. Rate and round trip are measured by the viewer's answers to the fences behind
//! the updates, so a viewer whose computer is slower than its link counts as a slow link.
//!
//! Rate samples are taken as BBR takes them (draft-ietf-ccwg-bbr, "Delivery Rate Samples").

use std::{collections::VecDeque, time::Duration};

/// What may wait in the link's queue before another update is begun: it keeps the link busy while that one is made.
const QUEUE: f64 = 0.020;
/// For how long the link may be busy with one update. A change that comes meanwhile waits that long at most.
const TURN: f64 = 0.040;
/// The least bytes of one update, so that slow links aren't filled with headers.
const LEAST_TURN: f64 = 4.0 * 1024.0;
/// The bytes that are sent before anything is known of the link.
const FIRST: usize = 48 * 1024;
/// The bytes of small changes that may go out although there is no room for more.
pub(crate) const URGENT: usize = 4 * 1024;
/// Samples of fewer bytes than this say little of the rate.
const LEAST_SAMPLE: u64 = 6_000;
/// The least window: with less on its way no sample would be large enough to show that the link is faster.
const LEAST_WINDOW: usize = 8 * 1024;
/// No rate above this is told from others, in bytes a second.
const FASTEST: f64 = 250e6;
/// The shortest time that a sample is believed to have taken, in seconds: below this, clocks and threads are measured.
const SHORTEST: f64 = 0.001;
/// How long the highest rate counts.
const RATE_LASTS: Duration = Duration::from_secs(2);
/// How long the shortest round trip counts. Then the queue is let run empty, to measure it again.
const ROUND_TRIP_LASTS: Duration = Duration::from_secs(10);
/// Round trips that differ by no more than this factor and so many seconds are the same.
const SAME: f64 = 1.05;
const SAME_MARGIN: f64 = 0.002;
/// Samples of the rate that are kept.
const MOST_RATES: usize = 64;

/// An update, or a probe of no bytes, that the viewer has not acknowledged yet.
#[derive(Debug)]
struct Sent {
    number: u32,
    bytes: usize,
    at: Duration,
    /// Whether nothing else was on its way when it was sent.
    alone: bool,
    /// Whether more could have been sent after it, so that the link may be faster than it looks.
    limited: bool,
    /// When, and with how many bytes in all, the last acknowledgement had come then.
    delivered: (Duration, u64),
    /// When the update was sent whose acknowledgement had come last then.
    first_sent: Duration,
}

impl Sent {
    /// Whether it was sent to measure the round trip, with nothing before it.
    const fn is_probe(&self) -> bool {
        self.bytes == 0
    }
}

/// What is on its way to one viewer that acknowledges updates, and what its link takes.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    last_number: u32,
    sent: VecDeque<Sent>,
    bytes: usize,
    /// The bytes that were delivered so far, and when the last of them were.
    delivered: (Duration, u64),
    first_sent: Duration,
    /// Highest rates lately, in bytes a second.
    rates: VecDeque<(Duration, f64)>,
    /// The shortest round trip, in seconds, and when it was last measured.
    round_trip: Option<(Duration, f64)>,
    /// The shortest round trip is too old: nothing more is sent until the queue is empty and it was measured again.
    drains: bool,
}

impl Flow {
    /// How many updates and probes aren't acknowledged.
    pub(crate) fn count(&self) -> usize {
        self.sent.len()
    }

    /// Bytes that the queue takes in memory.
    pub(crate) fn memory(&self) -> usize {
        self.sent.capacity() * size_of::<Sent>()
    }

    /// For a viewer that no longer takes fences.
    pub(crate) fn clear(&mut self) {
        *self = Self { last_number: self.last_number, ..Self::default() };
    }

    /// Bytes a second, once they are known.
    fn rate(&self) -> Option<f64> {
        self.rates.iter().map(|(_, rate)| *rate).reduce(f64::max)
    }

    /// The bytes that may be on their way when another update is begun.
    fn window(&self, queue: f64) -> usize {
        match (self.rate(), self.round_trip) {
            (Some(rate), Some((_, round_trip))) => {
                ((rate * (round_trip + queue)) as usize).max(LEAST_WINDOW)
            }
            _ => FIRST,
        }
    }

    /// Whether another update may be begun.
    pub(crate) fn has_room(&self) -> bool {
        self.bytes == 0 || !self.drains && self.bytes < self.window(QUEUE)
    }

    /// Whether a small change may be sent, which nobody should wait for.
    pub(crate) fn has_urgent_room(&self) -> bool {
        self.has_room() || self.bytes < self.window(QUEUE + TURN) + URGENT
    }

    /// Whether the link has nothing else to do.
    pub(crate) fn has_spare_room(&self) -> bool {
        self.bytes == 0 || !self.drains && self.bytes < self.window(0.0) * 7 / 8
    }

    /// The bytes that the next update may have.
    pub(crate) fn budget(&self) -> usize {
        self.rate().map_or(FIRST, |rate| (rate * TURN).max(LEAST_TURN) as usize)
    }

    /// Takes note of an update of so many bytes, or of a probe of none, and returns its number.
    pub(crate) fn sent(&mut self, bytes: usize, now: Duration) -> u32 {
        self.last_number = self.last_number.wrapping_add(1);
        let alone = self.bytes == 0;
        if alone {
            (self.delivered.0, self.first_sent) = (now, now);
        }
        self.bytes += bytes;
        self.drains |= !alone && self.is_stale(now);
        self.sent.push_back(Sent {
            number: self.last_number,
            bytes,
            at: now,
            alone,
            limited: self.has_room(),
            delivered: self.delivered,
            first_sent: self.first_sent,
        });
        self.last_number
    }

    /// Whether the round trip is to be measured before the next update, by a fence of its own: the update's own
    /// bytes would count into it.
    pub(crate) fn wants_probe(&self, now: Duration) -> bool {
        self.bytes == 0 && self.is_stale(now)
    }

    fn is_stale(&self, now: Duration) -> bool {
        self.round_trip.is_none_or(|(at, _)| now > at + ROUND_TRIP_LASTS)
    }

    /// Handles the acknowledgement of all updates up to this one, and returns their numbers, probes' left out.
    pub(crate) fn arrived(&mut self, number: u32, now: Duration) -> Vec<u32> {
        let Some(at) = self.sent.iter().position(|sent| sent.number == number) else {
            return Vec::new();
        };
        let arrived: Vec<_> = self.sent.drain(..=at).collect();
        for sent in &arrived {
            self.bytes -= sent.bytes;
            self.delivered = (now, self.delivered.1 + sent.bytes as u64);
            self.first_sent = sent.at;
        }
        // One answer is one sample: that of the last of them, which was sent shortly before the answer was given.
        if let Some(last) = arrived.last() {
            self.measure_round_trip(last, now);
            self.measure_rate(last, now);
        }
        arrived.iter().filter(|sent| sent.bytes > 0).map(|sent| sent.number).collect()
    }

    fn measure_round_trip(&mut self, sent: &Sent, now: Duration) {
        let took = now.saturating_sub(sent.at).as_secs_f64();
        match &mut self.round_trip {
            Some((_, shortest)) if took > *shortest * SAME + SAME_MARGIN && !sent.is_probe() => {}
            // Links differ a little from one moment to the next: that is no reason to let the queue run empty.
            Some((at, shortest)) if took > *shortest && !sent.is_probe() => *at = now,
            _ => {
                self.round_trip = Some((now, took));
                self.drains = false;
            }
        }
    }

    fn measure_rate(&mut self, sent: &Sent, now: Duration) {
        let Some((_, round_trip)) = self.round_trip else { return };
        let bytes = self.delivered.1 - sent.delivered.1;
        if bytes < LEAST_SAMPLE {
            return;
        }
        let acknowledged = now.saturating_sub(sent.delivered.0).as_secs_f64();
        let sending = sent.at.saturating_sub(sent.first_sent).as_secs_f64();
        let mut took = acknowledged.max(sending);
        if sent.alone {
            // The way there and back carries no bytes. A part of it is kept, because the shortest round trip may
            // have been an exception: a rate that is too high by far would fill the queue for seconds.
            took = (took - round_trip).max(took / 5.0);
        }
        let rate = (bytes as f64 / took.max(SHORTEST)).min(FASTEST);
        if sent.limited && !sent.alone && self.rate().is_some_and(|highest| rate < highest) {
            return;
        }
        self.rates.push_back((now, rate));
        while self.rates.len() > 1
            && (self.rates.len() > MOST_RATES
                || self.rates.front().is_some_and(|(at, _)| now > *at + RATE_LASTS))
        {
            self.rates.pop_front();
        }
    }
}
