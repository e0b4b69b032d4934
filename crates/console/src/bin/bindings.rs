//! Writes the UI's TypeScript types, or with `--check` fails if they have drifted.

use std::{fs, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/lib/ipc/bindings.ts");
    let fresh = console::bindings::typescript();
    if std::env::args().any(|arg| arg == "--check") {
        if fs::read_to_string(&path).is_ok_and(|stored| stored == fresh) {
            return ExitCode::SUCCESS;
        }
        eprintln!(
            "check the generated types: ui/src/lib/ipc/bindings.ts has drifted from crates/console. \
             Run `cargo run -p deskhand-console --bin bindings` and commit the result."
        );
        return ExitCode::FAILURE;
    }
    match path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, fresh)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("write ui/src/lib/ipc/bindings.ts: {error}");
            ExitCode::FAILURE
        }
    }
}
