import type { ConsoleView, Hit, RegionsView, SessionDetail, SessionRow } from '../src/lib/ipc/bindings';
import { hhmm } from '../src/lib/time/format';
import { chat, console_, detail, hook, HOOKS, lane, MINUTE, pin, race, row } from './make';
import type { IdentityScenario } from './identity';
import { identityScenarios } from './identityScenarios';
import { NO_REGION } from './refusals';
import { states } from './states';

/** What the fake knows at its start. */
export interface Scenario {
  console: ConsoleView;
  details: SessionDetail[];
  archive: Hit[];
  /** Rows change by themselves, to see that 200 of them stay smooth. */
  busy?: boolean;
  /** How much of the archive the search knows, in percent; all if it isn't said. */
  indexed?: number;
  /** The console can't be reached at all. */
  unreachable?: boolean;
  identity?: IdentityScenario;
}

export const SCENARIOS: Record<string, (now: number) => Scenario> = {
  rich,
  empty,
  many,
  words,
  trouble,
  offline,
  unreachable,
  indexing,
  ...identityScenarios(empty, rich),
};

function empty(now: number): Scenario {
  return { console: console_(now), details: [], archive: [] };
}

function unreachable(now: number): Scenario {
  return { ...empty(now), unreachable: true };
}

function indexing(now: number): Scenario {
  return { ...rich(now), indexed: 37 };
}

function rich(now: number): Scenario {
  const details = [
    maria(now),
    okafor(now),
    reception(now),
    lars(now),
    warehouse(now),
    ended(now),
    failed(now),
  ];
  return { console: counted(console_(now), details), details, archive: archived(now, 120) };
}

/** A session in every state. */
function words(now: number): Scenario {
  const details = states(now);
  const over = details.filter((known) => !known.row.live).map(({ row }) => found(row));
  return { console: counted(console_(now), details), details, archive: [...over, ...archived(now, 3)] };
}

function found({ id, name, active_at, state }: SessionRow): Hit {
  return { session: id, name, at: active_at, place: 'session', snippet: name, marks: [], state };
}

function many(now: number): Scenario {
  const details = Array.from({ length: 200 }, (_, n) => one(n, now));
  return { console: counted(console_(now), details), details, archive: archived(now, 10_000), busy: true };
}

function trouble(now: number): Scenario {
  const scenario = rich(now);
  scenario.console.troubles = [
    {
      code: 'free_space',
      text: 'Save event 4127: no space left on the disk that holds /home/anna/.local/share/deskhand.',
      remedy: 'Free some space. The event is applied and will be saved as soon as there is room.',
      id: null,
    },
    {
      code: 'unlock_key',
      text: 'Open the archive: the keyring is locked.',
      remedy: 'Unlock the keyring in the system’s password manager.',
      id: null,
    },
    {
      code: 'restore_copy',
      text: 'Read the archive: the file /home/anna/.local/share/deskhand/archive.db is damaged; 3 of 41,207 rows can’t be read.',
      remedy: 'Put a copy of the file back, or save what can be read: deskhand doctor --salvage NEW.',
      id: 'archive',
    },
    {
      code: 'check_network',
      text: 'Show a desktop notification: the desktop’s notification service doesn’t answer.',
      remedy: 'What happened stands in each session’s log.',
      id: null,
    },
    {
      code: 'check_address',
      text: 'Listen for hooks: 1,024 connections from 192.0.2.17 are open, and no more are taken from there.',
      remedy: 'Find out what opens them.',
      id: null,
    },
  ];
  scenario.console.unacknowledged = 1;
  return scenario;
}

function offline(now: number): Scenario {
  const scenario = rich(now);
  scenario.console.service = {
    kind: 'configured',
    base_url: 'https://support.example.com/api/v1',
    health: {
      is: 'fails',
      since: now - 3 * MINUTE,
      text: 'Put hook viewer_started: nothing answers at support.example.com. Check the network; it is tried again every 8 s.',
    },
    join_page: 'https://support.example.com/',
    this_computer_only: false,
  };
  scenario.console.listener = { address: '127.0.0.1:47213', public_url: null, reach: 'unreachable' };
  scenario.console.hooks_checked_at = now - 3 * MINUTE;
  for (const known of scenario.details) {
    if (known.pin === null) continue;
    const since = now - 3 * MINUTE;
    known.hooks = known.hooks.map((h) => ({
      ...h,
      lamp: 'armed_unreachable' as const,
      checked_at: since,
      failure: null,
    }));
    known.row.hook_lost = true;
    known.row.timer_since = null;
    known.row.state = { kind: 'unknown', label: 'Unknown', detail: `unknown since ${hhmm(since)}`, since };
    known.presenter = known.viewers = { is: 'unknown', since };
    Object.assign(known, { connected: false, waiting: false, windows: 0 });
    for (const side of [known.timeline.presenter, known.timeline.viewers]) {
      for (const stretch of side) stretch.to ??= since;
      side.push({ from: since, to: null, is: 'unknown' });
    }
  }
  return scenario;
}

