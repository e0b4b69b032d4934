//! The shell: the only crate that names tauri. It opens windows and passes on what they say; the console decides.

mod board;
mod commands;
pub mod desktop;
mod memory;
pub mod pages;
mod shell;
pub mod tray;
mod window;

use console::cli::Global;
use shell::Shell;
use tauri::{AppHandle, Builder, Manager, RunEvent};

/// Opens the main window and returns when the app has ended.
///
/// # Errors
/// The window system can't be reached, or a plugin could not start.
pub fn run(global: Global) -> Result<(), tauri::Error> {
    let app =
        Builder::default()
            // First, so that a second start ends before it touches anything.
            .plugin(tauri_plugin_single_instance::init(|app, _, _| window::show_main(app)))
            .plugin(tauri_plugin_store::Builder::default().build())
            .plugin(
                tauri_plugin_window_state::Builder::default()
                    .with_state_flags(window::remembered())
                    .map_label(|label| {
                        if label.starts_with(desktop::viewer::LABEL) { "viewer" } else { label }
                    })
                    .build(),
            )
            .manage(Shell::new())
            .invoke_handler(tauri::generate_handler![
                commands::command,
                commands::subscribe,
                commands::open_link,
                commands::save_text,
                commands::save_picture,
                commands::active
            ])
            .setup(move |app| {
                let app = app.handle();
                let paused = memory::paused(app);
                let first = app.state::<Shell>().board().begin(paused);
                // The window first: its page loads longest, and meanwhile the console starts and the tray is made.
                window::create(app)?;
                shell::start(app.clone(), global);
                tray::create(app, &first, shell::clicked)?;
                end_on_signal(app.clone());
                Ok(())
            })
            .build(context())?;
    app.run(|_, event| {
        // Closing the last window leaves the tray; only `exit` with a code ends the app.
        if let RunEvent::ExitRequested { code: None, api, .. } = event {
            api.prevent_exit();
        }
    });
    Ok(())
}

/// The app's configuration and bundle, embedded once.
fn context() -> tauri::Context {
    tauri::generate_context!()
}

/// Ctrl-C in a terminal and the end of the desktop session both end the app in order.
fn end_on_signal(app: AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    tauri::async_runtime::spawn(async move {
        let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
            tracing::warn!("listen for Ctrl-C: the system refused; quit by the tray");
            return;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        shell::end(&app);
    });
}
