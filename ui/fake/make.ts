import type {
  ChatLine,
  ChatSide,
  Command,
  ConsoleView,
  HookView,
  LampKind,
  LaneView,
  MailView,
  Pin,
  ProgramState,
  ProgramView,
  RegionsView,
  SessionDetail,
  SessionRow,
  StateKind,
} from '../src/lib/ipc/bindings';
import { hhmm, size } from '../src/lib/time/format';

export const MINUTE = 60_000;

const WORDS: Record<StateKind, string> = {
  allocating: 'Allocating',
  waiting: 'Waiting',
  ready: 'Ready',
  page_open: 'Page open',
  downloaded: 'Program downloaded',
  being_asked: 'Being asked',
  declined: 'Declined',
  viewer_waiting: 'Viewer waiting',
  active: 'Active',
  presenter_offline: 'Customer offline',
  ended: 'Ended',
  unknown: 'Unknown',
  expired: 'Expired',
  failed: 'Failed',
  closed: 'Closed',
};

export const HOOKS = ['presenter_started', 'viewer_started', 'presenter_offline', 'viewer_offline'];

export function row(
  id: string,
  name: string,
  kind: StateKind,
  at: number,
  more: Partial<SessionRow> = {},
): SessionRow {
  return {
    id,
    revision: 1,
    name,
    state: { kind, label: WORDS[kind], detail: '', since: at },
    active_at: at,
    timer_since: null,
    unread: 0,
    waiting: 0,
    hook_lost: false,
    verified: null,
    live: kind !== 'closed',
    ...more,
  };
}

export function hook(name: string, lamp: LampKind, more: Partial<HookView> = {}): HookView {
  return { hook: name, lamp, fired_at: null, checked_at: null, attempt: 0, failure: null, ...more };
}

export function pin(text: string, now: number): Pin {
  const link = `http://127.0.0.1:47210/join#${text}`;
  return {
    text,
    spelled: [...text].map((c) => SPELLING[c] ?? c),
    expires_at: now + 24 * 60 * MINUTE,
    join_link: link,
    join_page: 'http://127.0.0.1:47210/',
  };
}

export function detail(of: SessionRow, now: number, more: Partial<SessionDetail> = {}): SessionDetail {
  return {
    row: of,
    by: 'Anna Keller',
    created_at: now - 15 * MINUTE,
    customer: '',
    ticket: '',
    contact: '',
    pin: pin('4LW-90-2F7Y', now),
    region: 'us-east-1',
    region_ms: 24.3,
    failure: null,
    hooks: HOOKS.map((name) => hook(name, 'armed', { checked_at: now - 4000 })),
    presenter: { is: 'never', since: null },
    viewers: { is: 'never', since: null },
    windows: 0,
    timeline: { presenter: [], viewers: [], events: [] },
    waited_ms: 52_000,
    waiting: of.state.kind === 'waiting',
    connected_ms: 0,
    connected: of.state.kind === 'active',
    timers_at: now,
    program: of.live ? program({ is: 'not_asked' }) : null,
    verifications: [],
    next_push: null,
    chat_box: { longest: 2000, instead: null },
    closing: {
      text: [
        "A closed session can't be opened again.",
        'Its PIN ends at once.',
        'The customer and 1 viewer are connected and will be cut off.',
      ],
      nobody_came: false,
    },
    gate: { policy: 'off', open: true, until: null, text: '', overridden: null },
    screen: null,
    devices: [],
    pictures: [],
    mails: [],
    chat: [],
    chat_after: null,
    chat_total: more.chat?.length ?? 0,
    chat_as_of: null,
    chat_trouble: null,
    transcript: { is: 'not_yet' },
    note: '',
    tags: [],
    log: [],
    regions: race(now - 15 * MINUTE),
    ...more,
  };
}

const CONSEQUENCE =
  "The customer's own download stops working for this PIN: what their program needs is given only once, and this console takes it. Only the file that is saved here will work. It carries the session's secrets, so give it to the customer and to nobody else.";
const AGAIN = 'The download is tried again with what the service gave before; it is not asked a second time.';

