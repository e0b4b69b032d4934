//! The windows' colours: the dark palette of the console's pages as sRGB, which is what X11 shows.

/// Red, green, blue.
pub type Colour = [u8; 3];

/// Colours by meaning. The windows also express each meaning in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// The background of cards.
    pub bg: Colour,
    /// The background of a window.
    pub panel: Colour,
    /// The background of a plain button.
    pub raise: Colour,
    /// Thin lines that separate.
    pub line: Colour,
    /// The frames of buttons and of the banner.
    pub edge: Colour,
    /// Text that must be read.
    pub fg: Colour,
    /// Secondary text.
    pub fg_2: Colour,
    /// Text that nobody has to read.
    pub fg_3: Colour,
    /// The primary button.
    pub accent: Colour,
    /// Text on the accent and on the other bright colours.
    pub ink: Colour,
    /// Paused, disconnected, and warnings.
    pub wait: Colour,
    /// The button that stops the sharing, and the sign that somebody sees the screen.
    pub bad: Colour,
    /// News that need no action.
    pub info: Colour,
}

/// The dark palette in OKLCH: lightness, chroma, hue.
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

impl Theme {
    /// The only theme: a window that asks for so much trust should look the same on every desktop.
    pub fn dark() -> Self {
        let [bg, panel, raise, line, edge, fg, fg_2, fg_3, accent, ink, wait, bad, info] =
            DARK.map(|(_, colour)| srgb(colour));
        Self { bg, panel, raise, line, edge, fg, fg_2, fg_3, accent, ink, wait, bad, info }
    }
}

/// Blends `under` with `over`, of which `share` is taken.
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
        let theme = Theme::dark();
        let texts =
            [theme.fg, theme.fg_2, theme.fg_3, theme.accent, theme.wait, theme.bad, theme.info];
        for text in texts {
            for ground in [theme.bg, theme.panel, theme.raise] {
                let ratio = contrast(text, ground);
                assert!(ratio >= 4.5, "{text:?} on {ground:?}: {ratio:.2}");
            }
        }
        for ground in [theme.accent, theme.bad] {
            for pressed in [0.0, super::super::draw::HOVER, super::super::draw::PRESSED] {
                let ground = mix(ground, theme.fg, pressed);
                assert!(contrast(theme.ink, ground) >= 4.5, "ink on {ground:?}");
            }
        }
        for pressed in [super::super::draw::HOVER, super::super::draw::PRESSED] {
            assert!(contrast(theme.fg, mix(theme.raise, theme.fg, pressed)) >= 4.5);
        }
    }

    #[test]
    fn the_colours_are_those_of_the_pages() {
        let pages = concat!(
            include_str!("../../../../ui/src/styles/tokens.css"),
            include_str!("../../../../ui/src/shared/palette.css"),
        );
        for (name, colour) in DARK {
            // The light colour stands first, the dark one second.
            let (_, rest) = pages
                .split_once(&format!("--{name}: light-dark("))
                .and_then(|(_, both)| both.split_once("), oklch("))
                .unwrap_or_else(|| panic!("{name}"));
            let theirs: Vec<f32> = rest[..rest.find(')').unwrap()]
                .split(' ')
                .map(|part| part.trim_end_matches('%').parse().unwrap())
                .collect();
            let theirs = [theirs[0] / 100.0, theirs[1], theirs[2]];
            assert!(colour.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-4), "{name}");
        }
    }
}
