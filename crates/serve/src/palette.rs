//! The colours and fonts of every page that a server here has, as the console's window has them.

/// Custom properties for both colour schemes and for high contrast; a page's own style follows it.
pub const PALETTE: &str = include_str!("palette.css");

/// A page's style sheet: the palette, and what is its own.
pub fn style_sheet(own: &str) -> String {
    format!("{PALETTE}\n{own}")
}

#[cfg(test)]
mod tests {
    /// Relative luminance of an OKLCH colour (Ottosson's matrices, then WCAG's weights).
    fn luminance([lightness, chroma, hue]: [f64; 3]) -> f64 {
        let (a, b) = (chroma * hue.to_radians().cos(), chroma * hue.to_radians().sin());
        let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
        let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
        let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
        let red = 4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s;
        let green = -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s;
        let blue = -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s;
        let shown = |c: f64| c.clamp(0.0, 1.0);
        0.2126 * shown(red) + 0.7152 * shown(green) + 0.0722 * shown(blue)
    }

    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// The colour that the n-th theme of the style sheet gives this name.
    fn colour(name: &str, theme: usize) -> [f64; 3] {
        let mark = format!("--{name}: oklch(");
        let css = super::PALETTE;
        let (_, rest) = css.match_indices(&mark).nth(theme).map(|(i, _)| css.split_at(i)).unwrap();
        let inside = rest[mark.len()..].split(')').next().unwrap();
        let parts: Vec<f64> =
            inside.split(' ').map(|part| part.trim_end_matches('%').parse().unwrap()).collect();
        [parts[0] / 100.0, parts[1], parts[2]]
    }

    #[test]
    fn every_text_colour_has_aa_contrast_on_every_ground_in_both_themes() {
        for theme in [0, 1] {
            for text in ["fg", "fg-2", "fg-3", "accent", "ok", "wait", "bad", "info"] {
                for ground in ["bg", "panel", "raise"] {
                    let ratio = contrast(colour(text, theme), colour(ground, theme));
                    assert!(ratio >= 4.5, "theme {theme}: {text} on {ground}: {ratio:.2}");
                }
            }
            let ratio = contrast(colour("accent-ink", theme), colour("accent", theme));
            assert!(ratio >= 4.5, "theme {theme}: accent-ink on accent: {ratio:.2}");
        }
    }
}
