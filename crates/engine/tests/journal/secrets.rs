//! What the journal keeps of secrets, and for how long.

use super::*;

#[tokio::test]
async fn erased_secrets_are_gone_and_the_record_stays() {
    let dir = folder();
    let journal = open(dir.path());
    let first = SessionTurn { secrets: Some(secrets()), ..turn(session(1), 0) };
    journal.save_turn(first).await.unwrap();
    journal.erase_secrets(session(1)).await.unwrap();
    assert_eq!(journal.load().await.unwrap().sessions[0].secrets, None);
}

#[tokio::test]
async fn a_pairing_goes_with_the_pin() {
    let dir = folder();
    let journal = open(dir.path());
    journal.save_turn(turn(session(1), 0)).await.unwrap();
    journal.keep_pairing(session(1), b"too early").await.unwrap();
    assert_eq!(journal.pairing(session(1)).await.unwrap(), None);
    let with_pin = || SessionTurn { secrets: Some(secrets()), ..turn(session(1), 0) };
    journal.save_turn(with_pin()).await.unwrap();
    for kept in [b"pairing of before", b"pairing of theirs"] {
        journal.keep_pairing(session(1), kept).await.unwrap();
    }
    assert_eq!(journal.pairing(session(2)).await.unwrap(), None);
    drop(journal);
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(10).any(|part| part == b"pairing of"), "it is sealed");
    }
    let journal = open(dir.path());
    let kept = journal.pairing(session(1)).await.unwrap();
    assert_eq!(kept.as_deref(), Some(&b"pairing of theirs"[..]));
    journal.erase_secrets(session(1)).await.unwrap();
    assert_eq!(journal.pairing(session(1)).await.unwrap(), None);
    journal.keep_pairing(session(1), b"too late").await.unwrap();
    assert_eq!(journal.pairing(session(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_pin_is_known_for_good_without_being_kept() {
    let dir = folder();
    let journal = open(dir.path());
    let (ours, other) = (PIN.parse().unwrap(), "7W2-97-8571".parse().unwrap());
    assert!(!journal.minted(&ours).await.unwrap());
    for _ in 0..2 {
        let saved = SessionTurn { secrets: Some(secrets()), ..turn(session(1), 0) };
        journal.save_turn(saved).await.unwrap();
    }
    journal.erase_secrets(session(1)).await.unwrap();
    journal.forget(session(1)).await.unwrap();
    drop(journal);
    let journal = open(dir.path());
    assert!(journal.minted(&ours).await.unwrap());
    assert!(!journal.minted(&other).await.unwrap());
}

#[tokio::test]
async fn a_journal_from_before_the_digests_learns_the_pins_that_it_still_has() {
    let dir = folder();
    let journal = open(dir.path());
    let saved = SessionTurn { secrets: Some(secrets()), ..turn(session(1), 0) };
    journal.save_turn(saved).await.unwrap();
    drop(journal);
    alter(dir.path(), "DROP TABLE minted; DROP TABLE broker_copies; PRAGMA user_version = 1");
    let journal = open(dir.path());
    let ours = PIN.parse().unwrap();
    assert!(!journal.minted(&ours).await.unwrap());
    // As a session does whenever it comes to life.
    let secrets = journal.load().await.unwrap().sessions.remove(0).secrets;
    journal.save_turn(SessionTurn { secrets, ..turn(session(1), 0) }).await.unwrap();
    assert!(journal.minted(&ours).await.unwrap());
}

#[tokio::test]
async fn a_services_secret_is_kept_sealed_replaced_and_removed() {
    let dir = folder();
    let journal = open(dir.path());
    let which = ServiceSecret::Logintc;
    let kept =
        |value: &str, at| KeptSecret { value: value.into(), at: Timestamp(at), by: "tess".into() };
    assert!(journal.secret(which).await.unwrap().is_none());
    journal.keep_secret(which, kept("f1rst-s3cret", 1)).await.unwrap();
    journal.keep_secret(which, kept("s3cond \"s3cret\"", 2)).await.unwrap();
    drop(journal);
    let journal = open(dir.path());
    let read = journal.secret(which).await.unwrap().unwrap();
    assert_eq!(read.value.expose_secret(), "s3cond \"s3cret\"");
    assert_eq!((read.at, read.by.as_str()), (Timestamp(2), "tess"));
    assert!(!format!("{read:?}").contains("s3c"));
    assert!(journal.secret(ServiceSecret::Rocketchat).await.unwrap().is_none());
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in ["f1rst-s3cret", "s3cond"] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()));
        }
    }
    journal.remove_secret(which).await.unwrap();
    assert!(journal.secret(which).await.unwrap().is_none());
}

#[tokio::test]
async fn a_secret_moved_to_another_services_place_does_not_open() {
    let dir = folder();
    let journal = open(dir.path());
    let kept = KeptSecret { value: "s3cret".into(), at: Timestamp(1), by: "tess".into() };
    journal.keep_secret(ServiceSecret::Logintc, kept).await.unwrap();
    drop(journal);
    let plain = rusqlite::Connection::open(dir.path().join(JOURNAL_FILE)).unwrap();
    plain
        .execute("UPDATE marks SET key = 'secret/rocketchat' WHERE key = 'secret/logintc'", [])
        .unwrap();
    drop(plain);
    let error = open(dir.path()).secret(ServiceSecret::Rocketchat).await.unwrap_err();
    assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
}
