//! The consoles that follow their sessions: which sessions each of them follows, and which of those changed since they
//! were sent last.
//!
//! What waits for a console are PINs and no messages, so a console that reads slowly costs no more than its list of
//! sessions, and gets each state as it is by then.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use parking_lot::{Mutex, MutexGuard};
use serve::{Client, Owner};
use tokio::sync::Notify;
use wire::Pin;

/// How many sessions one channel may follow.
pub(crate) const MOST_FOLLOWED: usize = 20_000;
/// How many channels one owner of addresses may have open. A console has one, but many may share an address.
const MOST_BY_OWNER: usize = 256;
/// How many sessions the channels of one owner may follow together. Whoever owns this machine has no end.
const MOST_FOLLOWED_BY_OWNER: usize = 4 * MOST_FOLLOWED;
/// How many sessions or channels are looked at before others get at them.
const IN_ONE_TURN: usize = 128;

/// All channels that are open.
#[derive(Debug, Default)]
pub(crate) struct EventChannels(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    channels: BTreeMap<u64, (Client, Arc<Waiting>)>,
    /// How many there are of each owner.
    by_owner: HashMap<Owner, usize>,
    /// How many sessions they follow.
    followed_by_owner: HashMap<Owner, usize>,
    followers: HashMap<Pin, BTreeSet<u64>>,
    last_id: u64,
}

/// The sessions whose state has to be sent.
#[derive(Debug, Default)]
struct Waiting {
    queue: Mutex<Queue>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    pins: VecDeque<Pin>,
    /// Those in the queue, each of which is there once.
    queued: HashSet<Pin>,
    closing: bool,
}

/// One console's channel, until it is dropped.
pub(crate) struct EventChannel {
    all: Arc<EventChannels>,
    id: u64,
    client: Client,
    waiting: Arc<Waiting>,
    /// The sessions that are followed, each with the number of the last chat message that was sent.
    followed: HashMap<Pin, u64>,
}

impl EventChannels {
    /// Opens a channel; `None` if this client's owner has too many already.
    pub fn open(self: &Arc<Self>, client: Client) -> Option<EventChannel> {
        let mut open = self.0.lock();
        let owners = open.by_owner.entry(client.owner()).or_default();
        if *owners >= MOST_BY_OWNER {
            return None;
        }
        *owners += 1;
        open.last_id += 1;
        let (id, waiting) = (open.last_id, Arc::<Waiting>::default());
        open.channels.insert(id, (client, Arc::clone(&waiting)));
        Some(EventChannel { all: Arc::clone(self), id, client, waiting, followed: HashMap::new() })
    }

    /// These sessions have changed.
    pub fn publish(&self, pins: &[Pin]) {
        for pin in pins {
            let mut rest = Some(0);
            while let Some(first) = rest {
                let open = self.0.lock();
                rest = open.tell_some(pin, first);
                MutexGuard::unlock_fair(open);
            }
        }
    }

    /// Ends the channels of all clients that aren't on this machine.
    pub fn close_strangers(&self) {
        let mut next = 0;
        loop {
            let open = self.0.lock();
            let mut last = None;
            for (&id, (client, waiting)) in open.channels.range(next..).take(IN_ONE_TURN) {
                last = Some(id);
                if !client.is_this_machine() {
                    waiting.queue.lock().closing = true;
                    waiting.changed.notify_one();
                }
            }
            MutexGuard::unlock_fair(open);
            match last {
                Some(last) => next = last + 1,
                None => return,
            }
        }
    }
}

impl Waiting {
    fn add(&self, pin: &Pin) {
        let mut queue = self.queue.lock();
        if queue.queued.insert(pin.clone()) {
            queue.pins.push_back(pin.clone());
            self.changed.notify_one();
        }
    }
}

impl EventChannel {
    /// Follows a session, whose state is sent next; false if too many are followed.
    pub fn follow(&mut self, pin: &Pin, chat_after: u64) -> bool {
        if !self.followed.contains_key(pin) {
            let is_full = self.followed.len() >= MOST_FOLLOWED;
            if is_full || !self.all.0.lock().follow(self.id, self.client, pin) {
                return false;
            }
        }
        self.followed.insert(pin.clone(), chat_after);
        self.waiting.add(pin);
        true
    }

    pub fn unfollow(&mut self, pin: &Pin) {
        if self.followed.remove(pin).is_some() {
            self.all.0.lock().stop_following(self.id, self.client, pin);
        }
    }

    pub fn followed(&self) -> usize {
        self.followed.len()
    }

    /// The number of the last chat message of this session that was sent, while it is followed.
    pub fn chat_position(&mut self, pin: &Pin) -> Option<&mut u64> {
        self.followed.get_mut(pin)
    }

    /// There is more to send of this session.
    pub fn send_again(&self, pin: &Pin) {
        self.waiting.add(pin);
    }

    /// Waits for the next session whose state has to be sent; `None` when the channel is to end.
    pub async fn next(&self) -> Option<Pin> {
        loop {
            {
                let mut queue = self.waiting.queue.lock();
                if queue.closing {
                    return None;
                }
                if let Some(pin) = queue.pins.pop_front() {
                    queue.queued.remove(&pin);
                    return Some(pin);
                }
            }
            self.waiting.changed.notified().await;
        }
    }
}

impl Open {
    /// Tells some of those who follow a session, from this channel on; where to go on, if there are more.
    fn tell_some(&self, pin: &Pin, first: u64) -> Option<u64> {
        let followers = self.followers.get(pin)?;
        for id in followers.range(first..).take(IN_ONE_TURN) {
            if let Some((_, waiting)) = self.channels.get(id) {
                waiting.add(pin);
            }
        }
        followers.range(first..).nth(IN_ONE_TURN).copied()
    }

