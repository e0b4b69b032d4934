//! What the shell knows about the console from its pushes, and the content of the tray that follows
//! from it. It does no I/O.
//!
//! A push replaces what was known before, so a skipped push does no harm. While the console is
//! locked there are no sessions in it, so nothing that is made from it can name a customer.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use console::view::{AccessKind, ConsoleView, Push, SessionRow};
use tauri::Url;

use crate::desktop::boundary::{Boundary, Refused};
use crate::tray::{Badge, Click, Entry, TrayModel};

/// The most sessions in the menu. The window lists all of them.
const LISTED: usize = 12;

/// The origin of the UI during development, which tauri treats as our own page.
const DEV_SERVER: &str = "http://localhost:1420";

/// The state of the console as far as the tray and viewer windows need it.
#[derive(Default)]
pub struct Overview {
    console: Option<ConsoleView>,
    live: BTreeMap<String, SessionRow>,
    paused: bool,
}

impl Overview {
    /// Updates the overview by a push.
    pub fn apply(&mut self, push: &Push) {
        match push {
            Push::Console(console) => {
                self.console = Some(ConsoleView::clone(console));
                if self.locked() {
                    self.live.clear();
                }
            }
            Push::Row(_) if self.locked() => {}
            Push::Row(row) if row.live => {
                self.live.insert(row.id.clone(), row.clone());
            }
            Push::Row(SessionRow { id, .. }) | Push::Gone { id } => {
                self.live.remove(id);
            }
            Push::Detail(_) | Push::Regions(_) | Push::Event(_) => {}
        }
    }

    /// The number of live sessions.
    pub fn live(&self) -> usize {
        // A locked console pushes no rows, so then only its own count is known.
        let counted = self.console.as_ref().map_or(0, |console| console.live as usize);
        if self.locked() { counted } else { self.live.len() }
    }

    /// Whether somebody must sign in before sessions are shown.
    pub fn locked(&self) -> bool {
        self.console.as_ref().is_some_and(|console| match console.access.is {
            AccessKind::Locked => true,
            AccessKind::FirstStart => console.access.required,
            AccessKind::Open | AccessKind::SignedIn => false,
        })
    }

    /// The content of the tray at the start, with "Pause notifications" as it was when the
    /// app ended.
    pub fn start_with_paused(&mut self, paused: bool) -> TrayModel {
        self.paused = paused;
        self.tray()
    }

    /// Turns "Pause notifications" on or off, and returns whether it is on now.
    pub fn toggle_pause(&mut self) -> bool {
        self.paused = !self.paused;
        self.paused
    }

    /// Whether desktop notifications are paused.
    pub fn paused(&self) -> bool {
        self.paused
    }

    /// Where a viewer window that begins at `target` may navigate. `also` lists the origins from
    /// the settings.
    ///
    /// # Errors
    /// `target` isn't secure, or it leads to a server of our own that no viewer may reach.
    pub fn boundary(&self, target: &Url, also: &[Url]) -> Result<Boundary, Refused> {
        let console = self.console.as_ref();
        let broker = console.and_then(|console| console.service.base_url.parse().ok());
        let listener = console.and_then(|console| console.listener.address.as_ref());
        let ours: Vec<Url> = listener
            .map(|address| format!("http://{address}"))
            .iter()
            .chain([&DEV_SERVER.to_owned()])
            .filter_map(|text| text.parse().ok())
            .collect();
        Boundary::new(target, broker.as_ref(), also, &ours)
    }

    /// The content of the tray.
    pub fn tray(&self) -> TrayModel {
        let counts = self.counts();
        let mut entries = vec![Entry::Text(counts.clone())];
        if !self.locked() {
            entries.push(Entry::Action(Click::NewSession, "New session".into()));
        }
        entries.push(Entry::Separator);
        entries.extend(self.sessions());
        entries.push(Entry::Switch(Click::Pause, "Pause notifications".into(), self.paused));
        if self.signed_in() {
            entries.push(Entry::Action(Click::Lock, "Lock".into()));
        }
        let open = if self.locked() { "Open to sign in" } else { "Open" };
        entries.push(Entry::Action(Click::Open, open.into()));
        entries.push(Entry::Action(Click::Quit, "Quit".into()));
        TrayModel { badge: self.badge(), tooltip: format!("Deskhand: {counts}"), entries }
    }

