//! A real Wayland desktop: sway without a screen, and the Xwayland that it starts.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::process::{Child, Command, Stdio};

use presenter::screen::{self, ScreenError};

use crate::desk::ConsentUi;

/// A user of no rights: sway doesn't run for root.
const NOBODY: u32 = 65_534;
/// It tells its X server's display once that lets us in.
const CONFIG: &str =
    "xwayland force\nexec xhost +si:localuser:root >&2 && echo \"display $DISPLAY\"\n";

/// A running sway; it ends with this.
struct Sway {
    compositor: Child,
    display: String,
    _folder: tempfile::TempDir,
}

impl Sway {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config");
        fs::write(&config, CONFIG).unwrap();
        let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
        let mut program = if is_root {
            for path in [folder.path(), &config] {
                chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
            let mut program = Command::new("setpriv");
            let nobody = format!("--reuid={NOBODY}");
            program.args([&nobody, "--regid=65534", "--clear-groups", "sway"]);
            program
        } else {
            Command::new("sway")
        };
        program.arg("-c").arg(&config).current_dir(folder.path());
        for variable in ["DISPLAY", "WAYLAND_DISPLAY", "SWAYSOCK"] {
            program.env_remove(variable);
        }
        program
            .envs([("WLR_BACKENDS", "headless"), ("WLR_RENDERER", "pixman")])
            .envs([("HOME", folder.path()), ("XDG_RUNTIME_DIR", folder.path())])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut compositor = program.spawn().expect("sway is installed");
        let told = BufReader::new(compositor.stdout.take().unwrap());
        let mut told = told.lines().map(Result::unwrap);
        let display = told.find_map(|line| line.strip_prefix("display ").map(str::to_owned));
        let display = display.expect("sway has an X server: xwayland and xhost are installed");
        Self { compositor, display, _folder: folder }
    }
}

impl Drop for Sway {
    fn drop(&mut self) {
        // Asked and not killed, so that it removes the sockets and locks of its X server.
        let _asked = Command::new("kill").arg(self.compositor.id().to_string()).status();
        let _gone = self.compositor.wait();
    }
}

/// It takes every connection, and its root window shows one colour.
#[test]
fn the_x_server_of_a_wayland_desktop_is_refused_and_said() {
    // An X server of root's makes the folder of all their sockets, so that anybody can have one there.
    let _desk = ConsentUi::start("320x200x24", &[]);
    let sway = Sway::start();
    assert_eq!(screen::open(Some(&sway.display)).err(), Some(ScreenError::WaylandOnly));
}
