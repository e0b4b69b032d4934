//! What operators see of a headless console that runs as a service: health, log, and what a SIGHUP changes.

use std::{path::Path, process::Stdio};

use port_tests::KeptPort;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::process::{Console, PATIENCE, PROGRAM, started_by};

fn fixture(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn put_certificate(folder: &Path, name: &str) {
    std::fs::write(folder.join("cert.pem"), fixture(&format!("{name}.cert.pem"))).unwrap();
    std::fs::write(folder.join("key.pem"), fixture(&format!("{name}.key.pem"))).unwrap();
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let plain = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).tls_info(true);
    plain.tls_danger_accept_invalid_certs(true).build().unwrap()
}

/// The certificate that a server shows, in DER; none while nobody answers.
async fn certificate(origin: &str) -> Option<Vec<u8>> {
    let answer = client().get(format!("{origin}/healthz")).send().await.ok()?;
    let info = answer.extensions().get::<reqwest::tls::TlsInfo>()?;
    info.peer_certificate().map(<[u8]>::to_owned)
}

/// Waits until the log has this text so many times.
async fn log_says(home: &Path, text: &str, times: usize) {
    let said = async {
        while std::fs::read_to_string(home.join("log")).unwrap().matches(text).count() < times {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, said).await.unwrap_or_else(|_| panic!("the log doesn't say `{text}`"));
}

#[tokio::test]
async fn a_hangup_reads_settings_and_the_doors_certificate_again_and_keeps_what_was_good() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("data")).unwrap();
    let file = home.path().join("data/settings.toml");
    put_certificate(home.path(), "serve/tests/fixtures/test-only");
    let (cert, key) = (home.path().join("cert.pem"), home.path().join("key.pem"));
    let kept = KeptPort::new();
    let port = kept.number();
    let door = format!(
        "lan = true\nlan_listen = \"127.0.0.1:{port}\"\ntls_cert = {cert:?}\ntls_key = {key:?}\n"
    );
    std::fs::write(&file, &door).unwrap();
    let words = ["--keep-running", "--log", "info", "--log-format", "json"];
    let mut console = Console::start_logging(home.path(), &words).await;
    let origin = format!("https://127.0.0.1:{port}");
    let first = certificate(&origin).await.unwrap();

    put_certificate(home.path(), "engine/tests/fixtures/test-only-expired");
    let commented = format!("# by hand\ntechnician = \"Anna Keller\"\n{door}");
    std::fs::write(&file, &commented).unwrap();
    console.signal("HUP");
    log_says(home.path(), "the certificate was read again", 1).await;
    let second = certificate(&origin).await.unwrap();
    assert_ne!(first, second);
    let settings = console.ask(json!({ "do": "settings" })).await;
    assert!(settings.to_string().contains("Anna Keller"), "{settings}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), commented, "the file is left as it is");

    // Neither a broken file nor a broken certificate changes anything.
    std::fs::write(&file, "lan = maybe").unwrap();
    std::fs::write(&cert, "no certificate").unwrap();
    console.signal("HUP");
    log_says(home.path(), "the certificate was not taken up", 1).await;
    log_says(home.path(), "the settings were not taken up", 1).await;
    assert_eq!(certificate(&origin).await, Some(second));
    let settings = console.ask(json!({ "do": "settings" })).await;
    assert!(settings.to_string().contains("Anna Keller"), "{settings}");
    console.signal("TERM");
    assert_eq!(console.ended().await, Some(0));
    let log = std::fs::read_to_string(home.path().join("log")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for start in [
        "the webhook listener answers",
        "the broker that comes along answers",
        "open to the network",
    ] {
        assert!(lines.iter().any(|line| line["message"] == start), "{start}: {log}");
    }
}

#[tokio::test]
async fn a_hangup_names_what_a_flag_decides_and_leaves_the_file_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("data")).unwrap();
    let file = home.path().join("data/settings.toml");
    let words = ["--keep-running", "--log", "info", "--technician", "By Flag"];
    let mut console = Console::start_logging(home.path(), &words).await;
    let by_hand = "# by hand\ntechnician = \"By File\"\ncompany = \"ACME\"\n";
    std::fs::write(&file, by_hand).unwrap();
    console.signal("HUP");
    log_says(home.path(), "flags or environment variables decide", 1).await;
    log_says(home.path(), "the settings were read again", 1).await;
    let settings = console.ask(json!({ "do": "settings" })).await.to_string();
    assert!(settings.contains("By Flag") && settings.contains("ACME"), "{settings}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), by_hand, "the file is left as it is");

    // What is set here later loses nothing of it.
    let changes = json!({ "company": "ACME Ltd" });
    console.ask(json!({ "do": "configure", "changes": changes })).await;
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.contains("By File") && kept.contains("ACME Ltd"), "{kept}");
    // The flag's own value in the file is nothing to tell.
    std::fs::write(&file, kept.replace("By File", "By Flag")).unwrap();
    console.signal("HUP");
    log_says(home.path(), "the settings were read again", 2).await;
    let log = std::fs::read_to_string(home.path().join("log")).unwrap();
    assert_eq!(log.matches("flags or environment variables decide").count(), 1, "{log}");
    let line = log.lines().find(|line| line.contains("flags or environment")).unwrap();
    assert!(line.contains("technician") && !line.contains("company"), "{line}");
    assert!(!line.contains("By File"), "values may be secret: {line}");
    console.signal("TERM");
    assert_eq!(console.ended().await, Some(0));
}

