//! Generates the window's permissions: what a page may call is exactly the list below.

/// Every command of `src/commands.rs`; a command that is missing here is refused to every window.
const COMMANDS: &[&str] = &[
    "command",
    "subscribe",
    "open_link",
    "save_text",
    "save_picture",
    "active",
    "taken",
    "keep",
    "kept",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("src-tauri/capabilities/**/*")
        .app_manifest(manifest);
    tauri_build::try_build(attributes)?;
    Ok(())
}
