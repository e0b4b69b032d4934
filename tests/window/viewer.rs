//! The limits of the page in a viewer window.

use fantoccini::Client;
use fantoccini::wd::WindowHandle;
use serde_json::{Value, json};

use crate::DESKHAND;
use desktop_tests::page::{invoke, is_refusal, run_command};
use desktop_tests::service::{PIN, Service};
use desktop_tests::shell::{Answers, Shell};
use desktop_tests::{Desktop, eventually};

#[tokio::test]
async fn a_viewers_page_may_call_nothing_of_the_app() {
    let fixture = ViewerFixture::new().await;
    fixture.open_viewer(false).await;
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
        let answer = invoke(&fixture.app, command, given).await;
        assert!(is_refusal(&answer), "{command}: {answer:?}");
    }
}

#[tokio::test]
async fn a_window_of_ours_has_no_pin_may_call_nothing_and_goes_nowhere() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let _shell = Shell::start(&desktop).await;
    let app = desktop.open_app().await;
    let main = app.window().await.unwrap();
    let made =
        run_command(&app, json!({ "do": "new_session", "about": { "customer": "Maria Lopez" } }))
            .await;
    let session = json!({ "do": "detail", "session": made["id"] });
    let pin = async || {
        let detail = run_command(&app, session.clone()).await["detail"].clone();
        detail["pin"]["text"].as_str().map(str::to_owned)
    };
    let pin = eventually("a PIN", pin).await;
    run_command(&app, json!({ "do": "open_viewer", "session": made["id"], "read_only": false }))
        .await;
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
    assert!(!desktop.visible_windows().concat().contains(&pin));
    let answer = invoke(&app, "command", json!({ "command": { "do": "settings" } })).await;
    assert!(is_refusal(&answer), "{answer:?}");

    let elsewhere = Service::start();
    let leave =
        "const [there, done] = arguments; setTimeout(() => done(null), 0); location = there;";
    app.execute_async(leave, vec![elsewhere.url().into()]).await.unwrap();
    let stays = "const [, done] = arguments; fetch('viewer.css').finally(() => done(null));";
    app.execute_async(stays, vec![Value::Null]).await.unwrap();
    assert_eq!(elsewhere.requests(), [""; 0]);
    assert_eq!(app.current_url().await.unwrap().path(), address.path());
}

#[tokio::test]
async fn a_viewers_page_stays_on_its_own_origin() {
    let fixture = ViewerFixture::new().await;
    let elsewhere = Service::start();
    fixture.open_viewer(false).await;
    let frame = "const [there, done] = arguments; const frame = document.createElement('iframe');
        frame.src = there; document.body.append(frame); fetch('/tried').finally(() => done(null));";
    let redirect = format!("/redirect?to={}/frame", elsewhere.url());
    fixture.run(frame, &redirect).await;
    eventually("the redirect to be asked for", async || fixture.was_requested("/redirect")).await;
    fixture.run(frame, &format!("{}/frame", elsewhere.url())).await;
    fixture
        .run("const [there, done] = arguments; window.open(there); done(null);", &elsewhere.url())
        .await;
    fixture
        .run(
            "const [there, done] = arguments; setTimeout(() => done(null), 0); location = there;",
            &elsewhere.url(),
        )
        .await;
    fixture
        .run("const [there, done] = arguments; fetch(there).finally(() => done(null));", "/last")
        .await;
    eventually("the page to go on", async || fixture.was_requested("/last")).await;

    assert_eq!(elsewhere.requests(), [""; 0], "no frame, window or page was loaded from elsewhere");
    assert_eq!(fixture.app.windows().await.unwrap().len(), 2);
    assert!(fixture.app.current_url().await.unwrap().as_str().starts_with(&fixture.service.url()));
}

#[tokio::test]
async fn a_viewers_page_may_load_from_an_origin_that_the_settings_name_and_from_no_other() {
    let fixture = ViewerFixture::new().await;
    let (named, other) = (Service::start(), Service::start());
    let changes = json!({ "viewer_origins": [named.url()] });
    run_command(&fixture.app, json!({ "do": "configure", "changes": changes })).await;
    fixture.open_viewer(false).await;
    let frame = "const [there, done] = arguments; const frame = document.createElement('iframe');
        frame.src = there; document.body.append(frame); done(null);";
    fixture.run(frame, &format!("{}/frame", other.url())).await;
    fixture.run(frame, &format!("{}/frame", named.url())).await;
    let loaded = async || named.requests().contains(&"GET /frame".to_owned()).then_some(());
    eventually("the frame from the origin that is named", loaded).await;
    assert_eq!(other.requests(), [""; 0]);
}