function maria(now: number): SessionDetail {
  const at = now - 12 * MINUTE - 41_000;
  const known = row('s1', 'Maria Lopez', 'active', now, { timer_since: at, unread: 2 });
  known.state.detail = '2 windows here';
  return detail(known, now, {
    customer: 'Maria Lopez',
    ticket: 'HD-20417',
    contact: 'maria.lopez@example.com',
    pin: pin('7W2-97-8570', now),
    hooks: [
      hook('presenter_started', 'armed', { fired_at: now - 13 * MINUTE, checked_at: now - 4000 }),
      hook('viewer_started', 'armed', { fired_at: now - 11 * MINUTE, checked_at: now - 4000 }),
      hook('presenter_offline', 'armed', { checked_at: now - 4000 }),
      hook('viewer_offline', 'rearming', { attempt: 2 }),
    ],
    presenter: { is: 'online', since: now - 13 * MINUTE },
    viewers: { is: 'online', since: at },
    windows: 2,
    timeline: {
      presenter: [{ from: now - 13 * MINUTE, to: null, is: 'online' }],
      viewers: [{ from: at, to: null, is: 'online' }],
      events: [
        { at: now - 13 * MINUTE, side: 'presenter', text: "The customer's program is online" },
        { at, side: 'viewers', text: 'A viewer joined' },
        { at: now - 7 * MINUTE, side: 'viewers', text: 'A viewer joined' },
        { at: now - 4 * MINUTE, side: null, text: 'E-mail to a colleague handed to the mail server' },
      ],
    },
    waited_ms: 108_000,
    connected_ms: now - at,
    mails: [
      {
        id: 1,
        to: 'maria.lopez@example.com',
        to_customer: true,
        state: 'handed_over',
        status: 'Handed to the mail server 14:00. Whether it arrives isn’t known',
        waiting: false,
        doubtful: false,
        can_repeat: false,
      },
      {
        id: 2,
        to: 'jonas@example.com',
        to_customer: false,
        state: 'waiting',
        status: 'Goes out when the customer is online',
        waiting: true,
        doubtful: false,
        can_repeat: false,
      },
    ],
    chat: chat([
      ['Maria', now - 10 * MINUTE, 'hey! it is the printer again'],
      ['Anna', now - 10 * MINUTE + 20_000, 'Oh, hi. How are you? I’ll have a look.'],
      [
        'Maria',
        now - 8 * MINUTE,
        'well... the light on it is orange, and the queue shows eleven jobs from yesterday.',
      ],
      ['Maria', now - 3 * MINUTE, 'should I switch it off and on?'],
    ]),
    chat_as_of: now - 2000,
    note: 'Spooler stuck after update KB5031; cleared queue, driver rolled back.',
    tags: ['printer', 'driver'],
    log: [
      { seq: 1, at: now - 15 * MINUTE, text: 'Anna Keller started the session', bad: false },
      { seq: 2, at: now - 15 * MINUTE + 1200, text: 'PIN given out in us-east-1', bad: false },
      { seq: 3, at: now - 13 * MINUTE, text: "The customer's program is online", bad: false },
      { seq: 4, at, text: 'A viewer joined', bad: false },
      {
        seq: 5,
        at: now - 2 * MINUTE,
        text: 'Hook viewer_offline could not be re-armed: no answer in 5 s',
        bad: true,
      },
    ],
  });
}

function okafor(now: number): SessionDetail {
  const known = row('s2', 'J. Okafor, Accounts', 'ready', now - 1000, { timer_since: now - 187_000 });
  return detail(known, now, {
    customer: 'J. Okafor, Accounts',
    presenter: { is: 'online', since: now - 187_000 },
  });
}

function reception(now: number): SessionDetail {
  const known = row('s3', 'Reception PC 2', 'active', now - 2000, {
    timer_since: now - 28 * MINUTE - 15_000,
    hook_lost: true,
  });
  const failedHook = hook('viewer_offline', 'failed', {
    attempt: 3,
    failure: { code: 'service_fault', text: 'The broker answered 503.', remedy: 'It is tried again in 8 s.' },
  });
  return detail(known, now, {
    customer: 'Reception PC 2',
    hooks: [
      hook('presenter_started', 'armed'),
      hook('viewer_started', 'consumed', { fired_at: now - 5000 }),
      hook('presenter_offline', 'off'),
      failedHook,
    ],
  });
}

function lars(now: number): SessionDetail {
  const known = row('s4', 'Lars Nygård', 'waiting', now - 3000, { timer_since: now - 52_000 });
  return detail(known, now, { customer: 'Lars Nygård', contact: '+47 22 12 34 56' });
}

