//! The demo's chapter about the screen: the console's viewer window, and a key that
//! changes the picture.

use std::time::Duration;

use super::{
    demo_console::{DemoConsole, StepResult, unexpected},
    narrator::Narrator,
    story::SCREEN_CUSTOMER,
    viewer_window::Window,
};
use console::{
    commands::{SessionCommand, ViewingCommand},
    parameters::Outcome,
    view::{SharingKind, StateKind},
};

/// A screen without changes for so long is at rest, at first.
const REST: Duration = Duration::from_millis(400);

impl DemoConsole {
    /// Plays the chapter if a screen is shared; otherwise does nothing.
    pub async fn screen(&mut self, narrator: &mut Narrator) -> StepResult {
        if self.program().is_err() {
            return Ok(());
        }
        let session = self.new_session(narrator, SCREEN_CUSTOMER, "T-1003").await?;
        narrator.part("The customer's screen, on a virtual display");
        let mut customer = self.come_online(narrator, &session, SCREEN_CUSTOMER).await?;
        let shared = self.detail(&session, "the shared screen", |detail| {
            (detail.screen.as_ref()?.sharing == SharingKind::Shared).then_some(())
        });
        customer.with_program(shared).await?;
        narrator.seen("The console knows that the screen is shared");
        let window = self.watch(narrator, &session).await?;
        let window = self.steer(narrator, window, customer.has_terminal()).await?;
        self.detail(&session, "the viewer in the session", |detail| {
            let watchers = &detail.screen.as_ref()?.watchers;
            watchers.iter().find(|one| one.watching && one.sealed && one.controls).map(drop)
        })
        .await?;
        narrator.seen("The session shows who controls, end-to-end encrypted");
        window.close().await;
        customer.end().await;
        let note = String::new();
        let close = SessionCommand::Close { session, outcome: Outcome::Resolved, note };
        self.command(close).await.map(drop)
    }

    /// Opens the window and shows the first picture.
    async fn watch(&mut self, narrator: &mut Narrator, session: &str) -> StepResult<Window> {
        let open =
            ViewingCommand::OpenViewer { session: session.into(), read_only: false, chat: false };
        self.command(open).await?;
        let url = self.desktop().opened().filter(engine::remote::ViewerUrl::is_our_page);
        let url = url.ok_or_else(|| unexpected("a viewer window of the console's own"))?;
        let mut window = self.within("the viewer window", Window::open(&url)).await?;
        self.state(session, StateKind::Active, "the viewer connected").await?;
        narrator.seen("The viewer window is open, with no PIN in it");
        let words = self.within("the words to compare", window.words()).await?;
        narrator.seen(&format!("Encrypted from end to end; to compare: {words}"));
        self.within("the first picture", window.update()).await?;
        let (width, height) = window.size;
        narrator.seen(&format!("The first picture: {width}x{height}, decoded"));
        Ok(window)
    }

    /// Types a letter, and waits until the picture changes.
    async fn steer(
        &self,
        narrator: &mut Narrator,
        mut window: Window,
        terminal: bool,
    ) -> StepResult<Window> {
        if !terminal {
            narrator.note("There is no xterm on this computer, so nothing is typed into.");
            return Ok(window);
        }
        // The terminal under the pointer gets the keys.
        self.within("the pointer on the terminal", window.point(300, 400)).await?;
        let changed = self.within("pixels that a key has changed", type_and_see(window)).await;
        let (window, pixels) = changed?;
        narrator.seen(&format!("A key was typed: {pixels} pixels changed"));
        Ok(window)
    }
}

/// Types until the terminal, which may still be starting, shows it.
async fn type_and_see(mut window: Window) -> Result<(Window, usize), String> {
    // Longer each time: on a slow computer what is typed is seen late, and would be taken for part of the rest.
    let mut rest = REST;
    loop {
        window = at_rest(window, rest).await?;
        let before = window.picture.clone();
        window.type_letter(b'm').await?;
        window.changes(rest).await?;
        let pairs = before.chunks_exact(4).zip(window.picture.chunks_exact(4));
        let changed = pairs.filter(|(old, new)| old[..3] != new[..3]).count();
        if changed > 0 {
            return Ok((window, changed));
        }
        rest *= 2;
    }
}

/// The window once its picture has stopped changing for so long.
async fn at_rest(mut window: Window, rest: Duration) -> Result<Window, String> {
    while window.changes(rest).await? {}
    Ok(window)
}
