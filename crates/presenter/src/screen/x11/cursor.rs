//! Converts the pointer's shape from XFIXES to RFB.

use rfb::Cursor;
use x11rb::protocol::xfixes::GetCursorImageReply;

/// Converts the shape: its colours are premultiplied by alpha in XFIXES, but not in [`Cursor`].
pub fn shape(image: &GetCursorImageReply) -> Cursor {
    let (width, height) = (image.width, image.height);
    if image.cursor_image.len() != usize::from(width) * usize::from(height) {
        return Cursor::default();
    }
    Cursor {
        width,
        height,
        hot_x: image.xhot.min(width.saturating_sub(1)),
        hot_y: image.yhot.min(height.saturating_sub(1)),
        pixels: image.cursor_image.iter().copied().flat_map(unpremultiplied).collect(),
    }
}

fn unpremultiplied(pixel: u32) -> [u8; 4] {
    let [blue, green, red, alpha] = pixel.to_le_bytes();
    let part = |value: u8| match alpha {
        0 => 0,
        _ => {
            let whole = (u32::from(value) * 255 + u32::from(alpha) / 2) / u32::from(alpha);
            // A program may set a cursor that isn't premultiplied, and the result would exceed 255.
            u8::try_from(whole).unwrap_or(u8::MAX)
        }
    };
    [part(blue), part(green), part(red), alpha]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_alpha_out_of_the_colours() {
        assert_eq!(unpremultiplied(0xff11_2233), [0x33, 0x22, 0x11, 0xff]);
        assert_eq!(unpremultiplied(0x8080_4000), [0, 0x80, 0xff, 0x80]);
        assert_eq!(unpremultiplied(0x0012_3456), [0, 0, 0, 0]);
        assert_eq!(unpremultiplied(0x10ff_0000), [0, 0, 0xff, 0x10], "not premultiplied after all");
    }
}
