//! Writes the files that are generated from the console, or with `--check` fails if
//! one has drifted.

use std::{fs, io, path::Path, process::ExitCode};

use console::bindings::{FILES, GeneratedFile};

fn main() -> ExitCode {
    let check = std::env::args().any(|arg| arg == "--check");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for GeneratedFile { path: file, text } in FILES {
        let path = root.join(file);
        let stored = fs::read_to_string(&path).unwrap_or_default();
        let fresh = text(&stored);
        if stored == fresh {
            continue;
        }
        if check {
            eprintln!(
                "check the generated files: {file} has drifted from crates/console. \
                 Run `cargo run -p deskhand-console --bin bindings` and commit the result."
            );
            return ExitCode::FAILURE;
        }
        if let Err(error) = write(&path, &fresh) {
            eprintln!("write {file}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, text)
}
