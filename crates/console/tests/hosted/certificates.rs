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

/// Enough for requests and for an authority.
const CONFIGURATION: &str = "[req]
distinguished_name=name
[name]
[ca]
default_ca=authority
[authority]
database=issued
new_certs_dir=.
default_md=sha256
policy=policy
rand_serial=yes
unique_subject=no
copy_extensions=copy
[policy]
commonName=supplied
";

/// Makes all of them in `folder`, each as NAME.pem and NAME.key.
pub fn make(folder: &Path) {
    for authority in ["authority", "stranger"] {
        let subject = format!("/CN={authority}");
        let is_authority = "basicConstraints=critical,CA:TRUE";
        let words = ["-x509", "-days", "30", "-subj", &subject, "-addext", is_authority];
        request(folder, authority, &[&words[..], &["-out", &format!("{authority}.pem")]].concat());
    }
    sign(folder, GOOD, NAMES, "authority", ["-days", "30"]);
    sign(folder, EXPIRED, NAMES, "authority", ["-enddate", "20200202000000Z"]);
    sign(folder, OF_ANOTHER, "DNS:other.example", "authority", ["-days", "30"]);
    sign(folder, UNTRUSTED, NAMES, "stranger", ["-days", "30"]);
}

fn sign(folder: &Path, name: &str, names: &str, authority: &str, ends: [&str; 2]) {
    let names = format!("subjectAltName={names}");
    let file = format!("{name}.csr");
    request(folder, name, &["-subj", "/CN=deskhand-test", "-addext", &names, "-out", &file]);
    fs::write(folder.join("issued"), "").unwrap();
    let mut command = Command::new("openssl");
    command.args(["ca", "-batch", "-notext", "-in", &file, "-out", &format!("{name}.pem")]);
    command.args(["-cert", &format!("{authority}.pem"), "-keyfile", &format!("{authority}.key")]);
    command.args(["-startdate", "20200101000000Z"]).args(ends);
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
    fs::write(&plain, CONFIGURATION).unwrap();
    let made = command.current_dir(folder).env("OPENSSL_CONF", plain).output().unwrap();
    assert!(made.status.success(), "{command:?}: {}", String::from_utf8_lossy(&made.stderr));
}