#[tokio::test]
async fn a_viewers_page_may_download_nothing() {
    let fixture = ViewerFixture::new().await;
    fixture.open_viewer(false).await;
    let click = "const [there, done] = arguments; const link = document.createElement('a');
        link.href = there; link.download = 'x.exe'; document.body.append(link); link.click(); done(null);";
    fixture.run(click, "/file").await;
    eventually("the file to be asked for", async || fixture.was_requested("/file")).await;
    fixture
        .run("const [there, done] = arguments; fetch(there).finally(() => done(null));", "/last")
        .await;
    assert_eq!(files_called(fixture.desktop.home(), "x.exe"), 0);
}

#[tokio::test]
async fn driving_and_watching_have_a_window_each_and_neither_twice() {
    let fixture = ViewerFixture::new().await;
    for read_only in [false, true, false, true] {
        fixture.open_viewer(read_only).await;
    }
    assert_eq!(fixture.app.windows().await.unwrap().len(), 3);
    let both = async || {
        let titles = fixture.desktop.visible_windows();
        let shown = |title: &str| titles.iter().any(|shown| shown == title);
        let both = shown("Maria Lopez - Deskhand") && shown("Maria Lopez (watching) - Deskhand");
        both.then_some(titles)
    };
    let titles = eventually("both windows on the screen", both).await;
    assert!(!titles.concat().contains(PIN), "{titles:?}");
    fixture.windows_become(2).await;

    fixture.desktop.tool("wmctrl", &["-F", "-c", "Maria Lopez (watching) - Deskhand"]);
    fixture.windows_become(1).await;
}

/// A session of Maria Lopez at a service that isn't ours.
pub struct ViewerFixture {
    pub desktop: Desktop,
    pub service: Service,
    pub shell: Shell,
    pub app: Client,
    main: WindowHandle,
    session: String,
}

impl ViewerFixture {
    pub async fn new() -> Self {
        Self::logging("warn").await
    }

    /// The same with a log level.
    pub async fn logging(level: &str) -> Self {
        let service = Service::start();
        let mut desktop = Desktop::new(DESKHAND).await;
        desktop.set("DESKHAND_LOG", level.to_owned());
        desktop.set("DESKHAND_BASE_URL", format!("{}/api/v1", service.url()));
        desktop.set("DESKHAND_REGION_URL_TEMPLATE", format!("{}/region/{{region}}", service.url()));
        let shell = Shell::start(&desktop).await;
        let app = desktop.open_app().await;
        let main = app.window().await.unwrap();
        let made = run_command(
            &app,
            json!({ "do": "new_session", "about": { "customer": "Maria Lopez" } }),
        )
        .await;
        let session = made["id"].as_str().unwrap().to_owned();
        let fixture = Self { desktop, service, shell, app, main, session };
        eventually("a PIN", async || fixture.detail().await["pin"].is_object().then_some(())).await;
        fixture
    }

    /// Kills the app and starts it again on the same desktop.
    pub async fn restart_after_kill(&mut self) {
        self.restart_with(Answers::AtOnce).await;
    }

    /// The same, with a notification daemon that answers so from the kill on.
    pub async fn restart_with(&mut self, answers: Answers) {
        self.desktop.kill_app();
        self.shell.set_answers(answers);
        self.service.clear_requests();
        self.app = self.desktop.open_app().await;
        self.main = self.app.window().await.unwrap();
    }

    /// Opens a viewer window, which the WebDriver uses from now on.
    pub async fn open_viewer(&self, read_only: bool) {
        self.look_at_main().await;
        let before = self.app.windows().await.unwrap();
        run_command(
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

    /// Makes the WebDriver use the main window.
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
        run_command(&self.app, json!({ "do": "detail", "session": self.session })).await["detail"]
            .clone()
    }

    /// Waits until the console knows of this many viewer windows.
    pub async fn windows_become(&self, open: u32) {
        self.look_at_main().await;
        let told = async || (self.detail().await["windows"] == open).then_some(());
        eventually(format!("{open} viewer windows"), told).await;
    }

    fn was_requested(&self, path: &str) -> Option<()> {
        self.service.requests().iter().any(|request| request.contains(path)).then_some(())
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
