//! A viewer window shows someone else's page, and that page gets nowhere.

use fantoccini::Client;
use fantoccini::wd::WindowHandle;
use serde_json::{Value, json};

use crate::desk::{Desk, eventually};
use crate::page::{invoke, is_refusal, order};
use crate::service::{PIN, Service};
use crate::shell::Shell;

#[tokio::test]
async fn a_viewers_page_may_call_nothing_of_the_app() {
    let stage = Stage::new().await;
    stage.open_viewer(false).await;
    for command in [
        "command",
        "subscribe",
        "open_link",
        "save_text",
        "active",
        "plugin:store|load",
        "plugin:window|close",
    ] {
        let given = json!({ "command": { "do": "settings" }, "url": "https://example.com", "fileName": "x", "text": "" });
        let answer = invoke(&stage.app, command, given).await;
        assert!(is_refusal(&answer), "{command}: {answer:?}");
    }
}

#[tokio::test]
async fn a_window_of_ours_has_no_pin_may_call_nothing_and_goes_nowhere() {
    let mut desk = Desk::new().await;
    let _shell = Shell::on(&desk).await;
    let app = desk.open_app().await;
    let main = app.window().await.unwrap();
    let made =
        order(&app, json!({ "do": "new_session", "about": { "customer": "Maria Lopez" } })).await;
    let session = json!({ "do": "detail", "session": made["id"] });
    let pin = async || {
        let detail = order(&app, session.clone()).await["detail"].clone();
        detail["pin"]["text"].as_str().map(str::to_owned)
    };
    let pin = eventually("a PIN", pin).await;
    order(&app, json!({ "do": "open_viewer", "session": made["id"], "read_only": false })).await;
    let viewer = app.windows().await.unwrap().into_iter().find(|window| *window != main).unwrap();
    app.switch_to_window(viewer).await.unwrap();
    let connected = async || {
        let script = "return document.getElementById('state-text')?.textContent ?? ''";
        let told = app.execute(script, vec![]).await.ok()?;
        told.as_str()?.contains("Connected").then_some(())
    };
    eventually("the session", connected).await;
    let html = app.source().await.unwrap();
    let address = app.current_url().await.unwrap();
    assert!(address.path().starts_with("/viewer/"), "a page of ours");
    for place in [address.as_str(), &html, &app.title().await.unwrap()] {
        assert!(!place.contains(&pin), "the PIN is in the window");
    }
    assert!(!desk.visible_windows().concat().contains(&pin));
    let answer = invoke(&app, "command", json!({ "command": { "do": "settings" } })).await;
    assert!(is_refusal(&answer), "{answer:?}");

    let elsewhere = Service::start();
    let leave =
        "const [there, done] = arguments; setTimeout(() => done(null), 0); location = there;";
    app.execute_async(leave, vec![elsewhere.url().into()]).await.unwrap();
    let stays = "const [, done] = arguments; fetch('viewer.css').finally(() => done(null));";
    app.execute_async(stays, vec![Value::Null]).await.unwrap();
    assert_eq!(elsewhere.asked(), [""; 0]);
    assert_eq!(app.current_url().await.unwrap().path(), address.path());
}

#[tokio::test]
async fn a_viewers_page_stays_on_its_own_origin() {
    let stage = Stage::new().await;
    let elsewhere = Service::start();
    stage.open_viewer(false).await;
    let frame = "const [there, done] = arguments; const frame = document.createElement('iframe');
        frame.src = there; document.body.append(frame); fetch('/tried').finally(() => done(null));";
    let redirect = format!("/redirect?to={}/frame", elsewhere.url());
    stage.run(frame, &redirect).await;
    eventually("the redirect to be asked for", async || stage.asked("/redirect")).await;
    stage.run(frame, &format!("{}/frame", elsewhere.url())).await;
    stage
        .run("const [there, done] = arguments; window.open(there); done(null);", &elsewhere.url())
        .await;
    stage
        .run(
            "const [there, done] = arguments; setTimeout(() => done(null), 0); location = there;",
            &elsewhere.url(),
        )
        .await;
    stage
        .run("const [there, done] = arguments; fetch(there).finally(() => done(null));", "/last")
        .await;
    eventually("the page to go on", async || stage.asked("/last")).await;

    assert_eq!(elsewhere.asked(), [""; 0], "no frame, window or page was loaded from elsewhere");
    assert_eq!(stage.app.windows().await.unwrap().len(), 2);
    assert!(stage.app.current_url().await.unwrap().as_str().starts_with(&stage.service.url()));
}

#[tokio::test]
async fn a_viewers_page_may_load_from_an_origin_that_the_settings_name_and_from_no_other() {
    let stage = Stage::new().await;
    let (named, other) = (Service::start(), Service::start());
    let changes = json!({ "viewer_origins": [named.url()] });
    order(&stage.app, json!({ "do": "configure", "changes": changes })).await;
    stage.open_viewer(false).await;
    let frame = "const [there, done] = arguments; const frame = document.createElement('iframe');
        frame.src = there; document.body.append(frame); done(null);";
    stage.run(frame, &format!("{}/frame", other.url())).await;
    stage.run(frame, &format!("{}/frame", named.url())).await;
    let loaded = async || named.asked().contains(&"GET /frame".to_owned()).then_some(());
    eventually("the frame from the origin that is named", loaded).await;
    assert_eq!(other.asked(), [""; 0]);
}