    fn signed_in(&self) -> bool {
        self.console.as_ref().is_some_and(|console| console.access.is == AccessKind::SignedIn)
    }

    fn counts(&self) -> String {
        let (waiting, active) =
            self.console.as_ref().map_or((0, 0), |console| (console.waiting, console.active));
        let counts = match (self.live(), waiting, active) {
            (0, _, _) => "No live session".into(),
            (live, 0, 0) => format!("{live} live"),
            (_, waiting, 0) => format!("{waiting} waiting"),
            (_, 0, active) => format!("{active} active"),
            (_, waiting, active) => format!("{waiting} waiting, {active} active"),
        };
        if self.locked() { format!("Locked - {counts}") } else { counts }
    }

    fn sessions(&self) -> Vec<Entry> {
        let mut rows: Vec<&SessionRow> = self.live.values().collect();
        rows.sort_by_key(|row| Reverse(row.active_at));
        let line = |row: &&SessionRow| {
            Entry::Action(
                Click::Session(row.id.clone()),
                format!("{} - {}", row.name, row.state.label),
            )
        };
        let mut entries: Vec<Entry> = rows.iter().take(LISTED).map(line).collect();
        if rows.len() > LISTED {
            entries.push(Entry::Text(format!("and {} more", rows.len() - LISTED)));
        }
        if !entries.is_empty() {
            entries.push(Entry::Separator);
        }
        entries
    }

    fn badge(&self) -> Badge {
        let trouble = self.console.as_ref().is_some_and(|console| !console.troubles.is_empty());
        if trouble || self.live.values().any(|row| row.hook_lost) {
            Badge::Attention
        } else if self.live() == 0 {
            Badge::Idle
        } else {
            Badge::Active
        }
    }
}

#[cfg(test)]
mod tests {
    use console::view::{
        AccessView, Health, KeyKeeper, ListenerView, PersonView, Reach, ServiceKind, ServiceView,
        StateKind, StateView,
    };

    use super::*;

    fn row(id: &str, name: &str, active_at: i64) -> SessionRow {
        let state = StateView {
            kind: StateKind::Ready,
            label: "Ready".into(),
            detail: String::new(),
            since: None,
        };
        SessionRow {
            id: id.into(),
            revision: 1,
            name: name.into(),
            state,
            active_at,
            timer_since: None,
            unread: 0,
            waiting: 0,
            hook_lost: false,
            verified: None,
            live: true,
        }
    }

    fn anna() -> PersonView {
        PersonView { id: "1".into(), name: "Anna Keller".into(), email: "anna@a.example".into() }
    }

    /// A console with two live sessions, one of them active.
    fn console(is: AccessKind, required: bool) -> Push {
        let access = AccessView {
            is,
            since: None,
            why: None,
            person: Some(anna()),
            people: vec![anna()],
            required,
            ceremony: None,
        };
        let service = ServiceView {
            kind: ServiceKind::Embedded,
            base_url: "http://127.0.0.1:7000".into(),
            health: Health::Unknown,
            join_page: None,
            this_computer_only: true,
        };
        let listener = ListenerView { address: None, public_url: None, reach: Reach::Reachable };
        Push::Console(Box::new(ConsoleView {
            revision: 1,
            technician: "Anna Keller".into(),
            access,
            service,
            listener,
            hooks_checked_at: None,
            live: 2,
            waiting: 0,
            active: 1,
            troubles: vec![],
            unacknowledged: 0,
            key_keeper: KeyKeeper::KeyFile,
            backup_percent: None,
        }))
    }

    fn labels(overview: &Overview) -> Vec<String> {
        let label = |entry| match entry {
            Entry::Action(_, label) | Entry::Switch(_, label, _) | Entry::Text(label) => {
                Some(label)
            }
            Entry::Separator => None,
        };
        overview.tray().entries.into_iter().filter_map(label).collect()
    }

    #[test]
    fn lock_is_there_only_while_somebody_is_signed_in() {
        let mut overview = Overview::default();
        let lock = Entry::Action(Click::Lock, "Lock".into());
        assert!(!overview.tray().entries.contains(&lock), "nothing is known yet");
        for (is, there) in [
            (AccessKind::FirstStart, false),
            (AccessKind::Open, false),
            (AccessKind::SignedIn, true),
            (AccessKind::Locked, false),
        ] {
            overview.apply(&console(is, false));
            assert_eq!(overview.tray().entries.contains(&lock), there, "{is:?}");
        }
    }

