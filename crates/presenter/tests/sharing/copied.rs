//! Where what the customer copies goes.

use presenter::{
    consent::{Banner, Choice, ClipboardState},
    screen::{Change, Contents, NotCarried},
};
use rfb::Png;

use crate::{
    broker::{Broker, Live},
    customer::{Customer, Done, TAKES_PLACE},
    invitation, joins, sharing,
    viewer::Viewer,
};

const REQUEST: u32 = 1 << 25;
const NOTIFY: u32 = 1 << 27;
const PROVIDE: u32 = 1 << 28;
const TEXT: u32 = 1;
const DIB: u32 = 1 << 3;
const PNG: u32 = 1 << 15;
const PIXEL: &[u8] = include_bytes!("pixel.png");

#[tokio::test(flavor = "multi_thread")]
async fn what_is_copied_goes_to_nobody_unasked() {
    let mut broker = Broker::start().await;
    let (customer, mut live) = sharing(&mut broker).await;
    let mut viewer = joins(&mut broker, &mut live, "control").await;
    viewer.sees(0).await;
    customer.copies("secret");
    // Nobody asked, so there is nobody to whom it is sent.
    customer.choose(Choice::SendClipboard(0));
    customer.copies("another secret");
    shows_only_a_picture(&customer, &mut viewer, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_clipboard_is_kept_again_when_the_customer_says_so() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing_as(&mut broker, Choice::ShareWithClipboard).await;
    let mut viewer = joins(&mut broker, &mut live, "control").await;
    customer.banner(|banner| banner.clipboard == ClipboardState::Shared).await;
    viewer.sees(0).await;
    customer.copies("shared");
    assert_eq!(viewer.read(8 + 6).await[8..], *b"shared");
    customer.choose(Choice::KeepClipboard);
    customer.banner(|banner| banner.clipboard == ClipboardState::Kept).await;
    customer.copies("secret");
    shows_only_a_picture(&customer, &mut viewer, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_gets_one_text_after_the_customer_has_sent_it() {
    let mut broker = Broker::start().await;
    let (mut customer, _live, mut viewer) = exchanging(&mut broker, Choice::Share).await;
    customer.copies("the last");
    let asked = asks_for_the_text(&mut customer, &mut viewer).await;
    assert_eq!(asked.clipboard, ClipboardState::Asked { by: "Anna s".to_owned(), question: 1 });
    sends_the_text(&mut customer, &mut viewer).await;
    customer.copies("secret");
    shows_only_a_picture(&customer, &mut viewer, 1).await;
}

/// A second click on the button that was just answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_click_sends_nothing_to_the_next_who_asks() {
    let mut broker = Broker::start().await;
    let (mut customer, _live, mut viewer) = exchanging(&mut broker, Choice::Share).await;
    customer.copies("the last");
    asks_for_the_text(&mut customer, &mut viewer).await;
    sends_the_text(&mut customer, &mut viewer).await;
    asks_for_the_text(&mut customer, &mut viewer).await;
    customer.choose(Choice::SendClipboard(1));
    customer.choose(Choice::Pause);
    let still = customer.banner(|banner| banner.paused).await.clipboard;
    assert_eq!(still, ClipboardState::Asked { by: "Anna s".to_owned(), question: 2 });
    shows_only_a_picture(&customer, &mut viewer, 1).await;
}

/// Who only watches can't even have the customer asked.
#[tokio::test(flavor = "multi_thread")]
async fn who_watches_asks_in_vain() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    let mut watches = joins(&mut broker, &mut live, "watch").await;
    extended(&mut watches).await;
    cut(&mut watches, REQUEST | TEXT, &[]).await;
    watches.sees(0).await;
    customer.choose(Choice::Pause);
    let banner = customer.banner(|banner| banner.paused).await;
    assert_eq!(banner.clipboard, ClipboardState::Kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_goes_as_a_text_does() {
    let mut broker = Broker::start().await;
    let (mut customer, _live, mut viewer) =
        exchanging(&mut broker, Choice::ShareWithClipboard).await;
    let pixel = Contents::Picture(Png::new(PIXEL).unwrap());
    customer.copied(Change::Clipboard(pixel.clone()));
    assert_eq!(flags(&mut viewer).await, NOTIFY | PNG);
    cut(&mut viewer, REQUEST | PNG, &[]).await;
    assert_eq!(flags(&mut viewer).await, PROVIDE | PNG);
    customer.choose(Choice::KeepClipboard);
    customer.banner(|banner| banner.clipboard == ClipboardState::Kept).await;
    customer.copied(Change::Clipboard(pixel));
    shows_only_a_picture(&customer, &mut viewer, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_hear_of_what_is_not_carried_but_only_if_it_was_to_go() {
    let mut broker = Broker::start().await;
    let (mut customer, _live, mut viewer) = exchanging(&mut broker, Choice::Share).await;
    customer.copied(Change::NotCarried(NotCarried::LargePicture));
    shows_only_a_picture(&customer, &mut viewer, 1).await;
    let asked = asks_for_the_text(&mut customer, &mut viewer).await;
    assert_eq!(asked.notice, None);
    customer.choose(Choice::SendClipboard(1));
    let told = customer.banner(|banner| banner.notice.is_some()).await;
    assert!(told.notice.unwrap().contains("was not sent: it is too large"));
    assert_eq!(flags(&mut viewer).await, NOTIFY | DIB);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customer_hears_of_what_they_copied_that_does_not_come_back() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    let mut viewer = joins(&mut broker, &mut live, "control").await;
    viewer.sees(0).await;
    viewer.cuts("it takes the place of nothing").await;
    viewer.cuts(TAKES_PLACE).await;
    let told = customer.banner(|banner| banner.notice.is_some()).await;
    assert!(told.notice.unwrap().contains("what you copied is too large to come back"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewers_picture_comes_if_it_controls_and_the_picture_is_sound() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    let mut watches = joins(&mut broker, &mut live, "watch").await;
    let mut controls = joins(&mut broker, &mut live, "control").await;
    for viewer in [&mut watches, &mut controls] {
        extended(viewer).await;
        viewer.sees(0).await;
    }
    cut(&mut watches, PROVIDE | PNG, PIXEL).await;
    watches.sees(0).await;
    cut(&mut controls, PROVIDE | PNG, &PIXEL[..PIXEL.len() - 1]).await;
    cut(&mut controls, PROVIDE | PNG, PIXEL).await;
    let pixel = Contents::Picture(Png::new(PIXEL).unwrap());
    assert_eq!(customer.deeds.recv().await, Some(Done::Clipboard(pixel)));
}

/// `--no-clipboard`, also where the question's switch was on.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_clipboard_nothing_is_exchanged_either_way() {
    let mut broker = Broker::start().await;
    let mut customer = Customer::start_without_clipboard(invitation(&broker));
    customer.questions.recv().await.unwrap();
    customer.choose(Choice::ShareWithClipboard);
    let (mut live, _) = broker.welcomed().await;
    let mut viewer = joins(&mut broker, &mut live, "control").await;
    viewer.sees(0).await;
    customer.copies("secret");
    customer.choose(Choice::SendClipboard(1));
    shows_only_a_picture(&customer, &mut viewer, 1).await;
    viewer.cuts("from the viewer").await;
    viewer.key(true, 0x61).await;
    assert_eq!(customer.deeds.recv().await, Some(Done::Key(true, 0x61)), "and no text before it");
}

/// A customer who agreed in this way, and a viewer who controls and has agreed on the Extended Clipboard.
async fn exchanging(broker: &mut Broker, choice: Choice) -> (Customer, Live, Viewer) {
    let (customer, mut live) = sharing_as(broker, choice).await;
    let mut viewer = joins(broker, &mut live, "control").await;
    extended(&mut viewer).await;
    viewer.sees(0).await;
    (customer, live, viewer)
}

/// The viewer asks for what was copied; gives the banner with the question.
async fn asks_for_the_text(customer: &mut Customer, viewer: &mut Viewer) -> Banner {
    cut(viewer, REQUEST | TEXT, &[]).await;
    customer.banner(|banner| banner.clipboard != ClipboardState::Kept).await
}

/// The customer answers the first question for a text: the viewer gets it, and the clipboard is kept again.
async fn sends_the_text(customer: &mut Customer, viewer: &mut Viewer) {
    customer.choose(Choice::SendClipboard(1));
    assert_eq!(flags(viewer).await, NOTIFY | TEXT);
    cut(viewer, REQUEST | TEXT, &[]).await;
    assert_eq!(flags(viewer).await, PROVIDE | TEXT);
    customer.banner(|banner| banner.clipboard == ClipboardState::Kept).await;
}

async fn shows_only_a_picture(customer: &Customer, viewer: &mut Viewer, value: u8) {
    customer.fill(value);
    viewer.request(true).await;
    assert_eq!(viewer.update().await, value, "and no clipboard before it");
}

/// Agrees on the Extended Clipboard.
async fn extended(viewer: &mut Viewer) {
    let encoding = 0xc0a1_e5ce_u32.to_be_bytes();
    viewer.say(&[&[2, 0, 0, 2, 0, 0, 0, 0][..], &encoding].concat()).await;
    assert_eq!(flags(viewer).await & 1 << 24, 1 << 24, "the server's abilities");
    cut(viewer, 0x1f00_0001 | PNG, &[0; 8]).await;
}

async fn cut(viewer: &mut Viewer, flags: u32, body: &[u8]) {
    let length = -(4 + i32::try_from(body.len()).unwrap());
    let head = [&[6, 0, 0, 0][..], &length.to_be_bytes(), &flags.to_be_bytes()].concat();
    viewer.say(&[&head[..], body].concat()).await;
}

/// The flags of the next message of the Extended Clipboard.
async fn flags(viewer: &mut Viewer) -> u32 {
    let head = viewer.read(12).await;
    assert_eq!(head[0], 3, "a text");
    let length = i32::from_be_bytes(head[4..8].try_into().unwrap()).unsigned_abs();
    viewer.read(length as usize - 4).await;
    u32::from_be_bytes(head[8..].try_into().unwrap())
}

/// A customer who agrees in this way.
pub async fn sharing_as(broker: &mut Broker, choice: Choice) -> (Customer, Live) {
    let mut customer = Customer::start(invitation(broker));
    customer.questions.recv().await.unwrap();
    customer.choose(choice);
    let (live, _) = broker.welcomed().await;
    (customer, live)
}
