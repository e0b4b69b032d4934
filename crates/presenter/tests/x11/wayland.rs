//! A real Wayland desktop: sway without a screen, and the Xwayland that it starts.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use presenter::screen::{self, ScreenError};

use crate::desk::ConsentUi;

/// A user of no rights: sway doesn't run for root.
const NOBODY: u32 = 65_534;
/// It tells its X server's display once that lets us in, and ends if there is none.
const CONFIG: &str = "xwayland force\n\
    exec xhost +si:localuser:root >&2 && echo \"display $DISPLAY\" || swaymsg exit\n";
/// The longest time for that: an X server that hangs must not hold the tests up.
const STARTED_WITHIN: Duration = Duration::from_secs(60);

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
        let told = display_told(compositor.stdout.take().unwrap());
        // It is there from now on, so that a failure ends the compositor, too.
        let mut sway = Self { compositor, display: String::new(), _folder: folder };
        let display = told.recv_timeout(STARTED_WITHIN);
        sway.display = display.expect("an X server: sway, xwayland and xhost are installed");
        sway
    }
}

/// The display that it tells. Its output is read to its end, so that nothing it runs fails to write.
fn display_told(output: ChildStdout) -> Receiver<String> {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(display) = line.strip_prefix("display ") {
                let _ = tell.send(display.to_owned());
            }
        }
    });
    told
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