function warehouse(now: number): SessionDetail {
  const known = row('s5', 'Warehouse laptop', 'presenter_offline', now - 4000, {
    timer_since: now - 380_000,
  });
  return detail(known, now, {
    customer: 'Warehouse laptop',
    presenter: { is: 'offline', since: now - MINUTE },
  });
}

function ended(now: number): SessionDetail {
  const at = now - 3 * 60 * MINUTE;
  const known = row('s6', 'Priya Raman', 'ended', at, { live: false });
  known.state.detail = 'PIN no longer valid';
  return detail(known, now, {
    customer: 'Priya Raman',
    ticket: 'HD-20391',
    pin: null,
    transcript: { is: 'saved', at, messages: 3 },
    chat: chat([
      ['Priya', at - 9 * MINUTE, 'the scanner is back'],
      ['Anna', at - 8 * MINUTE, 'Good. I’ll leave you to it.'],
      ['Priya', at - 8 * MINUTE, 'thank you!'],
    ]),
    timeline: {
      presenter: [{ from: at - 20 * MINUTE, to: at - MINUTE, is: 'online' }],
      viewers: [
        { from: at - 18 * MINUTE, to: at - 9 * MINUTE, is: 'online' },
        { from: at - 9 * MINUTE, to: at - 6 * MINUTE, is: 'unknown' },
      ],
      events: [{ at: at - 20 * MINUTE, side: 'presenter', text: "The customer's program is online" }],
    },
    created_at: at - 22 * MINUTE,
    log: [{ seq: 9, at, text: 'All viewers left; the transcript was saved (3 messages)', bad: false }],
  });
}

function failed(now: number): SessionDetail {
  const known = row('s7', 'New session 13:51', 'failed', now - 20 * MINUTE);
  known.state = { ...known.state, detail: 'none of the five regions answers', since: null };
  const regions: RegionsView = race(now - 20 * MINUTE, {
    chosen: null,
    reason: 'No region answered.',
    lanes: [
      lane('us-east-1', { failure: 'nothing answers' }),
      lane('ca-central-1', { failure: 'the certificate is for another name' }),
      lane('us-west-2', { failure: 'no answer in 5 s' }),
      lane('eu-west-2', { failure: 'nothing answers' }),
      lane('ap-southeast-2', { failure: 'nothing answers' }),
    ],
    took_ms: 5003,
  });
  return detail(known, now, {
    pin: null,
    region: null,
    region_ms: null,
    regions,
    hooks: HOOKS.map((name) => hook(name, 'off')),
    failure: NO_REGION,
  });
}

const NAMES = [
  'Aiko Tanaka',
  'Bram de Vries',
  'Chidi Eze',
  'Dora Novák',
  'Émile Roux',
  'Fatima Zahra',
  'Göran Åberg',
  'Hana Kim',
];
const KINDS = [
  'active',
  'waiting',
  'ready',
  'active',
  'presenter_offline',
  'viewer_waiting',
  'waiting',
  'active',
] as const;

function one(n: number, now: number): SessionDetail {
  const name = `${NAMES[n % 8] ?? ''} ${n + 1}`;
  const at = now - n * 7000;
  const known = row(`m${n}`, name, KINDS[n % 8] ?? 'waiting', at, {
    timer_since: at - 30_000,
    unread: n % 5 === 0 ? n % 7 : 0,
  });
  return detail(known, now, { customer: name, chat: chat([['Anna', at, `Hello from session ${n + 1}`]]) });
}

function archived(now: number, size: number): Hit[] {
  return Array.from({ length: size }, (_, n) => {
    const at = now - (n + 3) * 47 * MINUTE;
    const kind = n % 6 === 5 ? 'expired' : n % 4 === 1 ? 'ended' : 'closed';
    const snippet =
      n % 3 === 0
        ? 'Spooler stuck, cleared the printer queue'
        : n % 3 === 1
          ? 'HD-' + (20_400 - n)
          : 'thank you, it works again';
    return {
      session: n === 0 ? 's6' : `a${n}`,
      name: n === 0 ? 'Priya Raman' : `${NAMES[n % 8] ?? ''}`,
      at,
      place: n % 3 === 0 ? 'note' : n % 3 === 1 ? 'ticket' : 'message',
      snippet,
      marks: [],
      state: {
        kind,
        label: kind === 'closed' ? 'Closed' : kind === 'ended' ? 'Ended' : 'Expired',
        detail: kind === 'closed' ? 'resolved' : '',
        since: at,
      },
    };
  });
}

function counted(view: ConsoleView, details: SessionDetail[]): ConsoleView {
  const rows = details.map((d) => d.row).filter((r) => r.live && r.state.kind !== 'failed');
  return {
    ...view,
    live: rows.length,
    waiting: rows.filter((r) => r.state.kind === 'waiting' || r.state.kind === 'viewer_waiting').length,
    active: rows.filter((r) => r.state.kind === 'active').length,
  };
}
