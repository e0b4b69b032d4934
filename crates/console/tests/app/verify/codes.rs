//! Codes in place of a push: nowhere seen, and mailed only where the id is known.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_tried_instead_of_a_push_and_is_seen_nowhere() {
    let mut rig = Rig::start().await;
    let phones = Phones::new(&rig).await;
    let user = phones.0.add_user("lee", true).await.unwrap().unwrap();
    let id = rig.session("Lee").await;
    let with = |code: &str| {
        let mut asked = verify(&id, "customer", "lee");
        asked["code"] = code.into();
        asked
    };
    let (otp, bypass) = (
        phones.0.otp(&user).await.unwrap().unwrap(),
        phones.0.add_bypass_code(&user).await.unwrap(),
    );
    rig.ask(with(&otp)).await;
    assert_eq!(ended(&mut rig, &id, 1).await.state, VerificationState::Approved);
    rig.ask(with(&format!("{} {} {}", &bypass[..3], &bypass[3..6], &bypass[6..]))).await;
    assert_eq!(ended(&mut rig, &id, 2).await.state, VerificationState::Approved);
    rig.ask(with(&bypass)).await;
    let wrong = ended(&mut rig, &id, 3).await;
    assert_eq!(wrong.state, VerificationState::Failed);
    assert!(wrong.trouble.unwrap().text.contains("does not accept it"));
    for shape in ["12345", "abcdef", "1234567890"] {
        let refused = rig.refused(with(shape)).await;
        assert_eq!(refused.code, Code::BadInput);
        assert!(!refused.text.contains(shape), "{}", refused.text);
    }
    rig.seen.event("verification_failed").await;
    for secret in [&otp, &bypass] {
        // By whole numbers: within a time of day any six digits can come together.
        let mut said =
            rig.seen.texts.iter().flat_map(|text| text.split(|c: char| !c.is_ascii_digit()));
        assert!(said.all(|number| number != secret));
    }
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailed_code_needs_the_id_and_says_when_the_domain_does_not_have_it() {
    let rig = Rig::start().await;
    let phones = Phones::new(&rig).await;
    let user = phones.0.add_user("lee", true).await.unwrap().unwrap();
    let mail = |user: &str| json!({ "do": "mail_code", "user": user });
    let name = rig.refused(mail("lee")).await;
    assert!(name.text.contains("needs the person's id"), "{name:?}");
    rig.ask(mail(&user)).await;
    assert_eq!(phones.0.mailed(&user).await.unwrap().len(), 1);
    phones.0.set_mail(false).await.unwrap();
    let off = rig.refused(mail(&user)).await;
    assert!(off.text.contains("not enabled in this domain"), "{off:?}");
    let nobody = rig.refused(mail(&"0".repeat(40))).await;
    assert!(nobody.text.contains("no such person"), "{nobody:?}");
    rig.app.stop().await;
}
