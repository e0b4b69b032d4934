//! Every setting, declared once.
//!
//! A declaration yields the field of [`Settings`], its default, check, flag and environment
//! variable, whether it guards the console, its line in the window, and its row in the docs. To add
//! a setting, add it here, run `cargo run -p deskhand-console --bin bindings`, and use it. Every
//! setting may be left out; null and an empty text mean the default. No secret is a setting.

use std::{net::SocketAddr, path::PathBuf, sync::LazyLock};

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use url::Url;

use super::{
    CsvSeparator, MailRule, Theme, VERSION, check,
    declaration::{Declaration, InForce, setting, settings},
    form::{FieldGroup as Group, FieldKind, FieldOption, code, text},
    system_user::operating_system_user,
};
use crate::view::GatePolicy;

const YES_OR_NO: &str = "write true or false";
const WRITTEN_BY_CONSOLE: &str = "leave it out";
const SANDBOX: &str = "The sandbox that comes along";

/// The declarations, in the order of the command line's help.
pub(crate) fn declarations() -> &'static [Declaration] {
    &DECLARATIONS
}

settings! {
    version: u32 = VERSION => setting(WRITTEN_BY_CONSOLE)
        .check(|s| check::ensure(
            s.version == VERSION,
            "another version of Deskhand wrote these settings",
        ));

    technician: String = operating_system_user() => setting("give a name of at most 64 characters")
        .flag("NAME", "The name that customers see: in e-mails, in the chat, and when they are asked to share")
        .check(check::technician)
        .unset("the operating system's user")
        .field(Group::You, "Your name", text("Anna Keller"))
        .hint("Customers see it in e-mails, in the chat, and when they are asked to share their screen.");

    theme: Theme = Theme::System => setting("write system, dark or light")
        .flag("THEME", "The window's looks: system, dark or light");

    base_url: Option<String> = None =>
        setting("give an address like https://help.example.org/api/v1, or leave it empty")
        .flag("URL", "The remote-support service, such as https://host/api/v1; without it, the broker that comes along")
        .check(check::service)
        .in_force(InForce::NewEngine)
        .unset("the broker that comes along")
        .meaning("the remote-support service, such as `https://host/api/v1`")
        .field(Group::Service, "Base URL", code("The broker that comes along"));

    region_url_template: Option<String> = None =>
        setting("give an address with {region} in it, or leave it empty")
        .flag("TEMPLATE", "Where a region is timed, with {region} for its name")
        .check(check::regions)
        .in_force(InForce::NewEngine)
        .unset("the service's own")
        .meaning("where a region is timed, with `{region}` for its name")
        .field(Group::Service, "Region URL", code("The service’s own"))
        .hint("Where a region is timed; {region} stands for its name.");

    // None for the hosted service, which doesn't say what such a link looks like.
    join_url_template: Option<String> = None =>
        setting("give an address with {pin} in it, or leave it empty")
        .flag("TEMPLATE", "The customer's link, with {pin} for the PIN")
        .check(|s| check::optional(s.join_url_template.as_deref(), check::join_link))
        .unset("our brokers' join page")
        .meaning("the customer's link, with `{pin}` for the PIN")
        .field(Group::Service, "Join URL", code("The service’s own, if it has one"))
        .hint("The customer’s link; {pin} stands for the PIN.");

    licence_consent: bool = false => setting(YES_OR_NO)
        .flag("BOOL", "Accept the hosted service's licence terms: true or false")
        .meaning("the hosted service's licence terms are accepted; needed for its base URL");

    licence_consent_at: Option<String> = None => setting(WRITTEN_BY_CONSOLE);

    licence_consent_by: Option<String> = None => setting(WRITTEN_BY_CONSOLE);

    listen: SocketAddr = ([127, 0, 0, 1], 0).into() => setting("give address and port like 127.0.0.1:0")
        .flag("IP:PORT", "Where to listen for webhooks; port 0 takes the port of last time, or any")
        .in_force(InForce::NewEngine)
        .field(Group::Listener, "Address", code("127.0.0.1:0"))
        .hint("Port 0 takes the port of last time, or any.");

    #[ts(type = "string | null")]
    public_url: Option<Url> = None =>
        setting("give an address like https://hooks.example.org/, or leave it empty")
        .flag("URL", "The URL under which the service reaches the listener")
        .check(|s| check::optional(s.public_url.as_ref(), check::plain_http))
        .in_force(InForce::NewEngine)
        .unset("the listener's own address")
        .field(Group::Listener, "Public URL", code("Its own address"))
        .hint("Needed when the service runs elsewhere: the address that leads from there to here.");

    listener_connections: Option<u32> = None =>
        setting("give a number from 16 to 65536, or leave it empty")
        .flag("NUMBER", "How many connections the listener takes at once, 16 to 65536")
        .in_force(InForce::NewEngine)
        .unset("half of the files that it may open, at most 16384")
        .number(16..=65_536, Group::Listener, "Connections", "at once")
        .hint("One address gets a quarter of them. Empty: half of the files that Deskhand may open, at most 16384.");

    listener_trusted_proxies: Vec<String> = Vec::new() =>
        setting("give a list of addresses or networks like 10.0.0.5 or 10.0.0.0/8")
        .flag("JSON", r#"Proxies before the listener whose X-Forwarded-For is believed: ["10.0.0.5"]"#)
        .check(|s| s.listener_trusted_proxies.iter().try_for_each(|proxy| check::network(proxy)))
        .in_force(InForce::NewEngine)
        .meaning(r#"reverse proxies before the listener whose `X-Forwarded-For` is believed, as addresses or networks: `["10.0.0.5"]`. Without it a proxy on another computer has one address's part of the connections, and whoever uses that up shuts out everybody behind it"#)
        .field(Group::Listener, "Proxies before the listener", FieldKind::List { placeholder: Some("10.0.0.5") })
        .hint("Reverse proxies that say whom they pass on, one a line. A proxy that is not listed counts as one address for everybody behind it.");

    probe_rounds: u32 = 3 => setting("give a number from 1 to 10")
        .flag("NUMBER", "How often each region is timed, 1 to 10")
        .in_force(InForce::WhenIdle)
        .number(1..=10, Group::Timing, "Probe rounds", "rounds")
        .hint("How often each region is timed, 1 to 10.");

    heartbeat_s: Option<u32> = None => setting("give seconds from 5 to 3600, or leave it empty")
        .flag("SECONDS", "How often every hook is put again, in seconds")
        .in_force(InForce::WhenIdle)
        .unset("30 with the broker that comes along, else 120")
        .number(5..=3600, Group::Timing, "Heartbeat", "s")
        .hint("How often each hook is put again, in case one was lost. Empty: 30 s on the broker that comes along, else 120 s.");

    mail_rules: Vec<MailRule> = Vec::new() =>
        setting("give a list of {to, to_customer, when}; when is next_event or every_event")
        .flag("JSON", r#"E-mails for every new session: [{"to":"a@b.c","to_customer":false,"when":"next_event"}]"#)
        .check(|s| s.mail_rules.iter().try_for_each(check::mail_rule))
        .meaning(r#"e-mails for every new session: `[{"to":"a@example.org","to_customer":false,"when":"next_event"}]`"#)
        .field(Group::Mail, "E-mail rules", FieldKind::MailRules);

    lan: bool = false => setting(YES_OR_NO)
        .flag("BOOL", "Let customers on this network join at the broker that comes along: true or false")
        .meaning("let customers on this network join at the broker that comes along; in force at once, with the six below. They join through a listener of its own: links carry that address, and what the console does stays on this computer")
        .field(Group::Lan, "Let customers on this network join", FieldKind::Switch)
        .hint("Without it, invitations work on this computer only.");

    lan_listen: SocketAddr = ([0, 0, 0, 0], 0).into() => setting("give address and port like 0.0.0.0:47210")
        .flag("IP:PORT", "Where the listener for this network listens")
        .field(Group::Lan, "Listens at", code("0.0.0.0:0"));

    #[ts(type = "string | null")]
    lan_url: Option<Url> = None =>
        setting("give an address like https://this-computer.example.org:47210/, or leave it empty")
        .flag("URL", "The address by which customers reach that listener")
        .check(|s| check::optional(s.lan_url.as_ref(), check::plain_http))
        .unset("this computer's own on its network")
        .field(Group::Lan, "Address that customers use", code("This computer’s own"));

    broker_connections: Option<u32> = None =>
        setting("give a number from 16 to 65536, or leave it empty")
        .flag("NUMBER", "How many connections the broker that comes along takes at once at each of its addresses, 16 to 65536")
        .unset("half of the files that it may open, at most 16384")
        .number(16..=65_536, Group::Lan, "Connections to the broker", "at once")
        .hint("One address gets a quarter of them. Empty: half of the files that Deskhand may open, at most 16384.");

    tls_cert: Option<PathBuf> = None => setting("give the path of a PEM file, or leave it empty")
        .flag("FILE", "That listener's TLS certificate (PEM)")
        .check(|s| check::belong_together(s.tls_cert.is_some() || s.tls_key.is_none()))
        .unset("none, plain http")
        .field(Group::Lan, "TLS certificate", code("/etc/ssl/deskhand.pem"))
        .hint("A PEM file with its chain. Without one, plain http is spoken.");

    tls_key: Option<PathBuf> = None => setting("give the path of a PEM file, or leave it empty")
        .flag("FILE", "The key of that certificate (PEM)")
        .check(|s| check::belong_together(s.tls_key.is_some() || s.tls_cert.is_none()))
        .field(Group::Lan, "TLS key", code("/etc/ssl/deskhand.key"));

    lan_trusted_proxies: Vec<String> = Vec::new() =>
        setting("give a list of addresses or networks like 127.0.0.1 or 10.0.0.0/8")
        .flag("JSON", r#"Proxies before that listener whose X-Forwarded-For is believed: ["127.0.0.1"]"#)
        .check(|s| s.lan_trusted_proxies.iter().try_for_each(|proxy| check::network(proxy)))
        .meaning(r#"reverse proxies before that listener whose `X-Forwarded-For` is believed, as addresses or networks: `["127.0.0.1"]`. Without it all customers behind one count as one, and a few wrong PINs shut all of them out"#)
        .field(Group::Lan, "Proxies before the broker", FieldKind::List { placeholder: Some("127.0.0.1") })
        .hint("Reverse proxies that say whom they pass on, one a line. A proxy that is not listed counts as one address for everybody behind it.");

    #[ts(type = "string[]")]
    viewer_origins: Vec<Url> = Vec::new() =>
        setting("give a list of origins like https://files.example.org, without a path")
        .flag("JSON", r#"Origins that a viewer's page may load beside its own: ["https://files.example.org"]"#)
        .check(|s| s.viewer_origins.iter().try_for_each(check::viewer_origin))
        .meaning(r#"origins that a viewer window may load beside the one that the service named: `["https://files.example.org"]`; https, or http on this computer"#)
        .field(Group::Service, "Further viewer origins", FieldKind::List { placeholder: Some("https://files.example.org") })
        .hint("What a viewer’s page may load beside the origin that the service names, one a line.");

    company: String = String::new() =>
        setting("give a name of at most 64 characters, or leave it empty")
        .flag("NAME", "The company that customers see beside your name")
        .check(|s| check::ensure(
            check::is_short_name(&s.company),
            "it is too long, or has control characters",
        ))
        .field(Group::Company, "Company", text("Example Help Desk"))
        .hint("People see it beside your name: on the phone, and before they share their screen.");

    require_sign_in: bool = false => setting(YES_OR_NO)
        .flag("BOOL", "Somebody must be signed in with a passkey: true or false")
        .guard(true)
        .field(Group::Access, "Somebody must be signed in", FieldKind::Switch)
        .hint("“Not now” is not offered at the start. Somebody needs a passkey before this is switched on.");

    // "Not now" was chosen at the first start.
    sign_in_skipped: bool = false => setting(YES_OR_NO).guard(false);

    lock_after_min: u32 = 15 => setting("give minutes from 0 to 480; 0 for never")
        .flag("MINUTES", "Lock after so many minutes without a key or a click; 0 for never")
        .meaning("lock after so many minutes without a key or a click, 0 to 480; 0 for never. Only where somebody signs in")
        .guard(1)
        .number(0..=480, Group::Access, "Lock after", "minutes")
        .hint("Without a key or a click, 0 to 480; 0 for never.");

    lock_with_screen: bool = true => setting(YES_OR_NO)
        .flag("BOOL", "Lock when the desktop's screen is locked: true or false")
        .meaning("lock when the desktop's screen is locked. Only where somebody signs in")
        .guard(true)
        .field(Group::Access, "Lock with the screen", FieldKind::Switch)
        .hint("When the desktop locks its screen, where the desktop says so.");

    chat_in_notifications: bool = true => setting(YES_OR_NO)
        .flag("BOOL", "Show the text of chat messages in desktop notifications: true or false")
        .meaning("desktop notifications of chat messages have their text; a locked console never shows it")
        .field(Group::Access, "Show chat messages in notifications", FieldKind::Switch)
        .hint("Off: they say only who wrote. A locked console never shows the text.");

    control_after_words: bool = false => setting(YES_OR_NO)
        .flag("BOOL", "Keyboard and mouse wait in a viewer window until somebody said that the words match: true or false")
        .meaning("keyboard and mouse wait in a viewer window until somebody there said that the words to compare match. They wait in any case where words that were compared have changed. A web page has no such words: while this is on, no link to control is given from here or mailed, and e-mails with one that were ordered before wait. Who waits to be let in controls as soon as the customer or you say so")
        .guard(true)
        .field(Group::Access, "Control waits until the words match", FieldKind::Switch)
        .hint("A viewer window only shows the screen until you have compared the three words with the customer. Once is enough for a session, as long as their program has the same key. A web page has no words to compare: links from here only let others watch, but whoever is let in controls as soon as the customer or you say so.");

    // This console's policy, not a lock on the service.
    verify_gate: GatePolicy = GatePolicy::Off => setting("write off, warn or require")
        .flag("POLICY", "Whether a viewer needs a verified person: off, warn or require")
        .meaning("whether a viewer needs a verified person: `off`, `warn` or `require`")
        .guard("require")
        .field(Group::Gate, "Before a viewer is opened", FieldKind::Choice { options: vec![
            FieldOption { value: "off", label: "Off", hint: "Nobody needs to be verified." },
            FieldOption {
                value: "warn",
                label: "Warn",
                hint: "A warning stands beside the buttons, and they work.",
            },
            FieldOption {
                value: "require",
                label: "Require",
                hint: "No viewer and no viewer’s link until the customer has approved. An override needs a reason and a passkey, and is in the audit log.",
            },
        ] });

    verify_gate_min: u32 = 30 => setting("give minutes from 1 to 1440")
        .flag("MINUTES", "How long an approved verification counts")
        .meaning("how long an approved verification counts, in minutes, 1 to 1440")
        .guard(1)
        .number(1..=1440, Group::Gate, "An approval counts for", "minutes")
        .hint("1 to 1440. It belongs to one session and ends with it.");

    verify_wait_s: u32 = 60 => setting("give seconds from 10 to 600")
        .flag("SECONDS", "How long to wait for the answer to a push")
        .meaning("how long to wait for the answer to a push, in seconds, 10 to 600")
        .number(10..=600, Group::Gate, "Wait for the phone", "s")
        .hint("How long to wait for an answer, 10 to 600.");

    keep_sessions_days: u32 = 0 => setting("give days from 0 to 3650; 0 for ever")
        .flag("DAYS", "Delete sessions this many days after their end; 0 keeps them for ever")
        .meaning("delete sessions this many days after their end (those that nobody closed: after their start), 0 to 3650; 0 keeps them for ever. Their chat, notes and pictures go with them; the audit log keeps its entries")
        .guard(0)
        .number(0..=3650, Group::Records, "Keep sessions", "days")
        .hint("Sessions that ended longer ago, or were started longer ago and never closed, are deleted for good, with their chat, notes and pictures; a backup written before still has them. 0 keeps all for ever.");

    csv_separator: CsvSeparator = CsvSeparator::Language =>
        setting("write language, comma, semicolon or tab")
        .flag("SEPARATOR", "What separates the columns of the CSV files that the window saves: language, comma, semicolon or tab")
        .meaning("what separates the columns of the CSV files that the window saves: `language` (a semicolon where the window's language writes decimal numbers with a comma, as Excel expects there, else a comma), `comma`, `semicolon` or `tab`. The command `export` says it itself")
        .field(Group::Records, "CSV files separate columns by", FieldKind::Choice { options: vec![
            FieldOption {
                value: "language",
                label: "As my language does",
                hint: "As Excel expects it: a semicolon where decimal numbers have a comma, such as in German or French, else a comma. With another separator it puts all in one column.",
            },
            FieldOption { value: "comma", label: "Comma", hint: "" },
            FieldOption { value: "semicolon", label: "Semicolon", hint: "" },
            FieldOption { value: "tab", label: "Tab", hint: "" },
        ] });

    passwordless_url: Option<String> = None =>
        setting("give an address like https://v4.passwordless.dev, or leave it empty")
        .flag("URL", "The passkey service; without it, the sandbox that comes along")
        .check(|s| check::optional(s.passwordless_url.as_deref(), check::secure_address))
        .unset("the sandbox that comes along")
        .field(Group::Passwordless, "Address", code(SANDBOX));

    passwordless_key: Option<String> = None =>
        setting("give a key like app:public:..., never the secret")
        .flag("KEY", "The passkey service's public API key")
        .check(|s| check::optional(s.passwordless_key.as_deref(), check::public_key))
        .field(Group::Passwordless, "Public key", code("app:public:…"));

    logintc_url: Option<String> = None =>
        setting("give an address like https://cloud.logintc.com/api, or leave it empty")
        .flag("URL", "The verification service; without it, the sandbox that comes along")
        .check(|s| check::optional(s.logintc_url.as_deref(), check::secure_address))
        .unset("the sandbox that comes along")
        .field(Group::Logintc, "Address", code(SANDBOX));

    logintc_domain: Option<String> = None => setting("give the 40 hex digits of the domain's id")
        .flag("ID", "The verification service's domain id")
        .check(|s| check::optional(s.logintc_domain.as_deref(), check::domain_id))
        .field(Group::Logintc, "Domain id", code("40 hex digits"));

    rocketchat_url: Option<String> = None =>
        setting("give an address like https://chat.example.org, or leave it empty")
        .flag("URL", "The chat workspace; without it, the sandbox that comes along")
        .check(|s| check::optional(s.rocketchat_url.as_deref(), check::secure_address))
        .unset("the sandbox that comes along")
        .field(Group::Rocketchat, "Address", code(SANDBOX));

    rocketchat_user: Option<String> = None => setting("give the user id that belongs to the token")
        .flag("ID", "The user id that belongs to the chat workspace's token")
        .check(|s| check::optional(s.rocketchat_user.as_deref(), check::user_id))
        .field(Group::Rocketchat, "User id", code("The token’s"));
}
