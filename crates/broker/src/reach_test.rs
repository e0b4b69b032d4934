//! A console asks whether hooks can reach it: its listener is called once, if it is where hooks may go.

use serve::Client;
use tokio::time::{Instant, sleep_until};
use url::Url;

use crate::{
    coordinator::Coordinator,
    hub::{refusal::Refused, service_calls::HookTarget},
};

impl Coordinator {
    /// Calls a client's listener, so that the client learns whether it can be reached from here; true if anything
    /// answered there.
    pub async fn reach(&self, client: Client, url: &str) -> Result<bool, Refused> {
        let leads_here = self.deliverer.own.are_in(url).await;
        let target = HookTarget { url, is_own_mail: false, leads_here };
        self.with_hub(|hub, _| hub.check_target(client, &target))?;
        let url = Url::parse(url).ok().filter(is_reach_test).ok_or_else(|| {
            Refused::malformed("url does not end with /reach/ and a nonce of 32 hex digits")
        })?;
        self.with_hub(|hub, now| hub.count_reach_test(client, now))?;
        let (began, call) = (Instant::now(), self.deliverer.call_listener(client, url));
        let answered = call.await;
        if !answered && !client.is_this_machine() {
            // Always as late as if nobody had answered at all: a port that is closed is none of a stranger's business.
            sleep_until(began + self.live().durations.hook_timeout).await;
        }
        Ok(answered)
    }
}

/// `.../reach/` and a nonce, with nothing after it: no other server takes this for one of its own calls.
fn is_reach_test(url: &Url) -> bool {
    let mut path = url.path().rsplit('/');
    let nonce = path.next().unwrap_or_default();
    nonce.len() == 32
        && nonce.bytes().all(|byte| byte.is_ascii_hexdigit())
        && path.next() == Some("reach")
        && url.query().is_none()
        && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_test_of_the_way_is_called_and_nothing_that_another_server_understands() {
        let nonce = "0123456789abcdef0123456789abcdef";
        let is = |url: String| is_reach_test(&url.parse().unwrap());
        for test in
            [format!("https://a.example/reach/{nonce}"), format!("http://a/x/reach/{nonce}")]
        {
            assert!(is(test.clone()), "{test}");
        }
        for other in [
            format!("https://a.example/{nonce}"),
            format!("https://a.example/reach/{nonce}/"),
            format!("https://a.example/reach/{nonce}0"),
            format!("https://a.example/reach/{nonce}?do=it"),
            format!("https://a.example/reach/{nonce}#x"),
            format!("https://a.example/reach/../{nonce}"),
            format!("https://a.example/?/reach/{nonce}"),
            "https://a.example/reach/".to_owned(),
        ] {
            assert!(!is(other.clone()), "{other}");
        }
    }
}
