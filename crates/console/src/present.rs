//! Makes views for people from what the engine knows. Pure: snapshots, events and the time go in,
//! views come out; nothing is requested or stored here.

pub mod audit_report;
pub mod chat_box;
pub mod console;
pub mod customer_program;
pub mod detail;
pub mod device;
pub mod event;
pub mod hooks;
pub mod identity_services;
pub mod mail_order;
pub mod parting;
pub mod region_race;
pub mod remedy;
pub mod row;
pub mod shared_screen;
pub mod state;
pub mod timeline;
pub mod trouble;
pub mod verify;

use jiff::tz::TimeZone;
use session::Timestamp;

/// The moment and the time zone for which a view is made.
#[derive(Debug, Clone)]
pub struct Setting<'a> {
    pub now: Timestamp,
    /// The local time zone.
    pub zone: &'a TimeZone,
    /// Whether texts say times with date and offset: a file is read on another day and in another zone.
    pub dated: bool,
}

impl Setting<'_> {
    /// The time of day of `at`; date and time with their offset where the setting is `dated`.
    pub fn clock(&self, at: Timestamp) -> String {
        if self.dated {
            return crate::words::date_and_time(at, self.zone);
        }
        crate::words::clock(at, self.now, self.zone)
    }
}

/// The name of a session: the customer, else the ticket, else "New session 14:03".
pub fn name(about: &session::About, created: Timestamp, setting: &Setting<'_>) -> String {
    let customer = crate::words::plain(&about.customer, crate::words::LONGEST_NAME);
    let ticket = crate::words::plain(&about.ticket, crate::words::LONGEST_NAME);
    if !customer.is_empty() {
        customer
    } else if !ticket.is_empty() {
        ticket
    } else {
        format!("New session {}", setting.clock(created))
    }
}

#[cfg(test)]
mod tests {
    use session::About;

    use super::*;

    #[test]
    fn a_session_is_called_after_the_customer_then_the_ticket_then_its_time() {
        let setting = Setting { now: Timestamp(0), zone: &TimeZone::UTC, dated: false };
        let made = Timestamp(14 * 3_600_000 + 3 * 60_000);
        let mut about = About {
            customer: " Maria\u{202E} Lopez".into(),
            ticket: "HD-1".into(),
            ..About::default()
        };
        assert_eq!(name(&about, made, &setting), "Maria Lopez");
        about.customer = "\u{200B}".into();
        assert_eq!(name(&about, made, &setting), "HD-1");
        about.ticket.clear();
        assert_eq!(name(&about, made, &setting), "New session 14:03");
        let in_a_file = Setting { dated: true, ..setting };
        assert_eq!(name(&about, made, &in_a_file), "New session 1970-01-01T14:03:00+00:00");
    }
}
