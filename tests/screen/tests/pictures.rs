//! Pictures on the clipboard, from one computer's real clipboard to the other's, through Chromium.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use screen_tests::{
    browser::{devtools, press, see, until},
    copied::{PIXEL, copies, is_png, pastes},
    shared::SharedScreen,
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn pictures_travel_from_one_clipboard_to_the_other() {
    let shared = SharedScreen::in_a_window().await;
    let page = &shared.browser;
    let allowed = json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    devtools(page, "Browser.grantPermissions", allowed).await;
    shared.takes_the_keyboard().await;

    let (technician, customer) = (shared.technician.name(), shared.customer.name());
    let folder = shared.world.folder();
    let _owner = copies(customer, PIXEL, "image/png", folder);
    let label = "const e = document.getElementById('clip-picture');
        return !e.hidden && e.getAttribute('aria-label') === 'A picture of 1 by 1 pixels'";
    until(page, "the customer's picture is in the panel", label).await;
    press(page, "clipboard").await;
    see(page, "clip-told", "it is on your clipboard too").await;
    tokio::task::block_in_place(|| pastes(technician, is_png));

    // More than any property of X or message holds at once: noise, pasted into the panel.
    let paste = "const done = arguments[0], canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [500, 400];
        const draw = canvas.getContext('2d'), picture = draw.createImageData(500, 400);
        for (let at = 0; at < picture.data.length; at += 65536) {
            crypto.getRandomValues(picture.data.subarray(at, at + 65536));
        }
        for (let at = 3; at < picture.data.length; at += 4) picture.data[at] = 255;
        draw.putImageData(picture, 0, 0);
        canvas.toBlob((png) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([png], 'noise.png', { type: 'image/png' }));
            document.getElementById('clip').dispatchEvent(new ClipboardEvent('paste', { clipboardData }));
            done(png.size);
        }, 'image/png')";
    let size = page.execute_async(paste, Vec::new()).await.unwrap().as_u64().unwrap() as usize;
    see(page, "clip-told", "Press \"Send to the customer\"").await;
    press(page, "clip-send").await;
    see(page, "clip-told", "on the customer's clipboard now").await;
    let arrived =
        tokio::task::block_in_place(|| pastes(customer, |bytes| bytes.len() > PIXEL.len()));
    assert!(is_png(&arrived) && size > 256 * 1024, "{} of {size} bytes", arrived.len());
    assert!(arrived.len().abs_diff(size) < 1024, "{} of {size} bytes", arrived.len());

    let _owner = copies(customer, b"\xff\xd8\xff", "image/jpeg", folder);
    see(page, "clip-told", "copied a picture that is not carried").await;
    shared.ends().await;
}
