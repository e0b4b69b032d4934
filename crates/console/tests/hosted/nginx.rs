//! One nginx of the test's own, in the foreground and as one process.

use std::{fs, path::Path, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::process::PATIENCE;

pub struct Nginx {
    child: Child,
}

impl Nginx {
    /// Starts one with these directives in its `http` block, and waits until it listens. `program` is where it runs,
    /// `name` its files' in `folder`.
    pub async fn start(mut program: Command, folder: &Path, name: &str, http: &str) -> Self {
        let own = folder.join(name);
        fs::create_dir_all(&own).unwrap();
        let file = own.join("nginx.conf");
        fs::write(&file, configuration(&own, http)).unwrap();
        program.arg("-e").arg("stderr").arg("-p").arg(&own).arg("-c").arg(&file);
        let mut child = program.stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let listens = async {
            // It says this when all its sockets are open.
            while let Some(line) = log.next_line().await.unwrap() {
                if line.contains("event method") {
                    return;
                }
                eprintln!("nginx {name}: {line}");
            }
            panic!("nginx {name} has ended at once; is the package nginx-light installed?");
        };
        timeout(PATIENCE, listens).await.expect("nginx listens");
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        Self { child }
    }

    /// Ends it at once, with all its connections.
    pub async fn stop(mut self) {
        self.child.kill().await.unwrap();
    }
}

fn configuration(own: &Path, http: &str) -> String {
    let own = own.display();
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary: String =
        kinds.iter().map(|kind| format!("  {kind}_temp_path {own}/{kind};\n")).collect();
    format!(
        "daemon off;\nmaster_process off;\npid {own}/pid;\nerror_log stderr notice;\n\
         events {{ worker_connections 2048; }}\n\
         http {{\n{temporary}  access_log off;\n{http}\n}}\n"
    )
}
