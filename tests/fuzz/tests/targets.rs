//! Each target on any bytes, on its kept corpus, and on that corpus with bytes changed.
//!
//! `./fuzz SECONDS` looks for more, and what it finds is kept in `corpus/`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::PathBuf};

use fuzz_tests::TARGETS;
use proptest::{prelude::*, sample::Index, test_runner::TestRunner};
use sandbox::passwordless::ceremony_bytes;
use tunnel::proxy_answers::SocksAnswers;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

#[test]
fn every_target_has_a_corpus_and_a_program() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let names = |folder: PathBuf| -> Vec<String> {
        let files = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let targets: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(root.join("corpus")), targets);
    let programs: Vec<_> = targets.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(root.join("fuzz/fuzz_targets")), programs);
    let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
    for name in targets {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} is not in its Cargo.toml"
        );
    }
}

#[test]
fn no_target_falls_over_what_was_kept() {
    for (name, target) in TARGETS {
        let kept = corpus(name);
        assert!(!kept.is_empty(), "{name} has nothing to begin with");
        for data in kept {
            target(&data);
        }
    }
}

#[test]
fn what_is_kept_as_sound_is_taken_so_that_all_of_its_reader_is_reached() {
    let kept = |name: &str| {
        fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name)).unwrap()
    };
    let socks = SocksAnswers::new().unwrap();
    for name in ["tunnel", "by_name", "ipv6"] {
        assert!(socks.read(&kept(&format!("socks_answer/{name}"))), "{name}");
    }
    assert!(ceremony_bytes::read(&kept("webauthn/attestation_object")));
}

#[test]
fn no_target_falls_over_any_bytes() {
    for (_, target) in TARGETS {
        let mut runner = TestRunner::default();
        let bytes = proptest::collection::vec(any::<u8>(), 0..512);
        let run = |data: Vec<u8>| {
            target(&data);
            Ok(())
        };
        runner.run(&bytes, run).unwrap();
    }
}

/// What is kept, with bytes changed, left out and put in.
#[test]
fn no_target_falls_over_what_was_kept_and_then_damaged() {
    let change = (any::<Index>(), any::<u8>(), 0..3_u8);
    for (name, target) in TARGETS {
        let kept = corpus(name);
        let damaged =
            (proptest::sample::select(kept), proptest::collection::vec(change.clone(), 1..8));
        TestRunner::default()
            .run(&damaged, |(mut data, changes)| {
                for (at, byte, how) in changes {
                    damage(&mut data, &at, byte, how);
                }
                target(&data);
                Ok(())
            })
            .unwrap();
    }
}

fn damage(data: &mut Vec<u8>, at: &Index, byte: u8, how: u8) {
    match how {
        0 => data.insert(at.index(data.len() + 1), byte),
        1 if !data.is_empty() => drop(data.remove(at.index(data.len()))),
        _ if !data.is_empty() => {
            let at = at.index(data.len());
            data[at] = byte;
        }
        _ => {}
    }
}
