//! Every reader of bytes that come from the network or a file, as a function of any bytes: a fuzz target.
//!
//! A target panics where it finds a fault and does nothing else. The same functions are run by libFuzzer
//! (`./fuzz SECONDS`, with `fuzz/fuzz_targets`) and by the tests here, on any bytes and on the corpus that is kept
//! in `corpus/`.

mod messages;
mod screen;
mod stored;

/// A target: its name, which its corpus and its program share, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("addresses", messages::fuzz_addresses),
    ("backup", stored::fuzz_backup),
    ("broker_settings", stored::fuzz_broker_settings),
    ("control", messages::fuzz_control),
    ("fields", messages::fuzz_fields),
    ("headless", stored::fuzz_headless),
    ("hello", messages::fuzz_hello),
    ("known_viewers", stored::fuzz_known_viewers),
    ("leftovers", screen::fuzz_leftovers),
    ("png", screen::fuzz_png),
    ("presenter_live", messages::fuzz_presenter_live),
    ("proxy_answer", messages::fuzz_proxy_answer),
    ("remote_answers", messages::fuzz_remote_answers),
    ("rfb_client", screen::fuzz_rfb_client),
    ("rfb_server", screen::fuzz_rfb_server),
    ("seal", screen::fuzz_seal),
    ("selection", screen::fuzz_selection),
    ("session_events", messages::fuzz_session_events),
    ("settings", stored::fuzz_settings),
    ("socks_answer", messages::fuzz_socks_answer),
    ("stream_hello", messages::fuzz_stream_hello),
    ("trailer", stored::fuzz_trailer),
    ("vault", stored::fuzz_vault),
    ("viewer_page", messages::fuzz_viewer_page),
    ("viewer_picture", screen::fuzz_viewer_picture),
    ("webauthn", messages::fuzz_webauthn),
];

/// Runs the target of this name.
///
/// # Panics
/// On a fault that the bytes bring out, and if there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = target.unwrap_or_else(|| panic!("there is no target {name}"));
    target(data);
}
