//! JPEG as a kind of compression within Tight.

use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress};

use crate::format::Colour;

/// The JPEG quality level that the viewer asks for: 0 to 9 (rfbproto, "JPEG Quality Level").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Quality(pub(crate) u8);

/// libjpeg's quality for each level, the same as in TigerVNC and TurboVNC.
const SCALE: [u8; 10] = [15, 29, 41, 42, 62, 77, 79, 86, 92, 100];

/// Encodes a block as JPEG; `bytes` is a buffer to work in. `None` if libjpeg refuses.
pub(crate) fn encode(
    block: &[Colour],
    width: u16,
    quality: Quality,
    bytes: &mut Vec<u8>,
) -> Option<Vec<u8>> {
    let level = usize::from(quality.0.min(9));
    bytes.clear();
    bytes.extend(block.iter().flat_map(|colour| colour.to_le_bytes()));
    let sampling = if level < 8 { Subsampling::S420 } else { Subsampling::S444 };
    let width = usize::from(width);
    compress(bytes, width, block.len() / width, PixelFormat::Bgrx, SCALE[level], sampling).ok()
}