/** The customer's program as the console words it. */
export function program(state: ProgramState): ProgramView {
  switch (state.is) {
    case 'not_asked':
      return { state, text: 'Not saved here', ask: CONSEQUENCE };
    case 'asking':
      return { state, text: 'Asking the service for it', ask: null };
    case 'downloading':
      return {
        state,
        text: state.total === null ? size(state.bytes) : `${size(state.bytes)} of ${size(state.total)}`,
        ask: null,
      };
    case 'kept':
      return { state, text: state.trouble.text, ask: AGAIN };
    case 'saved':
      return { state, text: `Saved by ${state.by} at ${hhmm(state.at)}, ${size(state.bytes)}`, ask: null };
    case 'gone':
      return { state, text: state.trouble.text, ask: null };
  }
}

export function chat(lines: [string, number, string, ChatSide?][]): ChatLine[] {
  return lines.map(([from, at, text, side = null], n) => ({ guid: `guid-${at}-${n}`, from, at, side, text }));
}

export function lane(region: string, more: Partial<LaneView> = {}): LaneView {
  return { region, samples_ms: [], best_ms: null, over_ms: null, failure: null, running: false, ...more };
}

export function race(at: number, more: Partial<RegionsView> = {}): RegionsView {
  return {
    lanes: [
      lane('us-east-1', { samples_ms: [24.3, 25.8, 26.9], best_ms: 24.3 }),
      lane('ca-central-1', { samples_ms: [33.1, 31.2, 35.7], best_ms: 31.2 }),
      lane('us-west-2', { over_ms: 39 }),
      lane('eu-west-2', { over_ms: 39 }),
      lane('ap-southeast-2', { over_ms: 39 }),
    ],
    chosen: 'us-east-1',
    reason: 'fastest of 2 that finished',
    took_ms: 118,
    at,
    ...more,
  };
}

export function console_(now: number, more: Partial<ConsoleView> = {}): ConsoleView {
  return {
    revision: 1,
    technician: 'Anna Keller',
    access: { is: 'open', since: null, why: null, person: null, people: [], required: false, ceremony: null },
    service: {
      kind: 'embedded',
      base_url: 'http://127.0.0.1:47210/api/v1',
      health: { is: 'answers', at: now - 4000 },
      join_page: 'http://127.0.0.1:47210/',
      this_computer_only: true,
    },
    listener: { address: '127.0.0.1:47213', public_url: null, reach: 'reachable' },
    hooks_checked_at: now - 4000,
    live: 0,
    waiting: 0,
    active: 0,
    troubles: [],
    unacknowledged: 0,
    key_keeper: 'keyring',
    backup_percent: null,
    ...more,
  };
}

const SPELLING: Record<string, string> = {
  '-': 'dash',
  '0': 'zero',
  '1': 'one',
  '2': 'two',
  '3': 'three',
  '4': 'four',
  '5': 'five',
  '6': 'six',
  '7': 'seven',
  '8': 'eight',
  '9': 'nine',
  F: 'Foxtrot',
  L: 'Lima',
  W: 'Whiskey',
  Y: 'Yankee',
};

/** What a service without the event channel says of a mail. */
export const ACCEPTED = {
  state: 'accepted',
  status: 'Accepted by the service 14:00. Whether it arrives isn’t known',
} as const;

/** The mails of a session after one of them was sent once more. */
export const repeated = (mails: MailView[], id: number): MailView[] =>
  mails.map((mail) => (mail.id === id ? { ...mail, ...ACCEPTED, doubtful: false, can_repeat: false } : mail));

export function ordered(command: Extract<Command, { do: 'mail' }>, id: number): MailView {
  const waiting = command.when !== 'now';
  return {
    id,
    to: command.to,
    to_customer: command.to_customer,
    ...(waiting ? { state: 'waiting', status: 'Waits' } : ACCEPTED),
    waiting,
    doubtful: false,
    can_repeat: false,
  };
}

/** A session after the viewer that waited was answered. */
export function answered(detail: SessionDetail, viewer: string): SessionDetail {
  const { screen, row } = detail;
  const waiting = screen?.waiting.filter((one) => one.id !== viewer) ?? [];
  return { ...detail, screen: screen && { ...screen, waiting }, row: { ...row, waiting: waiting.length } };
}

/** What a service tells of a screen as it is now, on which nobody waits. */
export function toldNow(now: number) {
  return { as_of: now, current: true, waiting: [], can_answer: false };
}

/** What changes when a person has read the troubles with these ids. */
export function acknowledged(
  console: ConsoleView,
  read: string[],
): Pick<ConsoleView, 'troubles' | 'unacknowledged'> {
  const troubles = console.troubles.filter(({ id }) => id === null || !read.includes(id));
  return { troubles, unacknowledged: troubles.filter(({ id }) => id !== null).length };
}