#[tokio::test]
async fn the_listener_tells_its_health_and_figures_by_any_address_and_by_no_foreign_name() {
    let home = tempfile::tempdir().unwrap();
    let ports = [KeptPort::new(), KeptPort::new()];
    let [listen, metrics] = ports.each_ref().map(|port| port.addr().to_string());
    let words = ["--listen", &listen, "--metrics", &metrics];
    let console = Console::start(home.path(), &words).await;
    for path in ["/healthz", "/readyz"] {
        let ask = |host: &'static str| {
            client().get(format!("http://{listen}{path}")).header("host", host).send()
        };
        assert_eq!(ask("10.1.2.3").await.unwrap().status(), 200, "{path}");
        assert_eq!(ask("evil.example").await.unwrap().status(), 403, "{path}");
    }
    let own = client().get(format!("http://{metrics}/readyz")).send().await.unwrap();
    assert_eq!(own.status(), 200);
    let wrong = client().post(format!("http://{listen}/hook/NoSuchToken")).send().await.unwrap();
    assert_eq!(wrong.status(), 404);
    let figures = client().get(format!("http://{metrics}/metrics")).send().await.unwrap();
    let figures = figures.text().await.unwrap();
    for line in [
        "deskhand_console_sessions 0",
        "deskhand_listener_webhooks_total{result=\"saved\"} 0",
        // The broker that comes along is in the same process.
        "deskhand_broker_sessions_kept 0",
        "deskhand_listener_refusals_total{kind=\"unknown_token\"} 1",
    ] {
        assert!(figures.lines().any(|told| told == line), "{line} isn't in {figures}");
    }
    // Whoever may send webhooks reads no figures.
    let there = client().get(format!("http://{listen}/metrics")).send().await.unwrap();
    assert_eq!(there.status(), 404);
    console.quit().await;
}

#[test]
fn the_manual_pages_and_the_completions_are_those_of_the_command_line() {
    let run = |words: &[&str]| {
        let ran = std::process::Command::new(PROGRAM).args(words).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    };
    assert!(run(&["man"]).contains(".TH deskhand 1"));
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(&["man", folder.path().to_str().unwrap()]), "");
    for page in ["deskhand", "deskhand-headless", "deskhand-backup", "deskhand-audit-verify"] {
        let text = std::fs::read_to_string(folder.path().join(format!("{page}.1"))).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
    assert!(!folder.path().join("deskhand-man.1").exists());
    for shell in ["bash", "zsh", "fish"] {
        let text = run(&["completions", shell]);
        assert!(text.contains("headless") && text.contains("verify-gate"), "{shell}");
    }
}

/// `script` gives it a terminal, which closes when `script` is killed.
#[tokio::test]
async fn a_console_whose_terminal_is_closed_ends_in_good_order() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let told = home.path().join("told");
    let run = format!(
        "exec {PROGRAM} headless --no-keyring --keep-running --data {} >{}",
        data.display(),
        told.display()
    );
    let mut command = started_by(home.path(), &["script", "-q", "-c", &run, "/dev/null"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut terminal = command.spawn().unwrap();
    let hello = async {
        loop {
            let text = std::fs::read_to_string(&told).unwrap_or_default();
            if let Some(line) = text.lines().next().filter(|_| text.contains('\n')) {
                return serde_json::from_str::<Value>(line).unwrap();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let pid = timeout(PATIENCE, hello).await.expect("it doesn't start")["pid"].clone();
    // With its terminal there, a hangup is a wish to read the settings again.
    let send = std::process::Command::new("kill").args(["-HUP", &pid.to_string()]).status();
    assert!(send.unwrap().success());
    terminal.kill().await.unwrap();
    let gone = async {
        while Path::new(&format!("/proc/{pid}/exe")).exists() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("it runs on without its terminal");
    // The folder is free again, and the console has ended as it should.
    let mut again = Console::start(home.path(), &[]).await;
    again.ask(json!({ "do": "settings" })).await;
    again.quit().await;
}
