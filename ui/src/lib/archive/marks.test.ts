import { expect, test } from 'vitest';
import { parts } from './marks';

const whole = (text: string, marks: [number, number][]) =>
  parts(text, marks)
    .map((part) => part.text)
    .join('');

test('cuts a snippet at its marks', () => {
  expect(parts('the printer queue', [[4, 11]])).toEqual([
    { text: 'the ', hit: false },
    { text: 'printer', hit: true },
    { text: ' queue', hit: false },
  ]);
});

test.each<[string, [number, number][]]>([
  [
    'overlap',
    [
      [0, 5],
      [3, 8],
    ],
  ],
  ['outside', [[10, 99]]],
  ['backwards', [[8, 2]]],
  [
    'out of order',
    [
      [9, 11],
      [0, 2],
    ],
  ],
])('keeps the text whole when marks are %s', (_, marks) => {
  expect(whole('hello world', marks)).toBe('hello world');
});

test('offsets count UTF-16 units, as the console gives them', () => {
  expect(parts('🖨️ is on', [[4, 6]])[1]).toEqual({ text: 'is', hit: true });
});

test('shortens what stands before the first mark', () => {
  const [lead, hit] = parts('Spooler stuck, cleared the printer queue', [[27, 34]], 10);
  expect(lead?.text).toBe('…the ');
  expect(hit).toEqual({ text: 'printer', hit: true });
});
