use super::*;

/// What a delivery of our own broker says of itself.
pub fn of(revision: u64) -> Delivery {
    Delivery { revision: Some(revision), id: Some(DeliveryId(revision)) }
}

/// A broker's own account of one session, and the console's session that hears of it.
pub struct Pair {
    pub now: Timestamp,
    pub broker: Observation,
    pub state: State,
    pub events: Vec<Event>,
    pub effects: Vec<Effect>,
}

impl Pair {
    pub fn new() -> Self {
        let broker = broker_word::of_a_new_session();
        let state = State::new(About::default(), "anna".into(), T0);
        let mut pair = Self { now: T0, broker, state, events: Vec::new(), effects: Vec::new() };
        pair.tell(Input::RegionChosen { region: region() });
        pair.tell(Input::Allocated { region: region(), expires: T0.plus(DAY) });
        pair.events.clear();
        pair
    }

    pub fn tell(&mut self, input: Input) {
        let transition = step(self.state.clone(), input, self.now);
        self.state = transition.state;
        for event in &transition.events {
            self.assert_so(event);
        }
        self.events.extend(transition.events);
        self.effects = transition.effects;
    }

    pub fn observe(&mut self) {
        self.tell(Input::Observed(Box::new(self.broker.clone())));
    }

    /// Something happens at the broker; returns the revision that its hook's delivery carries.
    pub fn happens(&mut self, hook: HookType) -> u64 {
        self.now = self.now.plus(Duration::from_secs(90));
        self.broker.revision += 1;
        self.broker.happened[hook.index()] += 1;
        self.broker.happened_at[hook.index()] = Some(self.now);
        let since = self.now;
        match hook {
            PresenterStarted => self.broker.presenter = ObservedSide::Online { since },
            PresenterOffline => self.broker.presenter = ObservedSide::Offline { since },
            ViewerStarted => self.broker.viewers = ObservedSide::Online { since },
            ViewerOffline => self.broker.viewers = ObservedSide::Offline { since },
        }
        self.broker.revision
    }

    pub fn hook(&mut self, hook: HookType, revision: u64) {
        self.tell(Input::Received(hook));
        self.tell(Input::Committed { seq: 1, hook, delivery: of(revision) });
    }

    pub fn word(&self) -> SessionStatus {
        SessionStatus::new(&self.state.record, self.now)
    }

    /// How often an event of `hook` was told.
    pub fn told(&self, hook: HookType) -> u64 {
        let is = |event: &&Event| reported(event).is_some_and(|(told, _)| told == hook);
        u64::try_from(self.events.iter().filter(is).count()).unwrap()
    }

    /// What is told of `hook` though something newer was known, with its own time.
    pub fn told_late(&self, hook: HookType) -> Vec<Option<Timestamp>> {
        let late = self.events.iter().filter_map(reported).filter(|(told, _)| *told == hook);
        late.filter_map(|(_, overtaken)| Some(overtaken?.at)).collect()
    }

    /// What reads as the present state is the present state.
    pub fn assert_so(&self, event: &Event) {
        let Some((hook, None)) = reported(event) else { return };
        assert_eq!(self.is_online(hook.side()), hook.is_started(), "{event:?}");
    }

    pub fn is_online(&self, side: Side) -> bool {
        match side {
            Side::Presenter => matches!(self.state.record.presenter, Presenter::Online { .. }),
            Side::Viewers => matches!(self.state.record.viewers, Viewers::Some { .. }),
        }
    }

    /// What was told last of a side: whether it is there, or nothing where that is unknown.
    pub fn told_last(&self, side: Side) -> Option<bool> {
        let of_side = |event: &Event| match event.facts().presence_change()? {
            PresenceChange::Reported(hook) => {
                (hook.side() == side).then(|| Some(hook.is_started()))
            }
            PresenceChange::UnknownSince(_) => Some(None),
            PresenceChange::Known { presenter, viewers } => {
                Some(Some(if side == Side::Presenter { presenter } else { viewers }))
            }
            PresenceChange::SessionOver => Some(Some(false)),
        };
        self.events.iter().rev().find_map(of_side).unwrap_or(Some(false))
    }

    pub fn lost(&self) -> usize {
        let is = |event: &&Event| matches!(event, Event::Hook(HookEvent::WebhookLost { .. }));
        self.events.iter().filter(is).count()
    }

    /// Whether both sides are as the broker has them.
    pub fn assert_same(&self) {
        let presenter = match self.state.record.presenter {
            Presenter::Never => ObservedSide::Never,
            Presenter::Online { since } => ObservedSide::Online { since },
            Presenter::Offline { since } => ObservedSide::Offline { since },
            Presenter::Unknown { since } => panic!("unknown since {since:?}"),
        };
        let viewers = match self.state.record.viewers {
            Viewers::Never => ObservedSide::Never,
            Viewers::Some { since } => ObservedSide::Online { since },
            Viewers::None { since, .. } => ObservedSide::Offline { since },
            Viewers::Unknown { since } => panic!("unknown since {since:?}"),
        };
        let kind = std::mem::discriminant::<ObservedSide>;
        assert_eq!(kind(&presenter), kind(&self.broker.presenter), "{presenter:?}");
        assert_eq!(kind(&viewers), kind(&self.broker.viewers), "{viewers:?}");
    }
}

/// The hook whose event is reported, and whether something newer was known already.
pub fn reported(event: &Event) -> Option<(HookType, Option<Overtaken>)> {
    let hook = match event {
        Event::Presence(PresenceEvent::PresenterOnline { .. }) => PresenterStarted,
        Event::Presence(PresenceEvent::PresenterOffline { .. }) => PresenterOffline,
        Event::Presence(PresenceEvent::ViewerJoined { .. }) => ViewerStarted,
        Event::Presence(PresenceEvent::ViewersGone { .. }) => ViewerOffline,
        _ => return None,
    };
    Some((hook, event.facts().overtaken()))
}
