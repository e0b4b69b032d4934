import { expect, test } from 'vitest';
import { chat } from '../../../fake/make';
import { thread } from './thread';

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
