//! A zlib stream that lasts as long as the connection.

use flate2::{Compress, Compression, FlushCompress};

/// One stream. Each piece is flushed, so that the viewer can read it at once.
#[derive(Debug)]
pub(crate) struct Stream {
    zlib: Compress,
    /// The viewer has to be told that the stream starts anew.
    fresh: bool,
}

impl Stream {
    pub(crate) fn new(level: u32) -> Self {
        Self { zlib: Compress::new(Compression::new(level), true), fresh: false }
    }

    /// Starts anew at another level, where the encoding can say so.
    pub(crate) fn restart(&mut self, level: u32) {
        *self = Self { fresh: true, ..Self::new(level) };
    }

    /// Whether it has started anew since this was asked last.
    pub(crate) fn take_fresh(&mut self) -> bool {
        std::mem::take(&mut self.fresh)
    }

    /// Adds the compressed data.
    pub(crate) fn deflate(&mut self, data: &[u8], to: &mut Vec<u8>) {
        let (start, mut taken) = (self.zlib.total_in(), 0);
        to.reserve(data.len() + data.len() / 8 + 256);
        loop {
            let status = self.zlib.compress_vec(&data[taken..], to, FlushCompress::Sync);
            taken = (self.zlib.total_in() - start) as usize;
            // Room that is left over means that all was written.
            let is_done = taken == data.len() && to.len() < to.capacity();
            if is_done || status.is_err() {
                return;
            }
            to.reserve(4096);
        }
    }
}
