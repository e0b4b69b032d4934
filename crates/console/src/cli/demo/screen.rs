//! The demo's chapter with the screen: the console's viewer window, and a key that changes what is seen.

use std::time::Duration;

use super::{
    stage::{Stage, Told, unexpected},
    story::SCREEN_CUSTOMER,
    telling::Telling,
    window::Window,
};
use crate::{
    commands::{SessionCommand, ViewingCommand},
    parameters::Outcome,
    view::{SharingKind, StateKind},
};

/// A screen that has not changed for so long is at rest.
const REST: Duration = Duration::from_millis(400);

impl Stage {
    /// Tells it, where a screen is shared; else there is nothing to tell.
    pub async fn screen(&mut self, telling: &mut Telling) -> Told {
        if self.program().is_err() {
            return Ok(());
        }
        let session = self.new_session(telling, SCREEN_CUSTOMER, "T-1003").await?;
        telling.part("The customer's screen, on a virtual display");
        let mut customer = self.come_online(telling, &session, SCREEN_CUSTOMER).await?;
        let shared = self.detail(&session, "the shared screen", |detail| {
            (detail.screen.as_ref()?.sharing == SharingKind::Shared).then_some(())
        });
        customer.with_program(shared).await?;
        telling.seen("The console knows that the screen is shared");
        let window = self.watch(telling, &session).await?;
        let window = self.steer(telling, window, customer.has_terminal()).await?;
        self.detail(&session, "the viewer in the session", |detail| {
            let watchers = &detail.screen.as_ref()?.watchers;
            watchers.iter().find(|one| one.watching && one.sealed && one.controls).map(drop)
        })
        .await?;
        telling.seen("The session shows who controls, end-to-end encrypted");
        window.close().await;
        customer.end().await;
        let note = String::new();
        let close = SessionCommand::Close { session, outcome: Outcome::Resolved, note };
        self.command(close).await.map(drop)
    }

    /// Opens the window and shows the first picture.
    async fn watch(&mut self, telling: &mut Telling, session: &str) -> Told<Window> {
        let open =
            ViewingCommand::OpenViewer { session: session.into(), read_only: false, chat: false };
        self.command(open).await?;
        let url = self.desk().opened().filter(engine::remote::ViewerUrl::is_our_page);
        let url = url.ok_or_else(|| unexpected("a viewer window of the console's own"))?;
        let mut window = self.within("the viewer window", Window::open(&url)).await?;
        self.state(session, StateKind::Active, "the viewer connected").await?;
        telling.seen("The viewer window is open, with no PIN in it");
        let words = self.within("the words to compare", window.words()).await?;
        telling.seen(&format!("Encrypted from end to end; to compare: {words}"));
        self.within("the first picture", window.update()).await?;
        let (width, height) = window.size;
        telling.seen(&format!("The first picture: {width}x{height}, decoded"));
        Ok(window)
    }

    /// Types, and waits for the pixels.
    async fn steer(
        &self,
        telling: &mut Telling,
        mut window: Window,
        terminal: bool,
    ) -> Told<Window> {
        if !terminal {
            telling.note("There is no xterm on this computer, so nothing is typed into.");
            return Ok(window);
        }
        // The terminal under the pointer gets the keys.
        self.within("the pointer on the terminal", window.point(300, 400)).await?;
        let changed = self.within("pixels that a key has changed", type_and_see(window)).await;
        let (window, pixels) = changed?;
        telling.seen(&format!("A key was typed: {pixels} pixels changed"));
        Ok(window)
    }
}

/// Types until the terminal, which may still be starting, shows it.
async fn type_and_see(mut window: Window) -> Result<(Window, usize), String> {
    loop {
        window = at_rest(window).await?;
        let before = window.picture.clone();
        window.type_letter(b'm').await?;
        window.changes(REST).await?;
        let pairs = before.chunks_exact(4).zip(window.picture.chunks_exact(4));
        let changed = pairs.filter(|(old, new)| old[..3] != new[..3]).count();
        if changed > 0 {
            return Ok((window, changed));
        }
    }
}

/// The window once its picture has stopped to change.
async fn at_rest(mut window: Window) -> Result<Window, String> {
    while window.changes(REST).await? {}
    Ok(window)
}
