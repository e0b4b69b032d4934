//! Everything about one session. The PIN goes from here into [`Pin`] and nowhere else.

use engine::{
    Snapshot,
    archive::{ChatPage, Message, NoteKind, SessionContents, Summary, Writer},
    journal::EventRecord,
};
use session::{Failure, Lamp, Life, Record, SessionStatus, Timestamp, Transcript, region::Choice};

use super::{
    Setting,
    chat_box::{self, Sends},
    customer_program, device, event, hooks, mail_order, name,
    parting::{self, Connected, EndOfPin},
    region_race, row, shared_screen, state, timeline, trouble, verify,
};
use crate::{
    limits,
    view::{
        ChatLine, ChatSide, ClosingView, FactKind, FactView, Pin, Reach, ScreenView, SessionDetail,
        SessionRow, Timeline, TranscriptView,
    },
    words,
};

/// The facts about a session that its snapshot lacks.
#[derive(Debug)]
pub struct Beside {
    /// All events, oldest first.
    pub happenings: Vec<EventRecord>,
    /// What the archive has.
    pub contents: SessionContents,
    /// Who shares the screen and who watches it; none where the service doesn't say.
    pub screen: Option<ScreenView>,
    /// Unread chat messages.
    pub unread: u32,
}

/// The facts that hold for every session of this console.
#[derive(Debug)]
pub struct Around<'a> {
    /// Whether the service can reach us.
    pub reach: Reach,
    /// The customer's link; `{pin}` stands for the PIN.
    pub join_template: Option<&'a str>,
    /// The page where a PIN is typed.
    pub join_page: Option<&'a str>,
    /// Whether the service ends a PIN when asked; none if that isn't known.
    pub can_revoke: Option<bool>,
    /// Whether the service answered when it was last asked.
    pub answers: bool,
    /// Whether the service takes chat messages from here.
    pub sends: Sends,
    /// The view's revision.
    pub revision: u64,
}

impl Around<'_> {
    /// What becomes of a session's PIN when it is closed.
    const fn end_of_pin(&self) -> EndOfPin {
        match (self.can_revoke, self.answers) {
            (Some(true), true) => EndOfPin::AtOnce,
            (Some(true), false) => EndOfPin::WhenItAnswers,
            (Some(false), _) => EndOfPin::ByItself,
            (None, _) => EndOfPin::NotKnown,
        }
    }
}

/// The details of a session that the engine runs.
pub fn view(
    snapshot: &Snapshot,
    beside: &Beside,
    around: &Around<'_>,
    setting: &Setting<'_>,
) -> SessionDetail {
    let (record, contents) = (&snapshot.record, &beside.contents);
    let timers = Timers::new(record, setting.now);
    let screen = beside.screen.clone().filter(|_| record.is_live());
    let connected = {
        let watchers = screen.as_ref().and_then(ScreenView::viewers);
        Connected::new(None, record, watchers, setting.now)
    };
    let others = |message: &Message| message.writer != Some(Writer::Console);
    let wrote = contents.chat.earlier > 0 || contents.chat.messages.iter().any(others);
    SessionDetail {
        row: row::view(snapshot, around.revision, beside.unread, setting),
        by: words::plain(&record.by, words::LONGEST_NAME),
        created_at: record.created.0,
        customer: words::plain(&record.about.customer, limits::CUSTOMER.most),
        ticket: words::plain(&record.about.ticket, limits::TICKET.most),
        contact: words::plain(&record.about.contact, limits::CONTACT.most),
        pin: pin_of(snapshot, around, setting.now),
        region: record.allocation().map(|allocation| allocation.region.to_string()),
        region_ms: contents.choice.as_ref().and_then(region_race::best_ms),
        failure: failure(record),
        hooks: hooks::view(&snapshot.lamps, &beside.happenings, around.reach),
        presenter: state::presenter(record),
        viewers: state::viewers(record),
        windows: snapshot.windows,
        // Nobody shares a screen in an ended session, whatever the last known roster has.
        screen,
        timeline: timeline::view(record, &beside.happenings, setting),
        waited_ms: timers.waited_ms,
        waiting: timers.waiting,
        connected_ms: timers.connected_ms,
        connected: timers.connected,
        timers_at: setting.now.0,
        program: customer_program::view(snapshot, setting),
        verifications: record.verifications.iter().map(|v| verify::view(v, setting)).collect(),
        next_push: verify::next_push(snapshot, setting),
        closing: parting::closing(record, &connected, wrote, around.end_of_pin(), setting),
        gate: verify::gate(snapshot.gate, record, setting),
        devices: contents.devices.iter().map(device::pinned).collect(),
        pictures: contents.pictures.iter().map(shared_screen::picture).collect(),
        mails: mail_order::views(record, snapshot.gate, setting),
        chat: chat(&contents.chat.messages),
        chat_after: None,
        chat_total: total(&contents.chat),
        chat_box: snapshot.pin.as_ref().map(|_| chat_box::view(around.sends)),
        chat_as_of: snapshot.chat_as_of.map(|at| at.0),
        chat_trouble: snapshot.chat_failure.map(|why| trouble::of_failure("fetch the chat", why)),
        transcript: transcript(&record.transcript),
        note: note(contents),
        tags: contents.tags.clone(),
        log: log(&beside.happenings, &record.by, setting),
        regions: race(contents.choice.as_ref(), &beside.happenings, record.created),
    }
}

