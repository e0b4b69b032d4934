//! Networks of a test's own. They have no names and leave nothing behind: they end with the last process in them,
//! however that ends.

use std::{
    any::type_name,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Command as Blocking, Stdio},
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::{
    certificates::{self, AUTHORITY},
    stand_in::{Hosted, hosts},
};

/// Set where a test runs within its own network: the test's folder.
const WITHIN: &str = "DESKHAND_TEST_FOLDER";
/// The file that says that the test has come to its end.
const PASSED: &str = "passed";
/// The service's address.
pub const SERVICE: &str = "10.83.0.1";
/// The console's address.
pub const CONSOLE: &str = "10.83.0.2";

/// Runs a test within the service's network. For that this program is started there once more, for this test alone.
///
/// `test` is a closure in the test's function, by which it gets its name.
///
/// # Panics
/// If the test fails, or no network can be made.
pub fn inside<T: AsyncFnOnce(Hosted)>(test: T) {
    if let Some(folder) = std::env::var_os(WITHIN) {
        return run(&PathBuf::from(folder), test);
    }
    let folder = tempfile::tempdir().unwrap();
    certificates::make(folder.path());
    fs::write(folder.path().join("hosts"), hosts()).unwrap();
    let name = name_of::<T>();
    let ended = once_more(folder.path(), &name).status().expect("unshare can be started");
    assert!(
        ended.success() && folder.path().join(PASSED).exists(),
        "{name} failed in its own network, see above. If unshare or ip was refused: this test makes networks, which \
         needs root, or a system that lets its users make namespaces"
    );
}

fn run<T: AsyncFnOnce(Hosted)>(folder: &Path, test: T) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async { test(Hosted::start(folder).await).await });
    fs::write(folder.join(PASSED), "").unwrap();
}

/// `module::function` of a closure in a test's function, as the tests' runner knows it.
fn name_of<T>() -> String {
    let whole = type_name::<T>();
    let function = whole.split("::{{closure}}").next().unwrap();
    function.split_once("::").unwrap().1.to_owned()
}

/// This program with this test alone, where names are those of `folder/hosts` and certificates those of its authority.
fn once_more(folder: &Path, name: &str) -> Blocking {
    let script = r#"mount --bind "$1" /etc/hosts && ip link set lo up && shift && exec "$@""#;
    let mut command = unshare();
    command.args(["--net", "--mount", "sh", "-c", script, "sh"]).arg(folder.join("hosts"));
    command.arg(std::env::current_exe().unwrap()).args(["--exact", name, "--nocapture"]);
    command.env(WITHIN, folder).env("SSL_CERT_FILE", folder.join(AUTHORITY));
    // Where nginx and ip are, which isn't in everybody's path.
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap()));
    command
}

fn unshare() -> Blocking {
    let mut command = Blocking::new("unshare");
    // Whoever isn't root may be root in a namespace of their own.
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        command.args(["--user", "--map-root-user"]);
    }
    command
}

/// A second network, joined to this one: the console's.
pub struct Network {
    /// Keeps it.
    keeper: Child,
}

impl Network {
    /// Makes one.
    pub async fn join() -> Self {
        let mut command = Command::new("unshare");
        // It ends when its input does, and so with this process.
        command.args(["--net", "sh", "-c", "echo made; exec cat"]).kill_on_drop(true);
        let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(keeper.stdout.take().unwrap()).lines();
        assert_eq!(said.next_line().await.unwrap().as_deref(), Some("made"));
        let network = Self { keeper };
        let pid = network.pid();
        let here = format!(
            "ip link add to-console type veth peer name to-service netns {pid} && \
             ip address add {SERVICE}/24 dev to-console && ip link set to-console up"
        );
        let there = format!(
            "ip link set lo up && ip address add {CONSOLE}/24 dev to-service && ip link set to-service up"
        );
        for (mut shell, script) in [(Command::new("sh"), here), (network.within("sh"), there)] {
            assert!(shell.args(["-c", &script]).status().await.unwrap().success(), "{script}");
        }
        network
    }

    /// A program that will run within it, as the process that is started.
    pub fn within(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.pid(), "--net", program]);
        command
    }

    fn pid(&self) -> String {
        self.keeper.id().unwrap().to_string()
    }
}
