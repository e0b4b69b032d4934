//! A shared screen, and a page in a window of Chromium that shows it, with a real keyboard.

use std::path::PathBuf;

use fantoccini::Client;

use crate::{
    browser::{Driver, PageScreen, until},
    display::Display,
    process::Program,
    world::{World, unattended},
};

/// Both ends, each on a display of its own.
#[derive(Debug)]
pub struct SharedScreen {
    /// The page.
    pub browser: Client,
    /// The technician's display.
    pub technician: Display,
    /// The customer's display.
    pub customer: Display,
    /// The customer's program.
    pub presenter: Program,
    /// The session.
    pub pin: String,
    conf: PathBuf,
    /// The broker between them.
    pub world: World,
    _manager: Program,
    _driver: Driver,
}

impl SharedScreen {
    /// Shares a screen and shows it in a window.
    pub async fn in_a_window() -> Self {
        let (technician, customer) = (Display::xvfb(1280, 900), Display::xvfb(1280, 800));
        let mut manager = std::process::Command::new("openbox");
        manager.env("DISPLAY", technician.name());
        let manager = Program::start(manager);
        let world = World::new().await;
        let pin = world.service.mint().await;
        // It is given once, and the program may be started again.
        let conf = world.service.conf(&pin, true, world.folder()).await;
        let presenter = Program::start(unattended(&customer, &conf));
        world.companion(&pin).await.until_sharing("shared").await;
        let driver = Driver::start_on(technician.name());
        let browser = driver.browser("technician", 1280, 900).await;
        browser.goto(&world.service.viewer_url(&pin, "Anna", false).await).await.unwrap();
        PageScreen(&browser).watch(1280).await;
        let (_manager, _driver) = (manager, driver);
        Self { browser, technician, customer, presenter, pin, conf, world, _manager, _driver }
    }

    /// Kills the customer's program.
    pub fn kill_presenter(&mut self) {
        self.presenter.kill();
    }

    /// Starts the customer's program again.
    pub async fn start_presenter(&mut self) {
        self.presenter = Program::start(unattended(&self.customer, &self.conf));
        self.world.companion(&self.pin).await.until_sharing("shared").await;
    }

    /// Waits until the window and the screen in it have the keyboard.
    pub async fn takes_the_keyboard(&self) {
        PageScreen(&self.browser).click((640, 400)).await;
        let script = "return document.hasFocus() && document.activeElement.id === 'typed'";
        until(&self.browser, "the screen has the keyboard", script).await;
    }

    /// Ends it.
    pub async fn ends(self) {
        self.browser.close().await.unwrap();
    }
}
