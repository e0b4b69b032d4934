//! The pointer's shape, as a pseudo-encoded rectangle of the kind that the viewer takes.

use crate::{
    Cursor, Rect,
    client_encodings::CursorEncoding,
    encode::write_rect_header,
    format::{Format, PixelLayout, colours},
};

/// The opacity from which on a pixel is visible, for viewers that know no transparency.
const OPAQUE: u8 = 128;

/// Writes the rectangle with the shape.
pub(crate) fn write(cursor: &Cursor, encoding: CursorEncoding, format: Format, to: &mut Vec<u8>) {
    // A shape that lacks pixels would shift everything behind it in the stream, so it is sent as an empty one.
    let whole = usize::from(cursor.width) * usize::from(cursor.height) * 4;
    let none = Cursor::default();
    let (cursor, pixels) = match cursor.pixels.get(..whole) {
        Some(pixels) if whole > 0 => (cursor, pixels),
        _ => (&none, &[][..]),
    };
    let place = Rect::new(cursor.hot_x, cursor.hot_y, cursor.width, cursor.height);
    let rgba = pixels.as_chunks::<4>().0.iter().map(|[b, g, r, a]| [*r, *g, *b, *a]);
    match encoding {
        CursorEncoding::Alpha => {
            write_rect_header(place, -314, to);
            // The encoding of the pixels inside: Raw.
            to.extend(0_i32.to_be_bytes());
            let premultiplied = |[r, g, b, a]: [u8; 4]| {
                let part = |c: u8| ((u16::from(c) * u16::from(a) + 127) / 255) as u8;
                [part(r), part(g), part(b), a]
            };
            to.extend(rgba.flat_map(premultiplied));
        }
        CursorEncoding::Vmware => {
            write_rect_header(place, 0x574d_5664, to);
            // The cursor's type: with an alpha channel.
            to.extend([1, 0]);
            to.extend(rgba.flatten());
        }
        CursorEncoding::Masked => {
            write_rect_header(place, -239, to);
            colours(pixels).for_each(|colour| format.put(colour, PixelLayout::Whole, to));
            bits(cursor.width, pixels, |[.., alpha]| *alpha >= OPAQUE, to);
        }
        CursorEncoding::X => {
            write_rect_header(place, -240, to);
            if !pixels.is_empty() {
                to.extend([0, 0, 0, 255, 255, 255]);
                bits(cursor.width, pixels, |[b, g, r, _]| *b < 128 && *g < 128 && *r < 128, to);
                bits(cursor.width, pixels, |[.., alpha]| *alpha >= OPAQUE, to);
            }
        }
    }
}

/// A bit for each pixel, the leftmost highest; each row starts with a new byte.
fn bits(width: u16, pixels: &[u8], is_set: impl Fn(&[u8; 4]) -> bool, to: &mut Vec<u8>) {
    for row in pixels.as_chunks::<4>().0.chunks(width.max(1).into()) {
        let byte = |eight: &[[u8; 4]]| {
            let bits = eight.iter().fold(0, |bits, pixel| bits << 1 | u8::from(is_set(pixel)));
            bits << (8 - eight.len())
        };
        to.extend(row.chunks(8).map(byte));
    }
}
