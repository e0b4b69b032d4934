//! Certificates for the stand-in, made by openssl.

use std::{fs, path::Path, process::Command};

/// The certificate of the authority that console and service trust.
pub const AUTHORITY: &str = "authority.pem";
/// All names of both sides.
pub const GOOD: &str = "good";
/// Its time is over.
pub const EXPIRED: &str = "expired";
/// Good, but for another name.
pub const OF_ANOTHER: &str = "of-another";
/// By an authority that nobody knows.
pub const UNTRUSTED: &str = "untrusted";

const NAMES: &str =
    "DNS:service.example,DNS:*.service.example,DNS:console.example,DNS:moved.example";

/// Makes all of them in `folder`, each as NAME.pem and NAME.key.
pub fn make(folder: &Path) {
    for authority in ["authority", "stranger"] {
        let subject = format!("/CN={authority}");
        let is_authority = "basicConstraints=critical,CA:TRUE";
        let words = ["-x509", "-days", "30", "-subj", &subject, "-addext", is_authority];
        request(folder, authority, &[&words[..], &["-out", &format!("{authority}.pem")]].concat());
    }
    sign(folder, GOOD, NAMES, "authority", None);
    sign(folder, EXPIRED, NAMES, "authority", Some("-60d"));
    sign(folder, OF_ANOTHER, "DNS:other.example", "authority", None);
    sign(folder, UNTRUSTED, NAMES, "stranger", None);
}

fn sign(folder: &Path, name: &str, names: &str, authority: &str, at: Option<&str>) {
    let names = format!("subjectAltName={names}");
    let file = format!("{name}.csr");
    request(folder, name, &["-subj", "/CN=deskhand-test", "-addext", &names, "-out", &file]);
    let mut command = match at {
        Some(at) => {
            let mut command = Command::new("faketime");
            command.args(["-f", at, "openssl"]);
            command
        }
        None => Command::new("openssl"),
    };
    command.args(["x509", "-req", "-copy_extensions", "copy", "-days", "30", "-CAcreateserial"]);
    command.args(["-in", &file, "-out", &format!("{name}.pem")]);
    command.args(["-CA", &format!("{authority}.pem"), "-CAkey", &format!("{authority}.key")]);
    succeed(folder, &mut command);
}

/// A new key, and a request for a certificate, or one by itself.
fn request(folder: &Path, name: &str, words: &[&str]) {
    let mut command = Command::new("openssl");
    command.args(["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
    command.args(["-keyout", &format!("{name}.key")]).args(words);
    succeed(folder, &mut command);
}

fn succeed(folder: &Path, command: &mut Command) {
    // The system's own configuration may say more than a test wants.
    let plain = folder.join("openssl.cnf");
    fs::write(&plain, "[req]\ndistinguished_name=name\n[name]\n").unwrap();
    let made = command.current_dir(folder).env("OPENSSL_CONF", plain).output().unwrap();
    assert!(made.status.success(), "{command:?}: {}", String::from_utf8_lossy(&made.stderr));
}
