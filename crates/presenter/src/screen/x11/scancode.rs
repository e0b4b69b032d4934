//! Converts a PC's scancode to the keycode of a Linux X server.

/// XT scancodes below 0x80 and their Linux key numbers, where the two differ. Any other scancode up
/// to that of F12 is itself the key number.
const PLAIN: [(u8, u8); 23] = [
    (0x54, 99),
    (0x55, 186),
    (0x59, 117),
    (0x5a, 190),
    (0x5d, 183),
    (0x5e, 184),
    (0x5f, 185),
    (0x64, 134),
    (0x65, 135),
    (0x6d, 193),
    (0x6f, 194),
    (0x70, 93),
    (0x71, 123),
    (0x72, 122),
    (0x73, 89),
    (0x74, 191),
    (0x76, 85),
    (0x77, 91),
    (0x78, 90),
    (0x79, 92),
    (0x7b, 94),
    (0x7d, 124),
    (0x7e, 121),
];

/// The scancodes with the prefix 0xe0, and their Linux key numbers.
const EXTENDED: [(u8, u8); 55] = [
    (0x03, 187),
    (0x04, 189),
    (0x05, 129),
    (0x06, 130),
    (0x07, 131),
    (0x10, 165),
    (0x19, 163),
    (0x1c, 96),
    (0x1d, 97),
    (0x20, 113),
    (0x21, 140),
    (0x22, 164),
    (0x24, 166),
    (0x25, 205),
    (0x2e, 114),
    (0x30, 115),
    (0x32, 172),
    (0x35, 98),
    (0x38, 100),
    (0x3c, 137),
    (0x41, 136),
    (0x46, 119),
    (0x47, 102),
    (0x48, 103),
    (0x49, 104),
    (0x4b, 105),
    (0x4d, 106),
    (0x4f, 107),
    (0x50, 108),
    (0x51, 109),
    (0x52, 110),
    (0x53, 111),
    (0x5b, 125),
    (0x5c, 126),
    (0x5d, 127),
    (0x5e, 116),
    (0x5f, 142),
    (0x63, 143),
    (0x65, 217),
    (0x66, 156),
    (0x67, 173),
    (0x68, 128),
    (0x69, 159),
    (0x6a, 158),
    (0x6b, 157),
    (0x6c, 155),
    (0x6d, 226),
    (0x75, 138),
    (0x76, 179),
    (0x77, 188),
    (0x78, 133),
    (0x79, 192),
    (0x7b, 180),
    (0x7d, 162),
    (0x37, 99),
];

/// The X keycode of a scancode on a server whose keycodes follow Linux's numbers (`evdev`). A
/// scancode with the prefix 0xe0 is given as 0xe0xx or, as in QEMU's extended key event, with bit
/// 7 set.
pub fn keycode(scancode: u32) -> Option<u8> {
    let linux = match scancode {
        0x01..=0x7f => {
            let code = u8::try_from(scancode).ok()?;
            lookup(&PLAIN, code).or_else(|| (code <= 0x58).then_some(code))
        }
        0x80..=0xff | 0xe000..=0xe07f => lookup(&EXTENDED, u8::try_from(scancode & 0x7f).ok()?),
        _ => None,
    }?;
    linux.checked_add(8)
}

fn lookup(table: &[(u8, u8)], code: u8) -> Option<u8> {
    table.iter().find(|(xt, _)| *xt == code).map(|(_, linux)| *linux)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_keys_with_and_without_the_prefix() {
        assert_eq!(keycode(0x1e), Some(38), "A");
        assert_eq!(keycode(0x56), Some(94), "the key beside the left Shift");
        assert_eq!(keycode(0x73), Some(97), "the Japanese Ro");
        assert_eq!(keycode(0xe038), Some(108), "the right Alt");
        assert_eq!(keycode(0xb8), Some(108), "the right Alt as it is on the wire");
        assert_eq!(keycode(0xe048), Some(111), "up");
        assert_eq!(keycode(0x48), Some(80), "8 on the keypad");
    }

    #[test]
    fn knows_no_key_for_anything_else() {
        for scancode in [0, 0x5b, 0x7f, 0x80, 0xe000, 0xe080, 0x0001_0000, u32::MAX] {
            assert_eq!(keycode(scancode), None, "{scancode:#x}");
        }
    }
}
