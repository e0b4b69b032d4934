//! The pages, compiled in. They carry no data: what they show comes over the live connection.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use serve::HostGuard;

pub(crate) fn routes(guard: HostGuard) -> Router {
    Router::new()
        .route("/", get(|| async { html(include_str!("pages/front.html")) }))
        .route("/join", get(|| async { html(include_str!("pages/join.html")) }))
        .route("/view", get(|| async { html(include_str!("pages/view.html")) }))
        .route("/assets/pages.css", get(|| async { css(include_str!("pages/pages.css")) }))
        .route("/assets/front.js", get(|| async { script(include_str!("pages/front.js")) }))
        .route("/assets/join.js", get(|| async { script(include_str!("pages/join.js")) }))
        .route("/assets/view.js", get(|| async { script(include_str!("pages/view.js")) }))
        .route("/assets/live.js", get(|| async { script(include_str!("pages/live.js")) }))
        .route("/assets/icon.svg", get(|| async { icon() }))
        .layer(middleware::from_fn_with_state(guard, protect))
}

/// Nothing inline, nothing from elsewhere, in no frame, and no referrer that could carry a PIN.
async fn protect(State(guard): State<HostGuard>, request: Request, next: Next) -> Response {
    let policy = content_policy(&guard, request.headers());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    let fixed = [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let permissions = "camera=(), microphone=(), geolocation=(), display-capture=()";
    headers.insert("permissions-policy", HeaderValue::from_static(permissions));
    response
}

/// Older engines don't count a WebSocket of the same host as 'self', so it is named; the host has
/// passed the guard by then.
fn content_policy(guard: &HostGuard, headers: &HeaderMap) -> HeaderValue {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let live = match host.filter(|host| guard.allows_host(host)) {
        Some(host) => format!(" ws://{host} wss://{host}"),
        None => String::new(),
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'{live}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn html(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

fn css(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], text).into_response()
}

fn script(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], text).into_response()
}

fn icon() -> Response {
    ([(header::CONTENT_TYPE, "image/svg+xml")], include_str!("pages/icon.svg")).into_response()
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
        let css = include_str!("pages/pages.css");
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