    /// False if this client's owner follows too many.
    fn follow(&mut self, id: u64, client: Client, pin: &Pin) -> bool {
        let theirs = self.followed_by_owner.entry(client.owner()).or_default();
        if *theirs >= MOST_FOLLOWED_BY_OWNER && !client.is_this_machine() {
            return false;
        }
        *theirs += 1;
        self.followers.entry(pin.clone()).or_default().insert(id);
        true
    }

    fn stop_following(&mut self, id: u64, client: Client, pin: &Pin) {
        count_down(&mut self.followed_by_owner, client.owner());
        if let Some(followers) = self.followers.get_mut(pin) {
            followers.remove(&id);
            if followers.is_empty() {
                self.followers.remove(pin);
            }
        }
    }
}

impl Drop for EventChannel {
    fn drop(&mut self) {
        let mut open = self.all.0.lock();
        if let Some((client, _)) = open.channels.remove(&self.id) {
            count_down(&mut open.by_owner, client.owner());
        }
        MutexGuard::unlock_fair(open);
        let pins: Vec<&Pin> = self.followed.keys().collect();
        for some in pins.chunks(IN_ONE_TURN) {
            let mut open = self.all.0.lock();
            some.iter().for_each(|pin| open.stop_following(self.id, self.client, pin));
            MutexGuard::unlock_fair(open);
        }
    }
}

fn count_down(counts: &mut HashMap<Owner, usize>, of: Owner) {
    if let Some(left) = counts.get_mut(&of) {
        *left -= 1;
        if *left == 0 {
            counts.remove(&of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: Client = Client(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    fn pin(n: u8) -> Pin {
        format!("7W2-97-857{n}").parse().unwrap()
    }

    #[tokio::test]
    async fn however_often_a_session_changes_it_waits_once() {
        let all = Arc::<EventChannels>::default();
        let mut channel = all.open(CLIENT).unwrap();
        assert!(channel.follow(&pin(1), 0) && channel.follow(&pin(2), 0));
        for _ in 0..1_000 {
            all.publish(&[pin(1), pin(3)]);
        }
        assert_eq!(channel.waiting.queue.lock().pins.len(), 2);
        assert_eq!((channel.next().await, channel.next().await), (Some(pin(1)), Some(pin(2))));
        all.publish(&[pin(2)]);
        assert_eq!(channel.next().await, Some(pin(2)));
        channel.unfollow(&pin(2));
        all.publish(&[pin(2), pin(1)]);
        assert_eq!(channel.next().await, Some(pin(1)));
    }

    #[tokio::test]
    async fn a_client_has_a_number_of_channels_and_each_a_number_of_sessions() {
        let all = Arc::<EventChannels>::default();
        let mut open: Vec<_> = std::iter::from_fn(|| all.open(CLIENT)).collect();
        assert_eq!(open.len(), MOST_BY_OWNER);
        open.truncate(1);
        assert!(all.open(CLIENT).is_some());
        let mut channel = open.pop().unwrap();
        let pins = (0..MOST_FOLLOWED).map(|n| format!("{n:03}-00-0000")[..].to_owned());
        for (n, _) in pins.enumerate() {
            let text = format!("{:05}{:04}", n / 10_000, n % 10_000);
            assert!(channel.follow(&Pin::from_typed(&text).unwrap(), 0));
        }
        assert!(!channel.follow(&pin(1), 0));
        drop(channel);
        assert!(is_empty(&all));
    }

    fn is_empty(all: &EventChannels) -> bool {
        let left = all.0.lock();
        left.followers.is_empty() && left.by_owner.is_empty() && left.followed_by_owner.is_empty()
    }

    #[test]
    fn many_channels_of_one_owner_follow_no_more_than_a_few_do() {
        let all = Arc::<EventChannels>::default();
        let of = |last| Client::from_ip([198, 51, 100, last].into());
        let pins: Vec<Pin> =
            (0..1_000).map(|n| Pin::from_typed(&format!("{n:09}")).unwrap()).collect();
        let mut channels: Vec<_> = (0..100).map(|_| all.open(of(1)).unwrap()).collect();
        let followed = channels.iter_mut().flat_map(|channel| {
            pins.iter().filter(|pin| channel.follow(pin, 0)).collect::<Vec<_>>()
        });
        assert_eq!(followed.count(), MOST_FOLLOWED_BY_OWNER);
        let mut others = all.open(of(2)).unwrap();
        assert!(others.follow(&pins[0], 0), "others follow what they want");
        channels[0].unfollow(&pins[0]);
        assert!(channels[99].follow(&pins[0], 0) && !channels[99].follow(&pins[1], 0));
        drop((channels, others));
        assert!(is_empty(&all));
    }

    #[tokio::test]
    async fn all_who_follow_a_session_are_told_however_many_they_are() {
        let all = Arc::<EventChannels>::default();
        let mut channels: Vec<_> = (0..3 * IN_ONE_TURN + 1)
            .map(|n| all.open(Client::from_ip([198, 51, 100, (n % 200) as u8].into())).unwrap())
            .collect();
        for channel in &mut channels {
            assert!(channel.follow(&pin(1), 0));
            assert_eq!(channel.next().await, Some(pin(1)));
        }
        all.publish(&[pin(1)]);
        for channel in &channels {
            assert_eq!(channel.next().await, Some(pin(1)));
        }
    }
}
