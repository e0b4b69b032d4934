import { expect, test } from 'vitest';
import { chat } from '../../../fake/make';
import { continued, thread } from './thread';

const joined = { at: 1000, side: 'viewers' as const, text: 'A viewer joined' };

test('what happened stands between what was written, in the order of time', () => {
  const entries = thread(
    chat([
      ['Maria', 500, 'hello'],
      ['Maria', 1500, 'are you there?'],
    ]),
    [joined],
  );
  expect(entries.map((entry) => entry.is)).toEqual(['line', 'event', 'line']);
});

test('lines of one person in a minute follow each other without a name', () => {
  const entries = thread(
    chat([
      ['Maria', 0, 'a'],
      ['Maria', 30_000, 'b'],
      ['Anna', 40_000, 'c'],
      ['Anna', 120_000, 'd'],
    ]),
    [],
  );
  expect(entries.map((entry) => entry.is === 'line' && entry.follows)).toEqual([false, true, false, false]);
});

test('a customer with the name of who wrote before is somebody else', () => {
  const entries = thread(
    chat([
      ['Anna', 0, 'a', 'technician'],
      ['Anna', 10_000, 'b', 'customer'],
      ['Anna', 20_000, 'c', 'customer'],
    ]),
    [],
  );
  expect(entries.map((entry) => entry.is === 'line' && entry.follows)).toEqual([false, false, true]);
});

test('a name comes again after something happened in between', () => {
  const entries = thread(
    chat([
      ['Maria', 500, 'a'],
      ['Maria', 1500, 'b'],
    ]),
    [joined],
  );
  expect(entries.at(-1)).toMatchObject({ is: 'line', follows: false });
});

test('a pushed chat goes on after the message that it names', () => {
  const [a, b, c] = chat([
    ['Maria', 0, 'a'],
    ['Maria', 1, 'b'],
    ['Maria', 2, 'c'],
  ]);
  if (!a || !b || !c) throw new Error('three lines');
  expect(continued([a], { chat: [b, c], chat_after: a.guid })).toEqual([a, b, c]);
  expect(continued([a, c], { chat: [b, c], chat_after: a.guid })).toEqual([a, b, c]);
  expect(continued([a, b], { chat: [], chat_after: b.guid })).toEqual([a, b]);
  expect(continued([a, b], { chat: [c], chat_after: null })).toEqual([c]);
  expect(continued([a], { chat: [c], chat_after: b.guid })).toBeNull();
});