fn pin_of(snapshot: &Snapshot, around: &Around<'_>, now: Timestamp) -> Option<Pin> {
    let (pin, allocation) = snapshot.pin.as_ref().zip(snapshot.record.allocation())?;
    Some(pin_view(pin.expose(), allocation.end(now), around))
}

/// The details of a session that only the archive has: no PIN and no hooks.
pub fn archived(
    summary: &Summary,
    beside: &Beside,
    around: &Around<'_>,
    setting: &Setting<'_>,
) -> SessionDetail {
    let never = FactView { is: FactKind::Never, since: None };
    let contents = &beside.contents;
    let ended = summary.closed_at.unwrap_or(summary.created);
    let failed = match &summary.word {
        SessionStatus::Failed { failure } => Some(failed(*failure, summary.region.is_some())),
        _ => None,
    };
    SessionDetail {
        row: archived_row(summary, around.revision, setting),
        by: words::plain(&summary.by, words::LONGEST_NAME),
        created_at: summary.created.0,
        customer: words::plain(&summary.about.customer, limits::CUSTOMER.most),
        ticket: words::plain(&summary.about.ticket, limits::TICKET.most),
        contact: words::plain(&summary.about.contact, limits::CONTACT.most),
        pin: None,
        region: summary.region.as_ref().map(ToString::to_string),
        region_ms: contents.choice.as_ref().and_then(region_race::best_ms),
        failure: failed,
        hooks: hooks::view(&[const { Lamp::Off }; 4], &beside.happenings, around.reach),
        presenter: never.clone(),
        viewers: never,
        windows: 0,
        screen: None,
        timeline: Timeline { presenter: Vec::new(), viewers: Vec::new(), events: Vec::new() },
        waited_ms: summary.waited_ms().map_or(0, whole),
        waiting: false,
        connected_ms: whole(summary.active_ms),
        connected: false,
        timers_at: ended.0,
        program: None,
        verifications: contents.verifications.iter().map(|v| verify::view(v, setting)).collect(),
        next_push: None,
        closing: ClosingView { text: Vec::new(), nobody_came: false },
        gate: verify::old_gate(contents.overridden.as_ref()),
        devices: contents.devices.iter().map(device::pinned).collect(),
        pictures: contents.pictures.iter().map(shared_screen::picture).collect(),
        mails: Vec::new(),
        chat: chat(&contents.chat.messages),
        chat_after: None,
        chat_total: total(&contents.chat),
        chat_box: None,
        chat_as_of: None,
        chat_trouble: None,
        transcript: kept(total(&contents.chat)),
        note: note(contents),
        tags: contents.tags.clone(),
        log: log(&beside.happenings, &summary.by, setting),
        regions: race(contents.choice.as_ref(), &beside.happenings, summary.created),
    }
}