#[tokio::test]
async fn a_viewers_page_may_download_nothing() {
    let stage = Stage::new().await;
    stage.open_viewer(false).await;
    let click = "const [there, done] = arguments; const link = document.createElement('a');
        link.href = there; link.download = 'x.exe'; document.body.append(link); link.click(); done(null);";
    stage.run(click, "/file").await;
    eventually("the file to be asked for", async || stage.asked("/file")).await;
    stage
        .run("const [there, done] = arguments; fetch(there).finally(() => done(null));", "/last")
        .await;
    assert_eq!(files_called(stage.desk.home(), "x.exe"), 0);
}

#[tokio::test]
async fn driving_and_watching_have_a_window_each_and_neither_twice() {
    let stage = Stage::new().await;
    for read_only in [false, true, false, true] {
        stage.open_viewer(read_only).await;
    }
    assert_eq!(stage.app.windows().await.unwrap().len(), 3);
    let titles = stage.desk.visible_windows();
    assert!(titles.contains(&"Maria Lopez - Deskhand".to_owned()), "{titles:?}");
    assert!(titles.contains(&"Maria Lopez (watching) - Deskhand".to_owned()), "{titles:?}");
    assert!(!titles.concat().contains(PIN), "{titles:?}");
    stage.windows_become(2).await;

    stage.desk.tool("wmctrl", &["-F", "-c", "Maria Lopez (watching) - Deskhand"]);
    stage.windows_become(1).await;
}

/// A session of Maria Lopez with a service that is not ours.
pub struct Stage {
    pub desk: Desk,
    pub service: Service,
    pub shell: Shell,
    pub app: Client,
    main: WindowHandle,
    session: String,
}

impl Stage {
    pub async fn new() -> Self {
        Self::logging("warn").await
    }

    /// The same, with this much in the log.
    pub async fn logging(level: &str) -> Self {
        let service = Service::start();
        let mut desk = Desk::new().await;
        desk.set("DESKHAND_LOG", level.to_owned());
        desk.set("DESKHAND_BASE_URL", format!("{}/api/v1", service.url()));
        desk.set("DESKHAND_REGION_URL_TEMPLATE", format!("{}/region/{{region}}", service.url()));
        let shell = Shell::on(&desk).await;
        let app = desk.open_app().await;
        let main = app.window().await.unwrap();
        let made =
            order(&app, json!({ "do": "new_session", "about": { "customer": "Maria Lopez" } }))
                .await;
        let session = made["id"].as_str().unwrap().to_owned();
        let stage = Self { desk, service, shell, app, main, session };
        eventually("a PIN", async || stage.detail().await["pin"].is_object().then_some(())).await;
        stage
    }

    /// The app is killed and started again, on the same desktop.
    pub async fn restart_after_kill(&mut self) {
        self.desk.kill_app();
        self.service.forget();
        self.app = self.desk.open_app().await;
        self.main = self.app.window().await.unwrap();
    }

    /// Opens a viewer window and looks at it from now on.
    pub async fn open_viewer(&self, read_only: bool) {
        self.look_at_main().await;
        let before = self.app.windows().await.unwrap();
        order(
            &self.app,
            json!({ "do": "open_viewer", "session": self.session, "read_only": read_only }),
        )
        .await;
        if let Some(new) =
            self.app.windows().await.unwrap().into_iter().find(|handle| !before.contains(handle))
        {
            self.app.switch_to_window(new).await.unwrap();
            let loaded =
                async || (self.app.title().await.ok()? == "Deskhand settings").then_some(());
            eventually("the viewer's page", loaded).await;
        }
    }

    /// Looks at the main window from now on.
    pub async fn look_at_main(&self) {
        self.switch(|handle, main| handle == main).await;
    }

    async fn switch(&self, wanted: impl Fn(&WindowHandle, &WindowHandle) -> bool) {
        let handles = self.app.windows().await.unwrap();
        let handle = handles.into_iter().find(|handle| wanted(handle, &self.main)).unwrap();
        self.app.switch_to_window(handle).await.unwrap();
    }

    /// The session's id.
    pub fn session(&self) -> &str {
        &self.session
    }

    async fn run(&self, script: &str, argument: &str) {
        self.app.execute_async(script, vec![argument.into()]).await.unwrap();
    }

    async fn detail(&self) -> Value {
        order(&self.app, json!({ "do": "detail", "session": self.session })).await["detail"].clone()
    }

    /// Waits until the console knows of so many viewer windows.
    pub async fn windows_become(&self, open: u32) {
        self.look_at_main().await;
        let told = async || (self.detail().await["windows"] == open).then_some(());
        eventually(format!("{open} viewer windows"), told).await;
    }

    fn asked(&self, path: &str) -> Option<()> {
        self.service.asked().iter().any(|request| request.contains(path)).then_some(())
    }
}

fn files_called(folder: &std::path::Path, name: &str) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let count = |entry: std::fs::DirEntry| {
        let path = entry.path();
        if path.is_dir() { files_called(&path, name) } else { usize::from(path.ends_with(name)) }
    };
    entries.map(count).sum()
}
