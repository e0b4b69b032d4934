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
}

impl Setting<'_> {
    /// The time of day of `at`.
    pub fn clock(&self, at: Timestamp) -> String {
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
        let setting = Setting { now: Timestamp(0), zone: &TimeZone::UTC };
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
    }
}
