//! A session in the app whose customer shares a real screen, with the app's own viewer window open.

use desktop_tests::page::run_command;
use desktop_tests::{Desktop, eventually};
use fantoccini::{Client, wd::WindowHandle};
use screen_tests::{
    browser::PageScreen, consent, display::Display, process::Program, service::Service as Broker,
    world::presenter,
};
use serde_json::{Value, json};

pub struct SharedScreen<'a> {
    app: &'a Client,
    session: Value,
    pub main: WindowHandle,
    pub viewer: WindowHandle,
    _presenter: Program,
}

impl<'a> SharedScreen<'a> {
    /// The customer is asked on their display, and agrees. The main window stays the one that is driven.
    pub async fn open(desktop: &Desktop, app: &'a Client, customer: &Display) -> Self {
        let main = app.window().await.unwrap();
        let about = json!({ "customer": "Maria Lopez" });
        let made = run_command(app, json!({ "do": "new_session", "about": about })).await;
        let session = made["id"].clone();
        let detail = async || detail(app, &session).await;
        let link = async || detail().await["pin"]["join_link"].as_str().map(str::to_owned);
        let link = eventually("the customer's link", link).await;
        let (origin, pin) = link.split_once("/join#").unwrap();

        let conf = Broker::at(origin.to_owned()).conf(pin, false, desktop.home()).await;
        let mut command = presenter(customer);
        command.arg("--conf").arg(conf);
        let presenter = Program::start(command);
        consent::agree(customer);
        let shared = async || (detail().await["screen"]["sharing"] == "shared").then_some(());
        eventually("the console to know that the screen is shared", shared).await;

        let open = json!({ "do": "open_viewer", "session": session, "read_only": false });
        run_command(app, open).await;
        let windows = app.windows().await.unwrap();
        let viewer = windows.into_iter().find(|window| *window != main).unwrap();
        Self { app, session, main, viewer, _presenter: presenter }
    }

    /// The same; the viewer window is driven, shows the screen and has the keyboard.
    pub async fn watched(desktop: &Desktop, app: &'a Client, customer: &Display) -> Self {
        let shared = Self::open(desktop, app, customer).await;
        app.switch_to_window(shared.viewer.clone()).await.unwrap();
        PageScreen(app).watch(1280).await;
        desktop.activate("Maria Lopez - Deskhand").await;
        shared
    }

    /// What the console knows of the session. The main window must be the one that is driven.
    pub async fn detail(&self) -> Value {
        detail(self.app, &self.session).await
    }
}

async fn detail(app: &Client, session: &Value) -> Value {
    run_command(app, json!({ "do": "detail", "session": session })).await["detail"].take()
}
