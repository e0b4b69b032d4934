//! A workspace to try: people of several languages and their login sessions.

use rusqlite::Transaction;
use serve::Millis;
use wire::rocketchat::{Device, DeviceSession, Os, Person as Owner};

use super::{people, store, store::Person};
use crate::keys;

/// The password of everybody here but the token's user.
const PASSWORD: &str = "sandbox";

/// Username and name.
const PEOPLE: [(&str, &str); 12] = [
    ("maria.lopez", "María López"),
    ("rod", "Rod"),
    ("jkovac", "Јелена Ковач"),
    ("tanaka.h", "田中 浩"),
    ("li.wei", "李伟"),
    ("s.haddad", "سارة حداد"),
    ("d.cohen", "דניאל כהן"),
    ("olena.shevchenko", "Олена Шевченко"),
    ("nguyen.t", "Nguyễn Thị Hà"),
    ("priya", "प्रिया शर्मा"),
    ("kostas", "Κώστας Παπαδόπουλος"),
    ("aoife", "Aoife O'Brien"),
];

/// Kind, app, version, all of the version, system, its version.
const DEVICES: [[&str; 6]; 8] = [
    ["browser", "Chrome", "142.0.0", "142.0.0.0", "Windows", "11"],
    ["browser", "Firefox", "145.0", "145.0", "Ubuntu", "24.04"],
    ["browser", "Safari", "26.1", "26.1", "Mac OS", "26.1"],
    ["desktop-app", "Rocket.Chat Desktop", "4.9.1", "4.9.1", "Windows", "10"],
    ["mobile-app", "Rocket.Chat Mobile", "4.66.0", "4.66.0", "Android", "16"],
    ["mobile-app", "Rocket.Chat Mobile", "4.66.0", "4.66.0", "iOS", "26.1"],
    ["browser", "Edge", "142.0.3", "142.0.3595.65", "Windows", "11"],
    ["other", "", "", "", "", ""],
];

const SESSIONS: usize = 30;

/// Fills the workspace; `own` is the token's user, who has login sessions too.
pub(super) fn put(tx: &Transaction<'_>, own: &str, now: Millis) -> rusqlite::Result<()> {
    let mut ids = Vec::new();
    for (at, (username, name)) in PEOPLE.into_iter().enumerate() {
        let id = keys::random(keys::ALPHANUMERIC, 17);
        // Hashing takes its time, so only two of them can sign in by password.
        let password = (at < 2).then(|| people::hash_password(&id, PASSWORD));
        let email = format!("{username}@example.org");
        put_person(tx, &id, username, name, &email, password)?;
        ids.push(id);
    }
    ids.push(own.to_owned());
    // Five and the number of people have no common divisor, so that everybody gets some of the sessions.
    for at in 0..SESSIONS {
        let device = DEVICES[at % DEVICES.len()];
        let session = session(&ids[at * 5 % ids.len()], device, at);
        // Every third one is from days ago, the others from today.
        let minutes = if at % 3 == 2 { 1440 * at } else { 17 * at + 4 };
        let at = Millis(now.0 - i64::try_from(minutes).unwrap_or_default() * 60_000);
        store::put_session(tx, &session, at, &store::hash(&session.session_id))?;
    }
    Ok(())
}

/// Adds a login session, and its person where they aren't there yet.
pub(super) fn put_session(
    tx: &Transaction<'_>,
    session: &DeviceSession,
    at: Millis,
) -> rusqlite::Result<()> {
    let Owner { name, username } = &session.user;
    put_person(tx, &session.user_id, username, name, &format!("{username}@example.org"), None)?;
    store::put_session(tx, session, at, &store::hash(&session.session_id))
}

fn put_person(
    tx: &Transaction<'_>,
    id: &str,
    username: &str,
    name: &str,
    email: &str,
    password: Option<String>,
) -> rusqlite::Result<()> {
    let [id, username, name, email] = [id, username, name, email].map(str::to_owned);
    let (role, factor) = ("user".to_owned(), "none".to_owned());
    let totp = Vec::new();
    store::put_person(tx, &Person { id, username, name, email, role, factor, totp, password })
}

fn session(user: &str, device: [&str; 6], at: usize) -> DeviceSession {
    let [kind, name, version, long_version, os, os_version] = device.map(str::to_owned);
    DeviceSession {
        session_id: keys::random(keys::ALPHANUMERIC, 17),
        user_id: user.to_owned(),
        device: Device {
            kind,
            name,
            long_version,
            os: Os { name: os, version: os_version },
            version,
        },
        host: "chat.example.org".to_owned(),
        // The networks that are kept for documentation.
        ip: match at % 4 {
            0 => format!("198.51.100.{}", 10 + at),
            1 => format!("203.0.113.{}", 20 + at),
            2 => format!("192.0.2.{}", 30 + at),
            _ => format!("2001:db8::{:x}", 4096 + at),
        },
        login_at: String::new(),
        user: Owner::default(),
    }
}
