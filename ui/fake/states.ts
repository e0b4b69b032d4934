import type { LampKind, SessionDetail, SessionRow, StateKind } from '../src/lib/ipc/bindings';
import { hhmm } from '../src/lib/time/format';
import { chatter, crowded } from './crowded';
import { chat, detail, hook, HOOKS, lane, MINUTE, pin, race, row } from './make';
import { NO_REGION } from './refusals';

const off = HOOKS.map((name) => hook(name, 'off'));
const all = (lamp: LampKind, now: number) =>
  HOOKS.map((name) => hook(name, lamp, { checked_at: now - 4000 }));

/** A session in each state, newest first, as the console reports it. */
export function states(now: number): SessionDetail[] {
  return [
    allocating(now),
    waiting(now),
    viewerWaiting(now),
    ready(now),
    active(now),
    presenterOffline(now),
    unknown(now),
    endedHere(now),
    byHand(now),
    failed(now),
    expired(now),
    closed(now),
    ...arriving(now),
  ];
}

/** States for which the console gives no starting time, and those whose row shows a running timer. */
const TIMELESS = new Set<StateKind>(['allocating', 'failed', 'expired']);
const RUNNING = new Set<StateKind>([
  'waiting',
  'page_open',
  'downloaded',
  'being_asked',
  'declined',
  'viewer_waiting',
  'ready',
  'active',
  'presenter_offline',
]);

function base(
  nth: number,
  kind: StateKind,
  name: string,
  words: string,
  now: number,
  more: Partial<SessionRow> = {},
): SessionRow {
  const since = TIMELESS.has(kind) ? null : now - nth * 65_000;
  const timer_since = RUNNING.has(kind) ? since : null;
  const made = row(`t${nth}`, name, kind, now - nth * 1000, { timer_since, ...more });
  return { ...made, state: { ...made.state, detail: words, since } };
}

/** The race runs: one region has finished, one has answered once, the others have yet to. */
function allocating(now: number): SessionDetail {
  return detail(base(0, 'allocating', 'New session 14:03', '', now), now, {
    created_at: now - 600,
    pin: null,
    region: null,
    region_ms: null,
    hooks: off,
    waited_ms: 0,
    regions: race(now, {
      lanes: [
        lane('us-east-1', { samples_ms: [24.3, 25.8], best_ms: 24.3, running: true }),
        lane('ca-central-1', { samples_ms: [33.1], best_ms: 33.1, running: true }),
        ...['us-west-2', 'eu-west-2', 'ap-southeast-2'].map((name) => lane(name, { running: true })),
      ],
      chosen: null,
      reason: '',
      took_ms: null,
    }),
  });
}

function waiting(now: number): SessionDetail {
  return detail(base(1, 'waiting', 'Lars Nygård', '', now), now, {
    customer: 'Lars Nygård',
    created_at: now - 65_000,
    waited_ms: 65_000,
    hooks: all('rearming', now).map((h) => ({ ...h, checked_at: null })),
  });
}

/** How far customers have come, as only our own broker tells it. */
function arriving(now: number): SessionDetail[] {
  const kinds: [StateKind, string, string][] = [
    ['page_open', 'Aiko Tanaka', ''],
    ['downloaded', 'Bram de Vries', ''],
    ['being_asked', 'Chidi Eze', ''],
    ['declined', 'Dora Novák', ''],
  ];
  return kinds.map(([kind, name, words], n) =>
    detail(base(12 + n, kind, name, words, now, { unread: kind === 'page_open' ? 1 : 0 }), now, {
      customer: name,
      created_at: now - 20 * MINUTE,
      waited_ms: 20 * MINUTE,
      chat: kind === 'page_open' ? chat([[name, now - MINUTE, 'Which file do I have to open?']]) : [],
      chat_as_of: now - 2000,
    }),
  );
}

function viewerWaiting(now: number): SessionDetail {
  return detail(base(2, 'viewer_waiting', 'مريم الخالدي', '1 window here', now), now, {
    customer: 'مريم الخالدي',
    viewers: { is: 'online', since: now - 2 * MINUTE },
    windows: 1,
    waited_ms: 10_000,
    timeline: { presenter: [], viewers: [{ from: now - 2 * MINUTE, to: null, is: 'online' }], events: [] },
  });
}

function ready(now: number): SessionDetail {
  return detail(
    base(3, 'ready', 'Bundesanstalt für Materialforschung und -prüfung, Empfang 🖨️', '', now),
    now,
    {
      customer: 'Bundesanstalt für Materialforschung und -prüfung, Empfang 🖨️',
      presenter: { is: 'online', since: now - 3 * MINUTE },
      timeline: { presenter: [{ from: now - 3 * MINUTE, to: null, is: 'online' }], viewers: [], events: [] },
    },
  );
}

function active(now: number): SessionDetail {
  const timer_since = now - 80 * MINUTE;
  const shown = base(4, 'active', 'Zoë Ångström-Núñez', '3 windows here', now, { timer_since, unread: 112 });
  return crowded(shown, now);
}

