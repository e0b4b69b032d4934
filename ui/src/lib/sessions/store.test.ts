import { beforeEach, expect, test } from 'vitest';
import { FakeConsole } from '../../../fake/console';
import { console_, detail, row } from '../../../fake/make';
import { access } from '../../../fake/people';
import { Sessions } from './store.svelte';

const NOW = 1_795_000_000_000;
let port: FakeConsole;
let sessions: Sessions;

beforeEach(async () => {
  port = new FakeConsole('rich', () => NOW);
  sessions = new Sessions(port);
  await sessions.open();
});

test('keeps a row when one with a lower revision comes late', () => {
  port.push({ push: 'row', ...row('x', 'Newer', 'active', NOW, { revision: 7 }) });
  port.push({ push: 'row', ...row('x', 'Older', 'waiting', NOW, { revision: 6 }) });
  expect(sessions.row('x')?.name).toBe('Newer');
});

test('keeps a detail when one with a lower revision comes late', async () => {
  await sessions.select('s1');
  const known = port.details.get('s1');
  if (!known) throw new Error('no s1');
  port.push({ push: 'detail', ...known, note: 'newer', row: { ...known.row, revision: 9 } });
  port.push({ push: 'detail', ...known, note: 'older', row: { ...known.row, revision: 8 } });
  expect(sessions.detail?.note).toBe('newer');
});

test('keeps the console’s state when one with a lower revision comes late', () => {
  port.push({ push: 'console', ...console_(NOW, { revision: 5, live: 5 }) });
  port.push({ push: 'console', ...console_(NOW, { revision: 4, live: 4 }) });
  expect(sessions.console?.live).toBe(5);
});

test('does not bring back a session that is gone', () => {
  port.push({ push: 'gone', id: 's2' });
  port.push({ push: 'row', ...row('s2', 'Ghost', 'active', NOW, { revision: 1 }) });
  expect(sessions.row('s2')).toBeUndefined();
});

test('lists newest activity first', () => {
  port.push({ push: 'row', ...row('x', 'Just now', 'active', NOW + 5) });
  expect(sessions.shown[0]?.name).toBe('Just now');
});

test('filters by what a row waits for', () => {
  sessions.filter = 'waiting';
  expect(sessions.shown.map((r) => r.name)).toEqual(['Lars Nygård']);
  sessions.filter = 'active';
  expect(sessions.shown.map((r) => r.name)).toEqual(['Maria Lopez', 'Reception PC 2']);
  expect(sessions.counts).toEqual({ live: 6, waiting: 1, active: 2 });
});

test('goes around the ends of the list', async () => {
  const [first] = sessions.shown;
  const last = sessions.shown.at(-1);
  await sessions.select(first?.id ?? null);
  await sessions.move(-1);
  expect(sessions.selected).toBe(last?.id);
  await sessions.move(1);
  expect(sessions.selected).toBe(first?.id);
});

test('tells the console which session is on screen', async () => {
  await sessions.select('s2');
  expect(port.asked).toContainEqual({ do: 'show', session: 's2' });
});

test('forgets the PIN of a session that left the screen', async () => {
  await sessions.select('s1');
  expect(sessions.detail?.pin).not.toBeNull();
  await sessions.select('s2');
  const left = port.details.get('s1');
  if (!left) throw new Error('no s1');
  port.push({ push: 'detail', ...left });
  expect(sessions.detail?.row.id).toBe('s2');
  expect(JSON.stringify(sessions)).not.toContain('7W2-97-8570');
});

test('says why a session can’t be shown, and shows it when it can', async () => {
  port.refuse('detail', { code: 'not_found', text: 'Show session: it is not there.', remedy: '' });
  await sessions.select('s1');
  expect(sessions.missing?.text).toContain('not there');
  port.allow('detail');
  await sessions.reload();
  expect(sessions.missing).toBeNull();
  expect(sessions.detail?.row.id).toBe('s1');
});

test('a new session is allocated at once and only then asks who it is for', async () => {
  await sessions.start();
  expect(port.asked.find((c) => c.do === 'new_session')).toEqual({
    do: 'new_session',
    about: { customer: '', ticket: '', contact: '' },
    region: null,
  });
  expect(sessions.asking).toBe(sessions.selected);
});

test('a late answer for a session that left the screen changes nothing', async () => {
  const first = sessions.select('s1');
  const second = sessions.select('s2');
  await Promise.all([first, second]);
  expect(sessions.detail?.row.id).toBe('s2');
  port.push({ push: 'detail', ...detail(row('s9', 'Other', 'active', NOW), NOW) });
  expect(sessions.detail?.row.id).toBe('s2');
});

test('a session that is gone leaves the screen', async () => {
  await sessions.select('s1');
  port.push({ push: 'gone', id: 's1' });
  expect(sessions.selected).toBeNull();
  expect(sessions.detail).toBeNull();
});

test('keys go through the live sessions while the archive is shown', async () => {
  sessions.filter = 'archive';
  await sessions.move(1);
  expect(sessions.selected).toBe('s1');
});

const told = (is: 'locked' | 'signed_in', revision: number) =>
  ({ push: 'console', ...console_(NOW, { revision, access: access(is, NOW) }) }) as const;

test('a lock empties it, and what the lock took away comes back, in whatever order it is told', async () => {
  const rows = [...port.details.values()].map((known) => ({ push: 'row', ...known.row }) as const);
  const gone = rows.map(({ id }) => ({ push: 'gone', id }) as const);
  await sessions.select('s2');
  for (const [revision, lock, unlock] of [
    [500, [told('locked', 500), ...gone], [told('signed_in', 501), ...rows]],
    [510, [...gone, told('locked', 510)], [...rows, told('signed_in', 511)]],
  ] as const) {
    sessions.apply([...lock]);
    expect(sessions.live, `${revision}`).toEqual([]);
    expect([sessions.detail, sessions.selected, sessions.last, sessions.race]).toEqual([
      null,
      null,
      null,
      null,
    ]);
    sessions.apply([...unlock]);
    expect(sessions.live.length).toBeGreaterThan(0);
    expect(sessions.selected).toBe('s2');
    await expect.poll(() => sessions.detail?.row.id).toBe('s2');
  }
});

test('a session that went away while it was locked is not come back to', async () => {
  await sessions.select('s2');
  sessions.apply([told('locked', 500)]);
  port.details.delete('s2');
  sessions.apply([told('signed_in', 501)]);
  await expect.poll(() => sessions.selected).toBeNull();
});
