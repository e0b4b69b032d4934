//! The shell, the only crate that uses tauri. It opens windows and passes on what happens in them;
//! the console decides.

mod announcer;
mod commands;
pub mod desktop;
mod memory;
mod overview;
mod page;
pub mod pages;
mod quit;
mod running;
mod shell;
pub mod tray;
mod window;

use console::cli::{Global, Signal, Signals};
use shell::Shell;
use tauri::{AppHandle, Builder, Manager, RunEvent};

/// Opens the main window and returns when the app has ended.
///
/// # Errors
/// The window system can't be reached, or a plugin couldn't start.
pub fn run(global: Global) -> Result<(), tauri::Error> {
    let app =
        Builder::default()
            // First, so that a second process ends before it touches any file.
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
                commands::active,
                commands::taken,
                commands::keep,
                commands::kept
            ])
            .setup(move |app| {
                let app = app.handle();
                let paused = memory::paused(app);
                let first = app.state::<Shell>().overview().start_with_paused(paused);
                // The window comes first: loading its page takes longest, and meanwhile the
                // console starts.
                window::create(app)?;
                obey_signals(app.clone());
                running::start(app.clone(), global);
                tray::create(app, &first, running::clicked)?;
                running::follow_tray_host(app.clone());
                Ok(())
            })
            .build(context())?;
    app.run(|_, event| {
        // Without this, closing the last window would end the app, tray included. Only `exit` has
        // a code.
        if let RunEvent::ExitRequested { code: None, api, .. } = event {
            api.prevent_exit();
        }
    });
    Ok(())
}

/// The configuration and the bundle of the app.
// In one function, because each use of the macro embeds the whole bundle again.
fn context() -> tauri::Context {
    tauri::generate_context!()
}

/// Ends the app in order on Ctrl-C in a terminal, when the terminal is closed, and at the end of the desktop session. A
/// SIGHUP without a closed terminal has it read its settings and certificate again.
fn obey_signals(app: AppHandle) {
    tauri::async_runtime::spawn(async move {
        match Signals::listen() {
            Ok(mut signals) => {
                while signals.next().await == Signal::Reload {
                    // In a task of its own: the console may still be starting, and ending must not wait for it.
                    let app = app.clone();
                    tauri::async_runtime::spawn(async move {
                        if let Ok(console) = app.state::<Shell>().console().await {
                            console.reload().await;
                        }
                    });
                }
                quit::end(&app);
            }
            Err(error) => {
                tracing::warn!(%error, "listen for Ctrl-C: the system refused; quit from the tray")
            }
        }
    });
}
