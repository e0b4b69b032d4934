//! What files and scripts hold.

use wire::{
    ConfText,
    loginwithme::Conf,
    trailer::{self, Payload},
};

/// The lines of a script.
pub fn fuzz_headless(data: &[u8]) {
    console::fuzzing::headless(data);
}

/// The file of settings.
pub fn fuzz_settings(data: &[u8]) {
    console::fuzzing::settings(data);
}

/// The file of the broker's settings.
pub fn fuzz_broker_settings(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data) {
        broker::fuzzing::settings_file(text);
    }
}

/// `vault.json`.
pub fn fuzz_vault(data: &[u8]) {
    engine::fuzzing::vault_record(data);
}

/// A backup.
pub fn fuzz_backup(data: &[u8]) {
    engine::fuzzing::backup(data);
}

/// The end of the customer's program, and the conf in it.
pub fn fuzz_trailer(data: &[u8]) {
    if let Ok(Some(parts)) = trailer::split(data) {
        assert!(parts.program.len() + parts.payload.len() < data.len());
        read_payload(parts.payload);
    }
    read_payload(data);
    let file = [&b"program"[..], &trailer::append(data, &[1; 64], &[2; 32])].concat();
    if let Ok(Some(parts)) = trailer::split(&file) {
        assert_eq!((parts.program, parts.payload), (&b"program"[..], data));
    }
    if let Ok(text) = str::from_utf8(data) {
        let _ = Conf::decode(&ConfText::from(text.to_owned()));
    }
}

fn read_payload(json: &[u8]) {
    if let Ok(payload) = Payload::from_json(json) {
        let _ = Conf::decode(&payload.conf);
        assert!(Payload::from_json(&payload.to_json()).is_ok());
    }
}

/// The file of the viewers that the customer's program knows.
pub fn fuzz_known_viewers(data: &[u8]) {
    presenter::fuzzing::known_viewers(data);
}
