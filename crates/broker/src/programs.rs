//! The presenter's programs that are delivered: which there are, for which computers, and how one is signed together
//! with a session's conf.
//!
//! A file is read once and kept until it changes. [`wire::trailer`] says what is appended, and what its
//! signature proves.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use axum::body::Bytes;
use parking_lot::Mutex;
use ring::{
    digest::{Context, SHA256},
    signature::{Ed25519KeyPair, KeyPair as _},
};
use wire::trailer::{self, Payload};

use crate::hub::{credential::KeyHash, refusal::Refused};

/// The program's file name beside the broker's own program.
const NAME: &str = "deskhand-presenter";
/// A larger file can't be a presenter's program. All of them are kept in memory.
const LARGEST: u64 = 256 * 1024 * 1024;

/// A presenter's program for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramFile {
    /// Such as `linux-x86_64`.
    pub platform: String,
    /// Where it is. A file that is missing is ignored.
    pub path: PathBuf,
}

impl ProgramFile {
    /// The program beside the running one, or in its `../lib/deskhand`; it is for the same platform.
    pub fn beside_this_one() -> Vec<Self> {
        let own = std::env::current_exe().unwrap_or_default();
        let folder = own.parent().unwrap_or(Path::new(""));
        let name = format!("{NAME}{}", std::env::consts::EXE_SUFFIX);
        let places = [folder.join(&name), folder.join("../lib/deskhand").join(&name)];
        places.map(|path| Self { platform: own_platform(), path }).into()
    }

    /// All `deskhand-presenter-<platform>` in a folder.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn in_folder(folder: &Path) -> io::Result<Vec<Self>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let platform = name.strip_prefix(NAME).and_then(|rest| rest.strip_prefix('-'));
            if let Some(platform) = platform {
                let platform = platform.trim_end_matches(".exe").to_owned();
                found.push(Self { platform, path });
            }
        }
        found.sort_by(|a, b| a.platform.cmp(&b.platform));
        Ok(found)
    }
}

/// The platform that this broker was built for, and so was the program beside it.
fn own_platform() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

/// All programs that this broker delivers.
#[derive(Debug)]
pub(crate) struct Programs {
    files: Vec<ProgramFile>,
    read: Mutex<HashMap<PathBuf, Arc<Program>>>,
}

/// A program as it was built.
pub(crate) struct Program {
    pub platform: String,
    pub bytes: Bytes,
    pub sha256: KeyHash,
    /// The digest of all bytes, which goes on with what is appended.
    hashed: Context,
    stamp: Stamp,
}

/// Changes when the file changes.
type Stamp = (Option<SystemTime>, u64);

/// A program for one customer.
pub(crate) struct ProgramDownload {
    pub program: Arc<Program>,
    /// What comes after the program's own bytes; empty for a plain program.
    pub trailer: Bytes,
    /// Of both together.
    pub sha256: KeyHash,
}

impl Programs {
    pub fn new(files: Vec<ProgramFile>) -> Self {
        Self { files, read: Mutex::default() }
    }

    /// The programs that there are now, one for each platform.
    pub async fn all(self: &Arc<Self>) -> Vec<Arc<Program>> {
        let this = Arc::clone(self);
        // Files of many megabytes are read and hashed.
        tokio::task::spawn_blocking(move || this.read_all()).await.unwrap_or_default()
    }

    /// The program for the computer that asks: for `platform`, or for what its browser says it runs on.
    pub async fn pick(
        self: &Arc<Self>,
        platform: Option<&str>,
        user_agent: &str,
    ) -> Result<Arc<Program>, Refused> {
        let all = self.all().await;
        let fits = |wanted: &str| all.iter().find(|program| program.platform == wanted).cloned();
        let wanted = platform.map_or_else(
            || WantedPlatform::from_user_agent(user_agent),
            |name| WantedPlatform::Named(name.into()),
        );
        let found = match &wanted {
            WantedPlatform::Named(platform) => fits(platform),
            // A tool whose User-Agent names no system gets the program for this computer, or the only one that there is.
            WantedPlatform::Unstated => fits(&own_platform()).or_else(|| match &all[..] {
                [only] => Some(Arc::clone(only)),
                [] | [_, ..] => None,
            }),
        };
        found.ok_or_else(|| Refused::NoProgram(none_for(&wanted, &all)))
    }

    fn read_all(&self) -> Vec<Arc<Program>> {
        // Locked while files are read: two requests at once would otherwise read and hash the same file twice.
        let mut read = self.read.lock();
        let mut all: Vec<Arc<Program>> = Vec::new();
        for file in &self.files {
            if all.iter().any(|program| program.platform == file.platform) {
                continue;
            }
            match load(file, read.get(&file.path)) {
                Ok(program) => {
                    read.insert(file.path.clone(), Arc::clone(&program));
                    all.push(program);
                }
                // Usual: of the places beside the running program only one has it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::warn!(platform = %file.platform, %error, "program not delivered");
                }
            }
        }
        all
    }
}

impl Program {
    /// The program as it was built, without a conf.
    pub fn plain(self: &Arc<Self>) -> ProgramDownload {
        ProgramDownload { program: Arc::clone(self), trailer: Bytes::new(), sha256: self.sha256 }
    }

