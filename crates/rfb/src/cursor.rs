//! The pointer's shape, in the form that the viewer takes.

use crate::{
    Cursor, Rect,
    encode::head,
    format::{Format, Shape, colours},
    wishes::Pointer,
};

/// From this opacity on a pixel is there, where there is no transparency.
const OPAQUE: u8 = 128;

/// Adds the rectangle with the shape. A shape without all its pixels is none.
pub(crate) fn write(cursor: &Cursor, form: Pointer, format: Format, to: &mut Vec<u8>) {
    let whole = usize::from(cursor.width) * usize::from(cursor.height) * 4;
    let none = Cursor::default();
    let (cursor, pixels) = match cursor.pixels.get(..whole) {
        Some(pixels) if whole > 0 => (cursor, pixels),
        _ => (&none, &[][..]),
    };
    let place = Rect::new(cursor.hot_x, cursor.hot_y, cursor.width, cursor.height);
    let rgba = pixels.as_chunks::<4>().0.iter().map(|[b, g, r, a]| [*r, *g, *b, *a]);
    match form {
        Pointer::Alpha => {
            head(place, -314, to);
            to.extend(0_i32.to_be_bytes());
            let premultiplied = |[r, g, b, a]: [u8; 4]| {
                let part = |c: u8| ((u16::from(c) * u16::from(a) + 127) / 255) as u8;
                [part(r), part(g), part(b), a]
            };
            to.extend(rgba.flat_map(premultiplied));
        }
        Pointer::Vmware => {
            head(place, 0x574d_5664, to);
            to.extend([1, 0]);
            to.extend(rgba.flatten());
        }
        Pointer::Masked => {
            head(place, -239, to);
            colours(pixels).for_each(|colour| format.put(colour, Shape::Whole, to));
            bits(cursor.width, pixels, |[.., alpha]| *alpha >= OPAQUE, to);
        }
        Pointer::X => {
            head(place, -240, to);
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
