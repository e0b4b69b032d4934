//! Fences (rfbproto, "ServerFence"), by which the server learns which updates the viewer has processed.

const FENCE: u8 = 248;
/// All messages before the fence are to be processed before it is answered.
const BLOCK_BEFORE: u32 = 1;
/// The flags that this server understands: block before, block after, synchronise next.
const KNOWN_FLAGS: u32 = 0b111;
/// Set in a fence that asks for an answer, and cleared in the answer.
const REQUEST: u32 = 1 << 31;

/// The bytes of a fence behind an update.
pub(crate) const LENGTH: usize = 13;

/// Writes a fence whose answer says that all messages before it were processed.
pub(crate) fn write_request(number: u32, to: &mut Vec<u8>) {
    write(REQUEST | BLOCK_BEFORE, &number.to_be_bytes(), to);
}

/// Handles a fence from the viewer: its own are answered. The number of ours that this one answers.
pub(crate) fn receive(flags: u32, payload: &[u8], to: &mut Vec<u8>) -> Option<u32> {
    if flags & REQUEST != 0 {
        // The protocol wants unknown flags cleared in the answer.
        write(flags & KNOWN_FLAGS, payload, to);
        return None;
    }
    payload.try_into().ok().map(u32::from_be_bytes)
}

fn write(flags: u32, payload: &[u8], to: &mut Vec<u8>) {
    to.extend([FENCE, 0, 0, 0]);
    to.extend(flags.to_be_bytes());
    to.push(payload.len() as u8);
    to.extend(payload);
}
