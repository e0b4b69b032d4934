//! Compiles in the pages that `npm run build` made in `ui/dist-pages`. Where they are missing, none are compiled in:
//! the servers can be built and checked without Node, and say in a browser what is missing.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let built = Path::new(&root).join("../../ui/dist-pages");
    println!("cargo:rerun-if-changed=build.rs");
    // The folder stands in git, for cargo would build this crate anew each time if it were missing.
    if built.is_dir() {
        println!("cargo:rerun-if-changed={}", built.display());
    }
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("pages.rs"), table(&built)?)
}

/// The rows of `built_pages::FILES`: page, file, and its text.
fn table(built: &Path) -> io::Result<String> {
    let mut rows = String::new();
    for folder in sorted(built)?.into_iter().filter(|path| path.is_dir()) {
        for file in sorted(&folder)? {
            let (page, name) = (name(&folder), name(&file));
            let path = file.canonicalize()?;
            let _ = writeln!(
                rows,
                "({page:?}, PageFile {{ name: {name:?}, text: include_str!({path:?}) }}),"
            );
        }
    }
    Ok(format!("&[{rows}]"))
}

/// In one order on every machine, so that the same pages make the same program.
fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
