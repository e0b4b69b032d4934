import type { PersonRow } from '../shared/sessionPage';
import { isWaiting, WAITS, waitingOf, type WaitingViewer } from '../shared/waiting';

/** Whether the customer's screen is shared, as the broker reports it. */
export type Sharing = 'none' | 'shared' | 'paused';

/** What this viewer may do. */
export type Role = 'watch' | 'control';

/** A viewer, as the broker describes them. */
export type Watcher = {
  page: string;
  name: string;
  role: Role;
  watching: boolean;
  sealed: boolean;
  latency_ms?: number;
  fps?: number;
};

/** Who is present. An older broker sends neither `sharing` nor `watchers`. */
export type Roster = {
  presenter: string | null;
  viewers: string[];
  sharing: Sharing;
  watchers: Watcher[] | null;
  /** Those of them who wait to be let in. */
  waiting: WaitingViewer[];
  /** While no screen is shared: why the customer's program ended the sharing, where it said so. */
  end: string | null;
};

/** The state of the picture's own connection; with a misfit only an update of either end brings it back. */
export type StreamState =
  { is: 'off' } | { is: 'opening' } | { is: 'open' } | { is: 'lost'; why: string | null; misfit?: boolean };

/** Whether this viewer waits to be let in, or has waited and seen no picture since. */
export type Asked = 'no' | 'waits' | 'has_waited';

/** The notice over the screen, and what is shown behind it: nothing, the last picture, or the screen. */
export type ScreenNotice = { title: string; text: string; behind: 'nothing' | 'still' | 'screen' };

/** Everything that decides which notice is shown. */
export type ViewerState = {
  online: boolean;
  over: boolean;
  roster: Roster | null;
  stream: StreamState;
  /** A picture was seen before. */
  seen: boolean;
  asked: Asked;
};

const LEVEL: Record<string, Sharing> = { shared: 'shared', paused: 'paused' };

/** Reads a message of the broker; fields that a later version adds are ignored. */
export function rosterOf(message: Record<string, unknown>): Roster {
  const { presenter, viewers, sharing, watchers, sharing_end: end } = message;
  return {
    presenter: typeof presenter === 'string' ? presenter : null,
    viewers: Array.isArray(viewers) ? viewers.map(String) : [],
    sharing: LEVEL[String(sharing)] ?? 'none',
    watchers: Array.isArray(watchers) ? (watchers as Watcher[]) : null,
    waiting: waitingOf(message),
    end: typeof end === 'string' ? end : null,
  };
}

/** The notice for a state. */
export function noticeOf({ online, over, roster, stream, seen, asked }: ViewerState): ScreenNotice {
  if (over) return bare('Not connected', 'This page is not connected to the session.');
  if (!online || !roster) {
    const text = seen
      ? 'The connection was lost. It comes back by itself as soon as there is a way.'
      : 'Connecting to the session.';
    return { title: seen ? 'Reconnecting' : 'Connecting', text, behind: seen ? 'still' : 'nothing' };
  }
  if (roster.sharing === 'none') return notSharing(roster, seen);
  const behind = seen ? 'still' : 'nothing';
  switch (stream.is) {
    case 'open':
      return { title: '', text: '', behind: 'screen' };
    case 'off':
    case 'opening':
      if (asked === 'waits') return { title: 'Waiting to be let in', text: LETS_IN, behind };
      return seen
        ? { title: 'Reconnecting', text: 'The screen is on its way.', behind }
        : bare('Opening the screen', 'The screen appears in a moment, or once the customer has let you in.');
    case 'lost': {
      // The customer's program gives no reason when it ends the stream of somebody whom nobody has let in.
      if (asked !== 'no' && stream.why === null) return { title: 'Not let in', text: REFUSED, behind };
      const why = stream.why ?? "The way to the customer's computer was lost.";
      if (stream.misfit) return { title: "The versions don't fit", text: why, behind };
      return { title: 'Reconnecting', text: `${why} Deskhand keeps trying.`, behind };
    }
  }
}

const LETS_IN = 'You see the screen once the customer or the technician has let you in.';
const REFUSED = 'Nobody has let you in. You can chat, and open this page again to ask once more.';

/** What is known of this viewer's question after another roster came. */
export function askedAfter(before: Asked, { sharing, waiting }: Roster, own: string): Asked {
  if (sharing === 'none') return 'no';
  if (isWaiting(waiting, own)) return 'waits';
  return before === 'no' ? 'no' : 'has_waited';
}

/** The notice while no screen is shared. This page can't know whether the customer is being asked right now. */
function notSharing({ presenter, end }: Roster, seen: boolean): ScreenNotice {
  const why = end === null ? undefined : ENDED.get(end);
  if (why !== undefined) return bare('The sharing has ended', why);
  const title = seen ? 'No screen is shared any more' : 'No screen is shared yet';
  if (presenter === null) {
    return bare(
      title,
      'The customer is not connected. The screen appears here as soon as they start their program and agree.',
    );
  }
  const who = presenter || 'The customer';
  return bare(
    title,
    `${who} is connected, but without the program that shares the screen. You can chat meanwhile.`,
  );
}

/** Why the customer's program ended the sharing, and what to do. */
const ENDED = new Map([
  ['stopped', 'The customer stopped it. The screen appears here again if they start the program once more.'],
  [
    'moved',
    'The customer moves it to another program with the same PIN. Its screen appears here once they start it; compare the words again then.',
  ],
  [
    'interfered',
    "The customer's program ended it, because the encryption broke off, or was set up anew, too often within an hour. A poor network can do that, but so does somebody who tries to get in between. Call the customer, and begin a new session over another network.",
  ],
  [
    'covered',
    "The customer's program ended it, because another window kept covering the bar that shows who sees the screen. Ask the customer which window that is before they start the program again.",
  ],
  [
    'failed',
    "The customer's program couldn't capture the screen any more. Ask the customer to start it again.",
  ],
]);

function bare(title: string, text: string): ScreenNotice {
  return { title, text, behind: 'nothing' };
}

/** Everybody, the customer first; `own` is this page. Whoever only has this viewer's name is somebody else. */
export function rowsOf(roster: Roster, own: string): PersonRow[] {
  const { presenter, viewers, sharing, watchers, waiting } = roster;
  const customer = {
    name: presenter || 'The customer',
    word: presenter === null ? 'Not connected' : CUSTOMER[sharing],
    here: presenter !== null,
  };
  const all = watchers
    ? watchers.map((one) => {
        const here = !isWaiting(waiting, one.page);
        return { name: one.name, word: here ? doing(one) : WAITS, here, own: one.page === own };
      })
    : viewers.map((name) => ({ name, word: 'Viewer', here: true, own: false }));
  return [
    customer,
    ...all.map((one) => {
      const shown = one.name || 'A technician';
      return { name: one.own ? `${shown} (you)` : shown, word: one.word, here: one.here };
    }),
  ];
}

const CUSTOMER: Record<Sharing, string> = {
  none: 'Connected',
  shared: 'Shares the screen',
  paused: 'Control paused',
};

function doing({ role, watching, sealed, latency_ms, fps }: Watcher): string {
  if (!watching) return 'Connected';
  const parts = [role === 'control' ? 'Controls' : 'Watches'];
  if (latency_ms !== undefined) parts.push(`${latency_ms} ms`);
  if (fps) parts.push(`${fps}/s`);
  if (sealed) parts.push('encrypted');
  return parts.join(' · ');
}
