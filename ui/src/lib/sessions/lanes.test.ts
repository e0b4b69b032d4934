import { expect, test } from 'vitest';
import { detail, MINUTE, row } from '../../../fake/make';
import type { StateKind } from '../ipc/bindings';
import { lanes, reach, RECENT, span } from './lanes';
import { lasting, timers } from './timers';

const NOW = 1_795_000_000_000;
const live = detail(row('a', 'A', 'active', NOW), NOW, {
  created_at: NOW - 60 * MINUTE,
  timeline: {
    presenter: [
      { from: NOW - 50 * MINUTE, to: NOW - 40 * MINUTE, is: 'online' },
      { from: NOW - 30 * MINUTE, to: null, is: 'online' },
    ],
    viewers: [{ from: NOW - 7.5 * MINUTE, to: null, is: 'unknown' }],
    events: [{ at: NOW - 45 * MINUTE, side: 'presenter', text: "The customer's program is online" }],
  },
});

test('shows the last quarter of an hour of a session that goes on', () => {
  expect(span(live, NOW, false)).toEqual([NOW - RECENT, NOW]);
  const laid = lanes(live, NOW, false);
  expect(laid.presenter).toEqual([{ x: 0, width: 100, unknown: false }]);
  expect(laid.events).toEqual([]);
});

test('shows all of it when asked', () => {
  const laid = lanes(live, NOW, true);
  expect(laid.presenter).toHaveLength(2);
  expect(laid.events).toHaveLength(1);
});

test('never says that lanes begin with the session where they do not', () => {
  const aged = (age: number) => ({ ...live, created_at: NOW - age });
  expect(reach(aged(20_000), NOW, false)).toEqual({ words: 'last minute', longer: false });
  expect(reach(aged(2 * MINUTE), NOW, false)).toEqual({ words: 'since the start', longer: false });
  expect(reach(live, NOW, false)).toEqual({ words: 'last 15 minutes', longer: true });
  expect(reach(live, NOW, true)).toEqual({ words: 'whole session', longer: true });
  const over = { ...aged(20_000), row: { ...live.row, live: false } };
  expect(reach(over, NOW, false)).toEqual({ words: 'whole session', longer: false });
});

test('marks what is unknown', () => {
  expect(lanes(live, NOW, false).viewers).toEqual([{ x: 50, width: 50, unknown: true }]);
});

test('a session that is over ends where it ended', () => {
  const over = { ...live, row: { ...live.row, live: false } };
  const ended = {
    ...over,
    timeline: {
      presenter: [],
      viewers: [{ from: NOW - 9 * MINUTE, to: NOW - 5 * MINUTE, is: 'online' as const }],
      events: [],
    },
  };
  expect(span(ended, NOW, false)).toEqual([NOW - 60 * MINUTE, NOW - 5 * MINUTE]);
});

test('timers that run go on from the moment at which they were read', () => {
  const read = {
    ...live,
    timers_at: NOW,
    waited_ms: 1000,
    waiting: false,
    connected_ms: 5000,
    connected: true,
  };
  expect(timers(read, NOW + 3000)).toEqual({ waited: 1000, connected: 8000, total: 60 * MINUTE + 3000 });
});

test('a session that is not counted as waiting is not called so', () => {
  const waits = { ...live, timers_at: NOW, waited_ms: 65_000, waiting: true, connected: false };
  const called = (kind: StateKind) =>
    lasting({ ...waits, row: { ...live.row, state: { ...live.row.state, kind, since: NOW } } }, NOW);
  expect([called('waiting'), called('being_asked')]).toEqual(['for 1:05', 'Waiting 1:05']);
  expect(called('declined')).toMatch(/^since /);
});