    #[test]
    fn a_locked_console_counts_its_sessions_and_names_none() {
        let mut overview = Overview::default();
        overview.apply(&console(AccessKind::SignedIn, false));
        overview.apply(&Push::Row(row("a", "Maria Lopez", 1)));
        overview.apply(&console(AccessKind::Locked, false));
        overview.apply(&Push::Row(row("b", "Ben", 2)));
        let menu = ["Locked - 1 active", "Pause notifications", "Open to sign in", "Quit"];
        assert_eq!(labels(&overview), menu);
        assert_eq!(overview.tray().tooltip, "Deskhand: Locked - 1 active");
        assert_eq!((overview.live(), overview.tray().badge), (2, Badge::Active));

        overview.apply(&console(AccessKind::SignedIn, false));
        assert_eq!(sessions(&overview), [""; 0], "what was before the lock is not kept");
        overview.apply(&Push::Row(row("a", "Maria Lopez", 1)));
        assert_eq!(sessions(&overview), ["Maria Lopez - Ready"]);
    }

    #[test]
    fn a_first_start_shows_sessions_unless_signing_in_is_required() {
        let mut overview = Overview::default();
        overview.apply(&console(AccessKind::FirstStart, false));
        assert!(!overview.locked());
        overview.apply(&console(AccessKind::FirstStart, true));
        assert!(overview.locked());
    }

    fn sessions(overview: &Overview) -> Vec<String> {
        let label = |entry| match entry {
            Entry::Action(Click::Session(_), label) => Some(label),
            Entry::Action(..) | Entry::Switch(..) | Entry::Text(_) | Entry::Separator => None,
        };
        overview.tray().entries.into_iter().filter_map(label).collect()
    }

    #[test]
    fn lists_live_sessions_with_their_state_newest_activity_first() {
        let mut overview = Overview::default();
        overview.apply(&Push::Row(row("a", "Maria Lopez", 1)));
        overview.apply(&Push::Row(row("b", "Ben", 2)));
        assert_eq!(sessions(&overview), ["Ben - Ready", "Maria Lopez - Ready"]);
        assert_eq!(overview.tray().badge, Badge::Active);
    }

    #[test]
    fn a_session_leaves_the_menu_when_it_is_over_or_gone() {
        let mut overview = Overview::default();
        overview.apply(&Push::Row(row("a", "Maria Lopez", 1)));
        overview.apply(&Push::Row(row("b", "Ben", 2)));
        overview.apply(&Push::Row(SessionRow { live: false, ..row("a", "Maria Lopez", 3) }));
        overview.apply(&Push::Gone { id: "b".into() });
        assert_eq!(sessions(&overview), [""; 0]);
        assert_eq!(overview.tray().badge, Badge::Idle);
        assert_eq!(overview.tray().entries[0], Entry::Text("No live session".into()));
    }

    #[test]
    fn a_lost_hook_asks_for_attention() {
        let mut overview = Overview::default();
        overview.apply(&Push::Row(SessionRow { hook_lost: true, ..row("a", "Maria Lopez", 1) }));
        assert_eq!(overview.tray().badge, Badge::Attention);
    }

    #[test]
    fn the_menu_stays_short_and_says_how_many_it_leaves_out() {
        let mut overview = Overview::default();
        for n in 0..15 {
            overview.apply(&Push::Row(row(&n.to_string(), "Someone", n)));
        }
        assert_eq!(sessions(&overview).len(), LISTED);
        assert!(overview.tray().entries.contains(&Entry::Text("and 3 more".into())));
    }

    #[test]
    fn pausing_is_shown_as_a_switch_that_is_on() {
        let mut overview = Overview::default();
        assert!(overview.toggle_pause());
        assert!(overview.paused());
        assert!(overview.tray().entries.contains(&Entry::Switch(
            Click::Pause,
            "Pause notifications".into(),
            true
        )));
    }

    #[test]
    fn what_was_paused_at_the_end_is_paused_at_the_start() {
        let mut overview = Overview::default();
        let first = overview.start_with_paused(true);
        assert_eq!(first, overview.tray());
        assert!(overview.paused());
        assert!(!overview.toggle_pause(), "and a click turns it off");
    }
}
