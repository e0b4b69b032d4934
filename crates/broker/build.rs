//! Takes the viewer's page along where it was built: `ui/dist-viewer`, made by `npm run build`.

use std::{env, fmt::Write as _, fs, io, path::Path};

const FILES: [&str; 3] = ["viewer.html", "viewer.css", "viewer.js"];

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let built = Path::new(&root).join("../../ui/dist-viewer");
    println!("cargo:rerun-if-changed=build.rs");
    // A folder that is missing would have this crate built anew every time.
    if built.is_dir() {
        println!("cargo:rerun-if-changed={}", built.display());
    }
    println!("cargo:rustc-check-cfg=cfg(viewer_built)");
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("viewer.rs"), expression(&built, Path::new(&out))?)
}

/// `Some(ViewerAssets { .. })` with copies of the files, or `None` if one is missing.
fn expression(built: &Path, out: &Path) -> io::Result<String> {
    if !FILES.iter().all(|name| built.join(name).is_file()) {
        return Ok("None".to_owned());
    }
    // For tests, which say that they were passed over where it isn't.
    println!("cargo:rustc-cfg=viewer_built");
    let mut fields = String::new();
    for name in FILES {
        let copy = out.join(name);
        fs::copy(built.join(name), &copy)?;
        let field = name.trim_start_matches("viewer.");
        let _ = write!(fields, "{field}: include_str!({copy:?}), ");
    }
    Ok(format!("Some(ViewerAssets {{ {fields}}})"))
}
