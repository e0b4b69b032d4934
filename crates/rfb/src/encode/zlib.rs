//! A zlib stream that lasts as long as the connection.

use flate2::{Compress, Compression, FlushCompress};

/// One stream of compressed data. Each piece is flushed, so that the viewer can read it at once.
#[derive(Debug)]
pub(crate) struct ZlibStream {
    zlib: Compress,
    /// The stream was restarted, and the viewer doesn't know it yet.
    restarted: bool,
}

impl ZlibStream {
    pub(crate) fn new(level: u32) -> Self {
        Self { zlib: Compress::new(Compression::new(level), true), restarted: false }
    }

    /// Restarts at another level, for an encoding that can have the viewer reset its stream.
    pub(crate) fn restart(&mut self, level: u32) {
        *self = Self { restarted: true, ..Self::new(level) };
    }

    /// Whether the stream was restarted since the last call.
    pub(crate) fn take_restarted(&mut self) -> bool {
        std::mem::take(&mut self.restarted)
    }

    /// Compresses `data` and appends the result to `to`.
    pub(crate) fn deflate(&mut self, data: &[u8], to: &mut Vec<u8>) {
        let (start, mut taken) = (self.zlib.total_in(), 0);
        to.reserve(data.len() + data.len() / 8 + 256);
        loop {
            let status = self.zlib.compress_vec(&data[taken..], to, FlushCompress::Sync);
            taken = (self.zlib.total_in() - start) as usize;
            // zlib's flush is complete only when it left room in the output; otherwise more is waiting.
            let is_done = taken == data.len() && to.len() < to.capacity();
            if is_done || status.is_err() {
                return;
            }
            to.reserve(4096);
        }
    }
}
