//! Fences (rfbproto, "ServerFence"), by which the server learns which updates the viewer has processed.

use std::collections::VecDeque;

use crate::Event;

const FENCE: u8 = 248;
/// All messages before the fence are to be processed before it is answered.
const BLOCK_BEFORE: u32 = 1;
/// The flags that this server understands: block before, block after, synchronise next.
const KNOWN_FLAGS: u32 = 0b111;
/// Set in a fence that asks for an answer, and cleared in the answer.
const REQUEST: u32 = 1 << 31;

/// The updates that were sent behind a fence and haven't been answered yet.
#[derive(Debug, Default)]
pub(crate) struct UpdatesInFlight {
    last_number: u32,
    unanswered: VecDeque<u32>,
}

impl UpdatesInFlight {
    pub(crate) fn count(&self) -> usize {
        self.unanswered.len()
    }

    /// Bytes that the queue takes in memory.
    pub(crate) fn memory(&self) -> usize {
        self.unanswered.capacity() * size_of::<u32>()
    }

    /// For a viewer that no longer takes fences.
    pub(crate) fn clear(&mut self) {
        self.unanswered.clear();
    }

    /// Puts a fence behind the update that was just written, and returns the update's number.
    pub(crate) fn fence_update(&mut self, to: &mut Vec<u8>) -> u32 {
        self.last_number = self.last_number.wrapping_add(1);
        self.unanswered.push_back(self.last_number);
        write(REQUEST | BLOCK_BEFORE, &self.last_number.to_be_bytes(), to);
        self.last_number
    }

    /// Handles a fence from the viewer: its own are answered, and an answer to one of ours acknowledges
    /// all updates up to that one, since fences stay in order.
    pub(crate) fn receive(
        &mut self,
        flags: u32,
        payload: &[u8],
        to: &mut Vec<u8>,
        events: &mut Vec<Event>,
    ) {
        if flags & REQUEST != 0 {
            // The protocol wants unknown flags cleared in the answer.
            return write(flags & KNOWN_FLAGS, payload, to);
        }
        let Ok(number) = payload.try_into().map(u32::from_be_bytes) else { return };
        if let Some(at) = self.unanswered.iter().position(|sent| *sent == number) {
            events.extend(self.unanswered.drain(..=at).map(Event::Arrived));
        }
    }
}

fn write(flags: u32, payload: &[u8], to: &mut Vec<u8>) {
    to.extend([FENCE, 0, 0, 0]);
    to.extend(flags.to_be_bytes());
    to.push(payload.len() as u8);
    to.extend(payload);
}
