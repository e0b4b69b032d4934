import { expect, test } from 'vitest';
import { helpersOf } from './helpers';

const of = (roster: object) => {
  const { lead, rows } = helpersOf({ viewers: [], ...roster });
  return [lead, ...rows.map(({ name, word, here }) => `${name}: ${word}${here ? '' : ' (grey)'}`)];
};

test('whoever waits to be let in is not said to be here with the customer', () => {
  const watchers = [
    { name: 'Anna', page: 'a' },
    { name: 'Ben', page: 'b' },
  ];
  const waiting = [{ page: 'b', name: 'Ben' }];
  expect(of({ watchers, waiting })).toEqual([
    'Anna is here with you.',
    'Anna: Here',
    'Ben: Waits to be let in (grey)',
  ]);
  expect(of({ watchers: watchers.slice(1), waiting })).toEqual([
    'You are connected. Nobody has opened your screen yet.',
    'Ben: Waits to be let in (grey)',
    'Technician: Not watching yet (grey)',
  ]);
  expect(of({ watchers })[0]).toBe('Anna and Ben are here with you.');
});

test('the people of an older broker, and those without a name, are listed', () => {
  expect(of({ viewers: ['', ''] })).toEqual([
    'A technician and a technician are here with you.',
    'A technician: Here',
    'A technician: Here',
  ]);
});