/// The row of a session that only the archive has.
fn archived_row(summary: &Summary, revision: u64, setting: &Setting<'_>) -> SessionRow {
    SessionRow {
        id: summary.session.to_string(),
        revision,
        name: name(&summary.about, summary.created, setting),
        state: state::view(&summary.word, 0, None, setting),
        active_at: summary.closed_at.unwrap_or(summary.created).0,
        timer_since: None,
        unread: 0,
        waiting: 0,
        hook_lost: false,
        verified: None,
        live: false,
    }
}

/// How many messages the chat has up to the page's end.
fn total(page: &ChatPage) -> u32 {
    page.earlier.saturating_add(u32::try_from(page.messages.len()).unwrap_or(u32::MAX))
}

/// Both notes as one text.
fn note(contents: &SessionContents) -> String {
    let of = |kind| contents.notes.iter().filter(move |note| note.kind == kind);
    let both = of(NoteKind::Working).chain(of(NoteKind::Closing));
    let texts: Vec<_> = both.map(|note| note.text.as_str()).collect();
    words::plain_lines(&texts.join("\n"), usize::MAX)
}

/// The chat as it is shown, with names and texts made harmless.
pub fn chat(messages: &[Message]) -> Vec<ChatLine> {
    messages
        .iter()
        .map(|message| ChatLine {
            guid: message.guid.clone(),
            at: message.at.0,
            from: words::plain(&message.subject, words::LONGEST_NAME),
            side: message.writer.map(|writer| match writer {
                Writer::Customer => ChatSide::Customer,
                Writer::Console => ChatSide::Technician,
            }),
            text: words::plain_lines(&message.body, usize::MAX),
        })
        .collect()
}

fn pin_view(pin: &str, expires: Timestamp, around: &Around<'_>) -> Pin {
    Pin {
        text: pin.to_owned(),
        spelled: words::spelled(pin),
        expires_at: expires.0,
        join_link: around.join_template.map(|template| words::fill_pin(template, pin)),
        join_page: around.join_page.map(str::to_owned),
    }
}

fn failure(record: &Record) -> Option<crate::view::Trouble> {
    match &record.life {
        Life::Failed { failure, allocation, .. } => Some(failed(*failure, allocation.is_some())),
        Life::Allocating | Life::Live(_) | Life::Over { .. } | Life::Closed { .. } => None,
    }
}

/// Why a session gave up: before it had its PIN, or after.
fn failed(failure: Failure, had_a_pin: bool) -> crate::view::Trouble {
    trouble::of_failure(if had_a_pin { "keep the session going" } else { "get a PIN" }, failure)
}

/// The transcript of a session that only the archive has, which doesn't say when it was saved, nor whether one without
/// messages was.
const fn kept(messages: u32) -> TranscriptView {
    match messages {
        0 => TranscriptView::NotKnown,
        messages => TranscriptView::Saved { at: None, messages },
    }
}

fn log(happenings: &[EventRecord], by: &str, setting: &Setting<'_>) -> Vec<crate::view::LogLine> {
    let logged = event::logged(happenings).into_iter();
    logged.map(|happening| event::line(happening, by, setting)).collect()
}

fn race(
    choice: Option<&Choice>,
    happenings: &[EventRecord],
    created: Timestamp,
) -> Option<crate::view::RegionsView> {
    let ready = |happening: &&EventRecord| {
        matches!(happening.event, session::Event::Life(session::LifeEvent::PinReady { .. }))
    };
    // The archive has no time for the choice, but the PIN is requested as soon as the region
    // is chosen.
    let at = happenings.iter().find(ready).map_or(created, |ready| ready.at);
    choice.map(|choice| region_race::over(at, choice))
}