function presenterOffline(now: number): SessionDetail {
  return detail(base(5, 'presenter_offline', 'Warehouse laptop', '', now), now, {
    customer: 'Warehouse laptop',
    presenter: { is: 'offline', since: now - 5 * MINUTE },
    connected_ms: 20 * MINUTE,
    hooks: [
      hook('presenter_started', 'consumed', { fired_at: now - 6 * MINUTE }),
      hook('viewer_started', 'armed', { checked_at: now - 4000 }),
      hook('presenter_offline', 'rearming', { fired_at: now - 5 * MINUTE, attempt: 14 }),
      hook('viewer_offline', 'failed', {
        attempt: 3,
        failure: {
          code: 'service_fault',
          text: 'Put hook viewer_offline: the broker answered 503 Service Unavailable.',
          remedy: 'It is tried again in 8 s.',
        },
      }),
    ],
    timeline: {
      presenter: [{ from: now - 12 * MINUTE, to: now - 5 * MINUTE, is: 'online' }],
      viewers: [],
      events: [{ at: now - 5 * MINUTE, side: 'presenter', text: "The customer's program is offline" }],
    },
  });
}

function unknown(now: number): SessionDetail {
  const since = now - 6 * MINUTE;
  return detail(
    base(6, 'unknown', 'Reception PC 2', `unknown since ${hhmm(since)}`, now, { hook_lost: true }),
    now,
    {
      customer: 'Reception PC 2',
      hooks: all('armed_unreachable', now),
      presenter: { is: 'unknown', since },
      viewers: { is: 'unknown', since },
      timeline: {
        presenter: [
          { from: now - 14 * MINUTE, to: since, is: 'online' },
          { from: since, to: null, is: 'unknown' },
        ],
        viewers: [{ from: since, to: null, is: 'unknown' }],
        events: [],
      },
    },
  );
}

/** Ended as the service reports it. It may come back, since the PIN is still valid. */
function endedHere(now: number): SessionDetail {
  return detail(base(7, 'ended', 'Priya Raman', 'still sharing', now), now, {
    customer: 'Priya Raman',
    presenter: { is: 'online', since: now - 14 * MINUTE },
    viewers: { is: 'offline', since: now - 7 * MINUTE },
    connected_ms: 6 * MINUTE,
    transcript: { is: 'wanted', failed: 2 },
    chat: chat([['Priya', now - 9 * MINUTE, 'the scanner is back']]),
  });
}

function byHand(now: number): SessionDetail {
  return detail(base(8, 'waiting', 'HD-20422', '', now), now, {
    ticket: 'HD-20422',
    region: 'eu-west-2',
    region_ms: null,
    regions: race(now, { lanes: [], chosen: 'eu-west-2', reason: 'chosen by hand', took_ms: 0 }),
    waited_ms: 8 * 65_000,
    pin: { ...pin('4LW-90-2F7Y', now), join_link: null },
  });
}

function failed(now: number): SessionDetail {
  return detail(base(9, 'failed', 'New session 13:51', 'none of the five regions answers', now), now, {
    pin: null,
    region: null,
    region_ms: null,
    hooks: off,
    regions: race(now, {
      chosen: null,
      reason: 'No region answered.',
      lanes: [
        lane('us-east-1', { failure: 'nothing answers' }),
        lane('ca-central-1', { failure: 'the certificate is for another name' }),
        ...['us-west-2', 'eu-west-2', 'ap-southeast-2'].map((name) =>
          lane(name, { failure: 'no answer in 5 s' }),
        ),
      ],
      took_ms: 5003,
    }),
    failure: NO_REGION,
  });
}

function expired(now: number): SessionDetail {
  return detail(
    base(10, 'expired', 'Émile Roux', 'the PIN is no longer valid, and nobody joined', now, { live: false }),
    now,
    {
      customer: 'Émile Roux',
      pin: null,
      created_at: now - 25 * 60 * MINUTE,
      hooks: off,
    },
  );
}

function closed(now: number): SessionDetail {
  const shown = base(
    11,
    'closed',
    'Maria Lopez',
    'resolved; the PIN stays valid until about 14:01; ask the customer to quit the program',
    now,
    {
      live: false,
    },
  );
  return detail(shown, now, {
    customer: 'Maria Lopez',
    pin: null,
    created_at: now - 40 * MINUTE,
    hooks: off,
    chat: chatter(now - 38 * MINUTE).slice(0, 12),
    transcript: { is: 'saved', at: now - 11 * MINUTE, messages: 12 },
    timeline: {
      presenter: [{ from: now - 38 * MINUTE, to: now - 12 * MINUTE, is: 'online' }],
      viewers: [{ from: now - 37 * MINUTE, to: now - 12 * MINUTE, is: 'online' }],
      events: [{ at: now - 38 * MINUTE, side: 'presenter', text: "The customer's program is online" }],
    },
    note: 'Cleared the queue.',
  });
}
