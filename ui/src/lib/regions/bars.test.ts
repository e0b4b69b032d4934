import { expect, test } from 'vitest';
import { lane, race } from '../../../fake/make';
import { bars, summary } from './bars';

test('the best is the bar and the other samples are ticks', () => {
  const [first] = bars(race(0), 'us-east-1');
  expect(first).toMatchObject({ region: 'us-east-1', chosen: true, kind: 'measured', words: '24 ms' });
  expect(first?.ticks).toHaveLength(2);
});

test('what was stopped early is an open bar and not a number', () => {
  const stopped = bars(race(0), 'us-east-1').find((bar) => bar.region === 'eu-west-2');
  expect(stopped).toMatchObject({ kind: 'open', words: '> 39 ms' });
});

test('the fastest is on top, then what was stopped, then what failed', () => {
  const mixed = [
    lane('failed', { failure: 'no answer' }),
    lane('far', { best_ms: null, over_ms: 39 }),
    lane('slow', { best_ms: 31 }),
    lane('fast', { best_ms: 24 }),
  ];
  const order = (took_ms: number | null) =>
    bars(race(0, { lanes: mixed, took_ms }), 'fast').map((bar) => bar.region);
  expect(order(118)).toEqual(['fast', 'slow', 'far', 'failed']);
  expect(order(null)).toEqual(['failed', 'far', 'slow', 'fast']);
});

test('what failed says so in words', () => {
  const [only] = bars(race(0, { lanes: [lane('eu', { failure: 'no answer in 5 s' })] }), null);
  expect(only).toMatchObject({ kind: 'failed', words: 'no answer in 5 s' });
});

test('what has no sample yet is being measured', () => {
  const [only] = bars(race(0, { lanes: [lane('eu', { running: true })], took_ms: null }), null);
  expect(only).toMatchObject({ kind: 'running', words: 'measuring' });
});

test('sums up what finished, stopped and failed', () => {
  expect(summary(race(0))).toBe('2 finished, 3 stopped · 118 ms in all');
  expect(summary(race(0, { lanes: [], took_ms: 0 })), 'chosen by hand').toBe('');
  expect(summary(race(0, { lanes: [lane('eu', { failure: 'x' })], took_ms: 5003 }))).toBe(
    '1 failed · 5003 ms in all',
  );
  expect(summary(race(0, { took_ms: null }))).toBe('measuring');
});
