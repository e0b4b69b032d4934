//! The colours of the windows here: the dark palette that the console's pages have, in the X server's terms.

/// Red, green, blue.
pub type Colour = [u8; 3];

/// What each colour means. Meaning always has a word, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Behind everything.
    pub bg: Colour,
    /// What lies on it.
    pub panel: Colour,
    /// What can be pressed.
    pub raise: Colour,
    /// Hairlines.
    pub line: Colour,
    /// Around what can be pressed.
    pub edge: Colour,
    /// Text that must be read.
    pub fg: Colour,
    /// Text beside it.
    pub fg_2: Colour,
    /// Hints.
    pub fg_3: Colour,
    /// The one thing to do, and that somebody watches.
    pub accent: Colour,
    /// Text on the accent and on the other bright colours.
    pub ink: Colour,
    /// Paused, lost, beware.
    pub wait: Colour,
    /// Stop.
    pub bad: Colour,
    /// What happened.
    pub info: Colour,
}

/// The dark palette: lightness, chroma, hue.
const DARK: [(&str, [f32; 3]); 13] = [
    ("bg", [0.17, 0.012, 260.0]),
    ("panel", [0.205, 0.013, 260.0]),
    ("raise", [0.245, 0.014, 260.0]),
    ("line", [0.30, 0.014, 260.0]),
    ("edge", [0.55, 0.014, 260.0]),
    ("fg", [0.95, 0.006, 260.0]),
    ("fg-2", [0.76, 0.012, 260.0]),
    ("fg-3", [0.66, 0.014, 260.0]),
    ("accent", [0.72, 0.14, 205.0]),
    ("accent-ink", [0.18, 0.03, 205.0]),
    ("wait", [0.81, 0.14, 85.0]),
    ("bad", [0.71, 0.17, 25.0]),
    ("info", [0.74, 0.11, 260.0]),
];

impl Look {
    /// Dark on every desktop: what asks for so much should look the same everywhere.
    pub fn dark() -> Self {
        let [bg, panel, raise, line, edge, fg, fg_2, fg_3, accent, ink, wait, bad, info] =
            DARK.map(|(_, colour)| srgb(colour));
        Self { bg, panel, raise, line, edge, fg, fg_2, fg_3, accent, ink, wait, bad, info }
    }
}

/// `share` of `over` laid on `under`.
pub fn mix(under: Colour, over: Colour, share: f32) -> Colour {
    std::array::from_fn(|i| {
        (f32::from(under[i]) + (f32::from(over[i]) - f32::from(under[i])) * share).round() as u8
    })
}

/// An OKLCH colour (Ottosson's matrices) as the nearest sRGB one.
fn srgb([lightness, chroma, hue]: [f32; 3]) -> Colour {
    let (a, b) = (chroma * hue.to_radians().cos(), chroma * hue.to_radians().sin());
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_93 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_4 * s,
        -0.004_196_086 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ]
    .map(|linear: f32| {
        let linear = linear.clamp(0.0, 1.0);
        let shown = if linear <= 0.003_130_8 {
            12.92 * linear
        } else {
            1.055 * linear.powf(1.0 / 2.4) - 0.055
        };
        (shown * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG's contrast of two colours as they are shown.
    fn contrast(one: Colour, other: Colour) -> f32 {
        let luminance = |colour: Colour| {
            let [red, green, blue] = colour.map(|shown| {
                let shown = f32::from(shown) / 255.0;
                if shown <= 0.040_45 { shown / 12.92 } else { ((shown + 0.055) / 1.055).powf(2.4) }
            });
            0.2126 * red + 0.7152 * green + 0.0722 * blue
        };
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn every_text_has_aa_contrast_on_every_ground() {
        let look = Look::dark();
        let texts = [look.fg, look.fg_2, look.fg_3, look.accent, look.wait, look.bad, look.info];
        for text in texts {
            for ground in [look.bg, look.panel, look.raise] {
                let ratio = contrast(text, ground);
                assert!(ratio >= 4.5, "{text:?} on {ground:?}: {ratio:.2}");
            }
        }
        for ground in [look.accent, look.bad] {
            for pressed in [0.0, super::super::draw::HOVER, super::super::draw::PRESSED] {
                let ground = mix(ground, look.fg, pressed);
                assert!(contrast(look.ink, ground) >= 4.5, "ink on {ground:?}");
            }
        }
        for pressed in [super::super::draw::HOVER, super::super::draw::PRESSED] {
            assert!(contrast(look.fg, mix(look.raise, look.fg, pressed)) >= 4.5);
        }
    }

    #[test]
    fn the_colours_are_those_of_the_pages() {
        let pages = include_str!("../../../../ui/src/shared/palette.css");
        for (name, colour) in DARK {
            let mark = format!("--{name}: oklch(");
            let (_, rest) = pages.split_once(&mark).unwrap_or_else(|| panic!("{name}"));
            let theirs: Vec<f32> = rest[..rest.find(')').unwrap()]
                .split(' ')
                .map(|part| part.trim_end_matches('%').parse().unwrap())
                .collect();
            let theirs = [theirs[0] / 100.0, theirs[1], theirs[2]];
            assert!(colour.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-4), "{name}");
        }
    }
}
