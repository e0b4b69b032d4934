import { timeTicks } from 'd3-time';
import type { SessionDetail, Stretch } from '../ipc/bindings';
import { perCent } from '../chart/scale';
import { hhmm } from '../time/format';

const MINUTE = 60_000;
/** What the card shows of a session that goes on, unless all of it is asked for. */
export const RECENT = 15 * MINUTE;

export interface Piece {
  /** Per cent of the lane's width. */
  x: number;
  width: number;
  unknown: boolean;
}

export interface Lanes {
  from: number;
  to: number;
  presenter: Piece[];
  viewers: Piece[];
  events: { x: number; text: string; side: 'presenter' | 'viewers' | 'other'; at: number }[];
  ticks: { x: number; text: string }[];
}

/** Whether presence was kept: the archive keeps none, and empty lanes would say that nobody was there. */
export function hasTimeline({ timeline }: Pick<SessionDetail, 'timeline'>): boolean {
  return timeline.presenter.length + timeline.viewers.length + timeline.events.length > 0;
}

/** The time range: the last quarter of an hour of a live session, all of a session that is over. */
export function span(detail: SessionDetail, now: number, whole: boolean): [number, number] {
  const { presenter, viewers, events } = detail.timeline;
  if (detail.row.live) {
    const begin = Math.min(detail.created_at, now - MINUTE);
    return [whole ? begin : Math.max(begin, now - RECENT), now];
  }
  const ends = [...presenter, ...viewers].map((s) => s.to ?? s.from).concat(events.map((e) => e.at));
  const from = detail.created_at;
  return [from, Math.max(from + MINUTE, ...ends)];
}

/** What the lanes show, in words, and whether the session is longer than what they show unless asked for all of it. */
export function reach(
  detail: SessionDetail,
  now: number,
  whole: boolean,
): { words: string; longer: boolean } {
  const age = now - detail.created_at;
  const longer = detail.row.live && age > RECENT;
  if (!detail.row.live || (longer && whole)) return { words: 'whole session', longer };
  if (longer) return { words: 'last 15 minutes', longer };
  // A younger session's lanes begin before it did, and so does their axis.
  return { words: age < MINUTE ? 'last minute' : 'since the start', longer };
}

/** Presence laid out between 0 and 100 per cent of the lanes' width. */
export function lanes(detail: SessionDetail, now: number, whole: boolean): Lanes {
  const [from, to] = span(detail, now, whole);
  const x = perCent(from, to);
  const piece = (stretch: Stretch): Piece => {
    const left = x(stretch.from);
    return { x: left, width: Math.max(0, x(stretch.to ?? to) - left), unknown: stretch.is === 'unknown' };
  };
  const seen = (stretch: Stretch) =>
    (stretch.to ?? to) >= from && stretch.is !== 'never' && stretch.is !== 'offline';
  return {
    from,
    to,
    presenter: detail.timeline.presenter.filter(seen).map(piece),
    viewers: detail.timeline.viewers.filter(seen).map(piece),
    events: detail.timeline.events
      .filter((event) => event.at >= from)
      .map((event) => ({ x: x(event.at), text: event.text, side: event.side ?? 'other', at: event.at })),
    ticks: timeTicks(new Date(from), new Date(to), 4)
      // Labels are whole minutes: a tick between two would bear the name of another moment.
      .filter((at) => at.getTime() % MINUTE === 0)
      .map((at) => ({ x: x(at.getTime()), text: hhmm(at.getTime()) }))
      // Too near an end, they would lie under its label.
      .filter((tick) => tick.x > 12 && tick.x < 88)
      .filter((tick, n, all) => n === 0 || tick.text !== all[n - 1]?.text),
  };
}
