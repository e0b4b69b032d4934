import { expect, test } from 'vitest';
import { ago, millis, moment, running } from './format';

const at = (text: string) => new Date(text).getTime();

test('a running time grows from minutes to hours and is never below zero', () => {
  expect(running(52_400)).toBe('0:52');
  expect(running(761_000)).toBe('12:41');
  expect(running(3_723_000)).toBe('1:02:03');
  expect(running(-5000)).toBe('0:00');
});

test('says how long ago something was, in the largest unit that fits', () => {
  const now = at('2026-11-22T14:03:00');
  expect(ago(now - 300, now)).toBe('just now');
  expect(ago(now - 4000, now)).toBe('4 s ago');
  expect(ago(now - 180_000, now)).toBe('3 min ago');
  expect(ago(now - 7_200_000, now)).toBe('2 h ago');
  expect(ago(now - 86_400_000, now)).toBe('1 day ago');
});

test('names the day of a moment that is not today', () => {
  const now = at('2026-11-22T14:03:00');
  expect(moment(at('2026-11-22T09:05:00'), now)).toBe('09:05');
  expect(moment(at('2026-11-23T14:01:00'), now)).toBe('14:01 tomorrow');
  expect(moment(at('2026-11-21T23:59:00'), now)).toBe('23:59 yesterday');
  expect(moment(at('2026-11-03T08:00:00'), now)).toBe('3 Nov, 08:00');
  expect(moment(at('2025-12-31T08:00:00'), now)).toBe('31 Dec 2025, 08:00');
});

test('gives tenths of a millisecond only where they matter', () => {
  expect(millis(24.3)).toBe('24 ms');
  expect(millis(2.34)).toBe('2.3 ms');
});