fn transcript(transcript: &Transcript) -> TranscriptView {
    match transcript {
        Transcript::NotYet => TranscriptView::NotYet,
        Transcript::Wanted { failed } => TranscriptView::Wanted { failed: *failed },
        Transcript::Saved { at, messages } => {
            TranscriptView::Saved { at: Some(at.0), messages: *messages }
        }
    }
}

/// How long the session waited for the customer, and how long it was connected.
struct Timers {
    waited_ms: i64,
    waiting: bool,
    connected_ms: i64,
    connected: bool,
}

impl Timers {
    fn new(record: &Record, now: Timestamp) -> Self {
        let since = record.allocation().map(|allocation| allocation.at);
        let over = match &record.life {
            Life::Closed { at, .. } | Life::Failed { at, .. } => Some(*at),
            Life::Over { allocation, .. } => Some(allocation.expires),
            Life::Allocating | Life::Live(_) => declined(record, now),
        };
        let until = record.first_joined.or(over).unwrap_or(now);
        Self {
            waited_ms: since.map_or(0, |since| ms(until, since)),
            waiting: since.is_some() && record.first_joined.is_none() && over.is_none(),
            connected_ms: whole(record.active_ms_until(now)),
            connected: record.active_since.is_some(),
        }
    }
}

/// When the customer declined: nobody is waited for who said no, until they come again.
fn declined(record: &Record, now: Timestamp) -> Option<Timestamp> {
    if let SessionStatus::Declined { since } = SessionStatus::new(record, now) {
        Some(since)
    } else {
        None
    }
}

fn ms(later: Timestamp, earlier: Timestamp) -> i64 {
    later.0.saturating_sub(earlier.0).max(0)
}

fn whole(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use session::{About, Arrival, State, state::Allocation};

    use super::*;

    #[test]
    fn a_customer_who_declined_is_not_waited_for_any_more() {
        let mut record = State::new(About::default(), "Anna".into(), Timestamp(0)).record;
        let region = "us-east-1".parse().unwrap();
        let (at, expires) = (Timestamp(1_000), Timestamp(900_000));
        record.life = Life::Live(Allocation { region, at, expires });
        let waited = |record: &Record| {
            let Timers { waited_ms, waiting, .. } = Timers::new(record, Timestamp(61_000));
            (waited_ms, waiting)
        };
        assert_eq!(waited(&record), (60_000, true));
        record.observed.arrival_is_newest = true;
        record.observed.arrival = Arrival::Declined { since: Timestamp(31_000) };
        assert_eq!(waited(&record), (30_000, false));
        record.observed.arrival = Arrival::Asked { since: Timestamp(41_000) };
        assert_eq!(waited(&record), (60_000, true), "they came again");
    }

    #[test]
    fn the_page_has_every_field_of_a_detail_and_no_other() {
        let page = include_str!("../../../../docs/headless.md");
        let (_, table) = page.split_once("| Field | What |\n|---|---|\n| `row` | as a").unwrap();
        let written: Vec<&str> = std::iter::once("row")
            .chain(table.lines().skip(1).take_while(|line| line.starts_with('|')).flat_map(
                |line| {
                    line.split('|')
                        .nth(1)
                        .unwrap()
                        .split(", ")
                        .map(|name| name.trim().trim_matches('`'))
                },
            ))
            .collect();
        let declared = include_str!("../view/detail.rs");
        let (_, fields) = declared.split_once("pub struct SessionDetail {").unwrap();
        let (fields, _) = fields.split_once("\n}").unwrap();
        let mut fields: Vec<&str> = fields
            .lines()
            .filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next())
            .collect();
        let mut written = written;
        written.sort_unstable();
        fields.sort_unstable();
        assert_eq!(written, fields);
    }
}
