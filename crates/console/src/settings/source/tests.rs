//! Reading and writing settings, sound and damaged.

use super::*;

const NOW: jiff::Timestamp = jiff::Timestamp::UNIX_EPOCH;

fn loaded(text: impl AsRef<[u8]>) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, text.as_ref()).unwrap();
    let loaded = SettingsSource::file(&path).load().unwrap();
    assert_eq!(fs::read(&path).unwrap(), text.as_ref(), "reading changes nothing");
    loaded
}

#[test]
fn only_what_was_set_is_kept_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let source = SettingsSource::file(folder.path().join("deep/settings.toml"));
    assert_eq!(source.load().unwrap().settings, Settings::default());
    let rules = serde_json::json!([{ "to": "a@b.c", "when": "every_event" }]);
    let stored =
        Map::from_iter([("mail_rules".to_owned(), rules), ("lan".to_owned(), true.into())]);
    source.save(&stored).unwrap();
    let loaded = source.load().unwrap();
    assert_eq!((loaded.damage, &loaded.stored), (None, &stored));
    assert_eq!((loaded.settings.lan, loaded.settings.mail_rules.len()), (true, 1));
}

#[test]
fn what_is_sound_in_a_damaged_file_stays_in_force() {
    let loaded = loaded("probe_rounds = 99\nlan = true\ncolour = 1\n");
    assert!(loaded.settings.lan && loaded.settings.probe_rounds == 3);
    let damage = loaded.damage.unwrap();
    assert!(damage.why.contains("probe_rounds") && damage.why.contains("colour"), "{damage:?}");
    assert!(damage.guards.is_empty(), "no guard was in what could not be read");
}

#[test]
fn a_guard_that_cannot_be_read_counts_as_its_strictest_value() {
    use crate::view::GatePolicy;
    let bad = [
        "verify_gate = require\n",
        "verify_gate = \"requir\"\n",
        "verify_gate = 1\n",
        "verify-gate = \"require\"\n",
        "Verify_Gate = \"require\"\n",
        "verify_gat = \"require\"\n",
        "verifiy_gate = \"require\"\n",
        "verify.gate = \"require\"\n",
        "[settings]\nverify_gate = \"require\"\n",
        "[[profile]]\nverify_gate = \"require\"\n",
        "verify_gate = \"off\"\nverify_gate = \"require\"\n",
        "version = 2\nverify_gate = \"off\"\n",
        "\0\0\0\0",
        "",
    ];
    for bad in bad {
        let loaded = loaded(bad);
        assert_eq!(loaded.settings.verify_gate, GatePolicy::Require, "{bad}");
        assert_eq!(loaded.stored["verify_gate"], "require", "{bad}");
        assert!(loaded.damage.unwrap().guards.contains(&"verify_gate"), "{bad}");
    }
    let minutes = loaded("lock_after_min = 9999\n");
    assert_eq!(minutes.settings.lock_after_min, 1);
}

#[test]
fn a_strictest_value_is_a_valid_one() {
    let strict = declarations()
        .iter()
        .filter_map(|known| known.strictest.clone().map(|value| (known.name.to_owned(), value)));
    Settings::default().layer(&strict.collect()).unwrap();
}

#[test]
fn what_is_sound_beside_a_bad_line_comes_back_at_each_start_and_the_file_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let text = "verify_gate = \"require\"\nlan = maybe\ncompany = \"ACME\"\n";
    fs::write(&path, text).unwrap();
    let source = SettingsSource::file(&path);
    let first = source.load().unwrap();
    assert!(first.damage.unwrap().why.contains("line 2"));
    let aside = source.keep_aside(NOW).unwrap().unwrap();
    source.save(&first.stored).unwrap();
    let second = source.load().unwrap();
    assert_eq!((second.damage, &second.settings), (None, &first.settings));
    assert_eq!(second.settings.company, "ACME");
    assert_eq!(fs::read_to_string(&aside).unwrap(), text);
    // A second one of the same moment replaces nothing.
    fs::write(&path, "?").unwrap();
    assert_ne!(source.keep_aside(NOW).unwrap().unwrap(), aside);
    assert_eq!(fs::read_to_string(&aside).unwrap(), text);
}

#[test]
fn a_folder_in_its_place_is_moved_away_and_guards_hold() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("inside"), "x").unwrap();
    let source = SettingsSource::file(&path);
    let loaded = source.load().unwrap();
    assert!(loaded.settings.require_sign_in && loaded.damage.is_some());
    let aside = source.keep_aside(NOW).unwrap().unwrap();
    source.save(&loaded.stored).unwrap();
    assert!(aside.join("inside").exists() && source.load().unwrap().damage.is_none());
}

#[test]
fn what_is_sound_only_together_stays_in_force_together() {
    let hosted = "https://www.loginwith.me/api/v1";
    let settings = loaded(format!(
        "base_url = \"{hosted}\"\nlicence_consent = true\nprobe_rounds = 99\n\
         tls_cert = \"/c.pem\"\ntls_key = \"/k.pem\"\ncolour = 1\n"
    ))
    .settings;
    assert_eq!((settings.base_url.as_deref(), settings.probe_rounds), (Some(hosted), 3));
    assert!(settings.tls_cert.is_some() && settings.tls_key.is_some());
    let settings = loaded("tls_cert = \"/c.pem\"\nlan = true\n").settings;
    assert!(settings.tls_cert.is_none() && settings.lan);
    let settings = loaded(format!("base_url = \"{hosted}\"\nlan = true\n")).settings;
    assert!(settings.base_url.is_none() && settings.lan, "without consent it isn't asked");
}

#[test]
fn nothing_is_taken_from_a_newer_versions_file() {
    let loaded = loaded("version = 2\nlan = true\n");
    assert!(!loaded.settings.lan && loaded.damage.unwrap().why.contains("newer version"));
}

#[test]
fn a_version_that_is_no_number_costs_no_other_setting() {
    let loaded = loaded("version = \"one\"\nlan = true\n");
    assert!(loaded.settings.lan && loaded.damage.unwrap().why.contains("version"));
}

#[test]
fn flags_win_over_what_is_kept_and_are_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, "probe_rounds = 5\n").unwrap();
    let over = Map::from_iter([("probe_rounds".to_owned(), 2.into())]);
    let source = SettingsSource::file(&path).with(over);
    let loaded = source.load().unwrap();
    assert_eq!((loaded.settings.probe_rounds, &loaded.stored["probe_rounds"]), (2, &5.into()));
}

#[test]
fn a_file_that_is_gone_leaves_the_guards_shut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let source = SettingsSource::file(&path);
    assert!(source.is_missing() && !source.is_made());
    let lost = source.load_lost().unwrap();
    let damage = lost.damage.unwrap();
    assert!(damage.why.contains("gone") && damage.guards.contains(&"verify_gate"));
    assert!(lost.settings.require_sign_in);
    assert_eq!(source.keep_aside(NOW).unwrap(), None, "there is nothing to keep");
    source.save(&lost.stored).unwrap();
    assert!(source.is_made() && source.load().unwrap().settings.require_sign_in);
    assert!(!SettingsSource::nowhere().is_missing());
    assert!(!SettingsSource::file_by_hand(folder.path().join("none")).is_missing());
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_a_file_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    std::os::unix::fs::symlink(folder.path().join("gone"), &path).unwrap();
    let source = SettingsSource::file(&path);
    assert!(source.is_missing());
    let aside = source.keep_aside(NOW).unwrap().unwrap();
    source.save(&Map::new()).unwrap();
    assert!(aside.symlink_metadata().is_ok() && source.is_made());
}