    /// The program with a session's conf at its end, both signed.
    pub fn signed(
        self: &Arc<Self>,
        payload: &Payload,
        signer: &Ed25519KeyPair,
    ) -> Result<ProgramDownload, Refused> {
        let payload = payload.to_json();
        let signature = signer.sign(&trailer::signed_bytes(&self.sha256, &payload));
        let (Ok(signature), Ok(key)) =
            (signature.as_ref().try_into(), signer.public_key().as_ref().try_into())
        else {
            return Err(Refused::NotSaved);
        };
        let trailer = trailer::append(&payload, signature, key);
        let mut whole = self.hashed.clone();
        whole.update(&trailer);
        let sha256 = finished(whole);
        Ok(ProgramDownload { program: Arc::clone(self), trailer: trailer.into(), sha256 })
    }
}

/// The platform of the computer that asks.
#[derive(Debug, PartialEq, Eq)]
enum WantedPlatform {
    Named(String),
    Unstated,
}

impl WantedPlatform {
    fn from_user_agent(user_agent: &str) -> Self {
        let has = |word: &str| user_agent.contains(word);
        let arm = has("aarch64") || has("arm64") || has("ARM64");
        let arch = if arm { "aarch64" } else { "x86_64" };
        // Telephones first: they also name a desktop system.
        let platform = match () {
            () if has("Android") => "android".to_owned(),
            () if has("iPhone") || has("iPad") => "ios".to_owned(),
            () if has("CrOS") => "chromeos".to_owned(),
            () if has("Windows") => format!("windows-{arch}"),
            () if has("Mac OS X") || has("Macintosh") => format!("macos-{arch}"),
            () if has("i686") || has("armv") => {
                format!("linux-{}", if has("i686") { "x86" } else { "arm" })
            }
            () if has("Linux") => format!("linux-{arch}"),
            () => return Self::Unstated,
        };
        Self::Named(platform)
    }
}

fn none_for(wanted: &WantedPlatform, all: &[Arc<Program>]) -> String {
    let there: Vec<&str> = all.iter().map(|program| program.platform.as_str()).collect();
    let there = match &there[..] {
        [] => {
            return "this broker has no program to share a screen with; ask whoever runs it".into();
        }
        there => there.join(", "),
    };
    match wanted {
        WantedPlatform::Named(_) => {
            format!("there is no program for this computer yet; there is one for: {there}")
        }
        WantedPlatform::Unstated => {
            format!("say for which computer, with platform=; there is one for: {there}")
        }
    }
}

fn load(file: &ProgramFile, known: Option<&Arc<Program>>) -> io::Result<Arc<Program>> {
    let about = fs::metadata(&file.path)?;
    let stamp = (about.modified().ok(), about.len());
    if let Some(known) = known.filter(|known| known.stamp == stamp) {
        return Ok(Arc::clone(known));
    }
    if about.len() > LARGEST || !about.is_file() {
        return Err(io::Error::other("it is no program's file"));
    }
    let bytes = Bytes::from(fs::read(&file.path)?);
    // A program that was downloaded and put here would give its customer's conf to everybody.
    if !matches!(trailer::split(&bytes), Ok(None)) {
        return Err(io::Error::other("it has a session's conf at its end already"));
    }
    let mut hashed = Context::new(&SHA256);
    hashed.update(&bytes);
    let sha256 = finished(hashed.clone());
    Ok(Arc::new(Program { platform: file.platform.clone(), bytes, sha256, hashed, stamp }))
}

fn finished(hashed: Context) -> KeyHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(hashed.finish().as_ref());
    hash
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("platform", &self.platform).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_says_which_computer_it_runs_on() {
        for (agent, platform) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "linux-x86_64",
            ),
            ("Mozilla/5.0 (X11; Linux aarch64) AppleWebKit/537.36", "linux-aarch64"),
            ("Mozilla/5.0 (X11; Linux i686; rv:140.0) Gecko/20100101", "linux-x86"),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0", "windows-x86_64"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15", "macos-x86_64"),
            ("Mozilla/5.0 (Linux; Android 10; K) Chrome/140.0 Mobile", "android"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", "ios"),
        ] {
            assert_eq!(
                WantedPlatform::from_user_agent(agent),
                WantedPlatform::Named(platform.into()),
                "{agent}"
            );
        }
        for unsaid in ["", "curl/8.14.1", "deskhand/0.1"] {
            assert_eq!(
                WantedPlatform::from_user_agent(unsaid),
                WantedPlatform::Unstated,
                "{unsaid}"
            );
        }
    }

    #[test]
    fn a_folder_names_its_programs_by_platform() {
        let dir = tempfile::tempdir().unwrap();
        for name in
            ["deskhand-presenter-windows-x86_64.exe", "deskhand-presenter-linux-x86_64", "x"]
        {
            fs::write(dir.path().join(name), "program").unwrap();
        }
        let found = ProgramFile::in_folder(dir.path()).unwrap();
        let platforms: Vec<_> = found.iter().map(|file| file.platform.as_str()).collect();
        assert_eq!(platforms, ["linux-x86_64", "windows-x86_64"]);
        assert!(ProgramFile::in_folder(&dir.path().join("missing")).is_err());
    }
}
