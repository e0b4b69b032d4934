//! The layouts of the matrix, and what is typed on each: keys by X's keycodes, as fingers know them.

/// A keyboard layout.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Its name in the table.
    pub name: &'static str,
    /// What `setxkbmap` calls it.
    xkb: &'static [&'static str],
    /// Characters that take several keys: a dead key, then a letter.
    composed: &'static [&'static str],
}

/// The technicians' layouts.
pub const TECHNICIANS: [Layout; 9] = [
    layout("us", &["us"], &[]),
    // ' e, ` a, ^ o, ~ n, " u, and ' before a space.
    layout(
        "us-intl",
        &["us", "intl"],
        &["48 26", "49 38", "50+15 32", "50+49 57", "50+48 30", "48 65"],
    ),
    // ^ e, ´ e, ` a, ^ before a space, ´ before a capital.
    layout("de", &["de"], &["49 26", "21 26", "50+21 38", "49 65", "21 50+32"]),
    // ^ e, ¨ i, ^ before a capital, ^ before a space.
    layout("fr", &["fr"], &["34 26", "50+34 31", "34 50+32", "34 65"]),
    // ´ a, ` e, ¨ u, ~ n by AltGr, ´ before a capital.
    layout("es", &["es"], &["48 38", "34 26", "50+48 30", "48 50+32"]),
    // ´ o and a caron before an r.
    layout("cz", &["cz"], &["21 32", "50+21 27", "21 50+26"]),
    layout("ru", &["ru"], &[]),
    // The accent before an alpha and a capital omicron, the diaeresis before an iota.
    layout("el", &["gr"], &["47 38", "47 50+32", "50+47 31"]),
    layout("he", &["il"], &[]),
];

/// The customers' layouts.
pub const CUSTOMERS: [Layout; 4] = [
    layout("us", &["us"], &[]),
    layout("de", &["de"], &[]),
    layout("fr", &["fr"], &[]),
    layout("ru", &["ru"], &[]),
];

/// How many characters of each layout are typed.
pub const CHARACTERS: usize = 40;

/// Keys that type one character each: with AltGr, with Shift, and alone. The first of them are those that differ most.
const SINGLE: &str = "108+24 108+26 108+16 108+17 108+58 108+35 50+10 50+11 50+16 50+24 50+29 50+47 50+52 50+61 \
    10 11 14 20 21 24 25 26 27 29 33 34 35 38 39 47 48 49 51 52 54 58 59 60 61 94 65 40 41 42 43 44 45 46 53 55 56 57";

/// The shortcuts: Ctrl with C, A and Y by their places on an American keyboard, Ctrl+Shift with Y, Alt with F, Super
/// with L. None of them is Ctrl+W on any layout, which a browser keeps for itself.
pub const SHORTCUTS: [&str; 6] = ["37+54", "37+38", "37+29", "37+50+29", "64+41", "133+46"];

/// The keys of [`SHORTCUTS`], as an American keyboard names them.
pub const SHORTCUT_LETTERS: [&str; 6] = ["c", "a", "y", "Y", "f", "l"];

impl Layout {
    /// The layout of this name.
    pub fn technician(name: &str) -> Self {
        TECHNICIANS.into_iter().find(|layout| layout.name == name).expect("a technician's layout")
    }

    /// The layout of this name.
    pub fn customer(name: &str) -> Self {
        CUSTOMERS.into_iter().find(|layout| layout.name == name).expect("a customer's layout")
    }

    /// What `setxkbmap` is asked for.
    pub fn asked(&self) -> Vec<&'static str> {
        let variant = self.xkb.get(1).copied().unwrap_or_default();
        vec!["-layout", self.xkb[0], "-variant", variant]
    }

    /// What can be typed on it. Some of it types nothing: a dead key alone.
    pub fn candidates(&self) -> Vec<&'static str> {
        self.composed.iter().copied().chain(SINGLE.split_whitespace()).collect()
    }
}

const fn layout(
    name: &'static str,
    xkb: &'static [&'static str],
    composed: &'static [&'static str],
) -> Layout {
    Layout { name, xkb, composed }
}
