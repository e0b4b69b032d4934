//! Commands over e-mails: what goes out, what is held back, what can be sent again.

use console::{
    reply::Reply,
    view::{Code, MailKind, SessionDetail},
};
use serde_json::json;

use crate::rig::Rig;

#[tokio::test(flavor = "multi_thread")]
async fn an_email_goes_out_once_in_the_technicians_name_and_a_wrong_address_is_refused() {
    let mut rig = Rig::start().await;
    rig.ask(json!({ "do": "configure", "changes": { "technician": "Anna Keller" } })).await;
    let id = rig.session("Maria").await;
    let mail = |to: &str| json!({ "do": "mail", "session": id, "to": to, "to_customer": true, "when": "now" });
    assert_eq!(rig.refused(mail("maria at example")).await.code, Code::BadInput);
    rig.ask(mail("maria@example.com")).await;
    rig.seen.event("mail_sent").await;
    let Reply::Outbox { mails } = rig.ask(json!({ "do": "outbox" })).await else {
        panic!("no outbox")
    };
    assert_eq!((mails.len(), mails[0].to.as_str()), (1, "maria@example.com"));
    assert!(mails[0].subject.contains("Anna Keller") || mails[0].body.contains("Anna Keller"));
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_not_sent_says_so_and_can_be_sent_again_and_its_address_may_be_in_any_script()
 {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria").await;
    let mail = |to: &str| json!({ "do": "mail", "session": id, "to": to, "to_customer": true, "when": "now" });
    let trouble = rig.refused(mail("\"maria\"@example.com")).await;
    assert!(trouble.text.contains("names in quotes are not taken"), "{}", trouble.text);
    rig.ask(mail("info@münchen.example")).await;
    let kept = rig
        .seen
        .detail(&id, "the broker has no mail server", |d| {
            d.mails.first().filter(|mail| mail.state == MailKind::NotSent).cloned()
        })
        .await;
    assert!(kept.can_repeat && kept.doubtful && !kept.waiting, "{kept:?}");
    assert_eq!(kept.to, "info@münchen.example", "as it was typed");
    rig.ask(json!({ "do": "repeat_mail", "session": id, "mail": kept.id })).await;
    rig.seen.event("mail_kept").await;
    let Reply::Outbox { mails } = rig.ask(json!({ "do": "outbox" })).await else {
        panic!("no outbox")
    };
    assert!(mails.iter().all(|mail| mail.to == "info@xn--mnchen-3ya.example"));
    assert!(mails.iter().all(|mail| mail.state == MailKind::NotSent && mail.reason.is_none()));
    let none = json!({ "do": "repeat_mail", "session": id, "mail": 7 });
    assert_eq!(rig.refused(none).await.code, Code::BadInput);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_rule_is_ordered_for_a_new_session_and_can_be_withdrawn() {
    let mut rig = Rig::start().await;
    let rules = json!([{ "to": "team@example.com", "when": "every_event" }]);
    rig.ask(json!({ "do": "configure", "changes": { "mail_rules": rules } })).await;
    let id = rig.session("Maria").await;
    let mail = rig.seen.detail(&id, "the order", |d| d.mails.first().cloned()).await;
    assert!(mail.waiting && !mail.to_customer, "{mail:?}");
    rig.ask(json!({ "do": "withdraw_mail", "session": id, "mail": mail.id })).await;
    rig.seen.detail(&id, "no order", |d| d.mails.is_empty().then_some(())).await;
    rig.app.stop().await;
}

/// A rule from before the setting keeps no session from being started.
#[tokio::test(flavor = "multi_thread")]
async fn while_control_waits_no_rule_mails_a_link_to_control() {
    let mut rig = Rig::start().await;
    let rules = json!([
        { "to": "team@example.com", "when": "every_event" },
        { "to": "maria@example.com", "to_customer": true, "when": "every_event" },
    ]);
    let changes = json!({ "mail_rules": rules, "control_after_words": true });
    rig.ask(json!({ "do": "configure", "changes": changes })).await;
    let id = rig.session("Maria Lopez").await;
    let mail = rig.seen.detail(&id, "the order", |d| d.mails.first().cloned()).await;
    assert!(mail.to_customer, "{mail:?}");
    let Reply::Audit { entries, .. } = rig.ask(json!({ "do": "audit" })).await else {
        panic!("no entries")
    };
    assert!(entries.iter().any(|entry| entry.text.contains("none was to team@example.com")));
}

/// The setting is turned on with orders that wait, and a colleague's e-mail that could be sent again.
#[tokio::test(flavor = "multi_thread")]
async fn once_control_waits_what_was_ordered_before_is_held_and_nothing_is_sent_again() {
    let mut rig = Rig::start().await;
    let waits = |on: bool| json!({ "do": "configure", "changes": { "control_after_words": on } });
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    for when in ["now", "every_event"] {
        let mail = json!({ "do": "mail", "session": id, "to": "team@example.com", "to_customer": false, "when": when });
        rig.ask(mail).await;
    }
    // The broker here has no mail server, so the first one can be sent again.
    let unsent = rig
        .seen
        .detail(&id, "it isn't sent", |d| d.mails.iter().find(|mail| mail.can_repeat).cloned());
    let unsent = unsent.await;
    rig.ask(waits(true)).await;
    let again = json!({ "do": "repeat_mail", "session": id, "mail": unsent.id });
    let trouble = rig.refused(again.clone()).await;
    assert!(trouble.text.contains("waits until the words match"), "{}", trouble.text);
    let page = rig.page(&pin, "presenter", "Maria").await;
    let held = rig.seen.detail(&id, "the rule is held", |d| {
        d.mails.iter().find(|mail| mail.state == MailKind::Held).cloned()
    });
    let held = held.await;
    assert!(held.status.contains("while control waits for the words"), "{}", held.status);
    let outbox = async |rig: &Rig| {
        let Reply::Outbox { mails } = rig.ask(json!({ "do": "outbox" })).await else {
            panic!("no outbox")
        };
        mails.len()
    };
    assert_eq!(outbox(&rig).await, 1, "only the one from before");
    rig.ask(waits(false)).await;
    let is_held = move |d: &SessionDetail| d.mails.iter().any(|mail| mail.state == MailKind::Held);
    let given = |d: &SessionDetail| {
        let rule = d.mails.iter().find(|mail| mail.id == held.id)?;
        (!is_held(d) && rule.can_repeat).then_some(())
    };
    rig.seen.detail(&id, "the rule went out", given).await;
    assert_eq!(outbox(&rig).await, 2);
    rig.ask(again).await;
    page.close().await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_rule_sends_once_for_each_event_and_not_for_what_comes_back_within_a_minute() {
    let mut rig = Rig::start().await;
    let rules = json!([{ "to": "team@example.com", "when": "every_event" }]);
    rig.ask(json!({ "do": "configure", "changes": { "mail_rules": rules } })).await;
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    for load in 1..=3 {
        let page = rig.page(&pin, "presenter", "Maria").await;
        let sent = move |seen: &crate::rig::Seen| {
            let sent = seen.happenings.iter().filter(|h| h.event == "mail_sent").count();
            (sent == load).then_some(())
        };
        rig.seen.until("another mail", sent).await;
        rig.seen.armed(&id).await;
        page.close().await;
    }
    let Reply::Outbox { mails } = rig.ask(json!({ "do": "outbox" })).await else {
        panic!("no outbox")
    };
    assert_eq!(mails.len(), 3, "one for each load, none twice");
    assert!(mails.iter().all(|mail| mail.to == "team@example.com"));
    assert!(mails[0].body.contains("Maria Lopez"));
    rig.app.stop().await;
}
