import { screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { open } from '../tests/rendered';
import type { Place } from './lib/shell/place';

test('shows the newest session at once, with its state as icon and word', async () => {
  open('rich');
  expect(await screen.findByRole('heading', { name: 'Maria Lopez' })).toBeVisible();
  const main = screen.getByRole('main');
  expect(within(main).getByText('Active')).toBeVisible();
});

test('asks for one thing when there is no session yet', async () => {
  const port = open('empty');
  const main = await screen.findByRole('main', { name: 'Session' });
  await userEvent.click(within(main).getByRole('button', { name: 'New session' }));
  expect(port.asked.map((c) => c.do)).toContain('new_session');
});

test('says why the console could not be opened, and offers to try again', async () => {
  open('unreachable');
  expect(await screen.findByText(/another Deskhand has it/)).toBeVisible();
  expect(screen.getByRole('button', { name: 'Try again' })).toBeVisible();
});

test('the shell brings a session and its chat to the front', async () => {
  const port = open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  port.push({ push: 'ask', number: 1, ask: 'show', session: 's4', chat: true });
  expect(await screen.findByRole('heading', { name: 'Lars Nygård' })).toBeVisible();
  expect(screen.getByRole('tab', { name: /Chat/ })).toHaveAttribute('aria-selected', 'true');
});

test('the shell asks whether to close a session, and its outcome', async () => {
  const port = open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  port.push({ push: 'ask', number: 1, ask: 'close', session: 's4' });
  expect(await screen.findByRole('heading', { name: 'Lars Nygård' })).toBeVisible();
  expect(await screen.findByRole('dialog', { name: /Close/ })).toBeVisible();
  expect(port.asked.map((command) => command.do)).not.toContain('close');
});

test('all sessions are exported from the archive', async () => {
  const port = open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  await userEvent.type(screen.getByRole('searchbox'), 'printer');
  await userEvent.click(await screen.findByRole('button', { name: 'Export all sessions' }));
  expect(port.asked).toContainEqual({ do: 'export_sessions', separator: 'comma' });
  expect(await screen.findByText(/Saved as .*sessions\.csv/)).toBeVisible();
});

test('a search that may miss something says so, and can be made again', async () => {
  const port = open('indexing');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  await userEvent.type(screen.getByRole('searchbox'), 'no such words');
  expect(await screen.findByText(/still being added to the search \(37 % done\)/)).toBeVisible();
  expect(screen.getByText('Nothing has that so far.')).toBeVisible();
  const before = port.asked.filter((command) => command.do === 'search').length;
  await userEvent.click(screen.getByRole('button', { name: 'Search again' }));
  expect(port.asked.filter((command) => command.do === 'search')).toHaveLength(before + 1);
});

test('quitting asks while sessions are live', async () => {
  const port = open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  port.push({ push: 'ask', number: 1, ask: 'quit' });
  const dialog = await screen.findByRole('dialog', { name: 'Quit Deskhand' });
  expect(await within(dialog).findByText(/6 sessions are live/)).toBeVisible();
  expect(within(dialog).getByText(/2 viewers are connected and will be cut off/)).toBeVisible();
  await userEvent.click(within(dialog).getByRole('button', { name: 'Quit' }));
  expect(port.asked).toContainEqual({ do: 'quit' });
});

test('a page that is loaded again comes back to the session, the tab and the text that is not sent', async () => {
  const place: Place = {
    page: 'sessions',
    section: 'general',
    tab: 'details',
    selected: 's4',
    reads: null,
    drafts: { s4: 'Are you there?' },
    notes: {},
  };
  const port = open('rich', (port) => (port.place = place));
  expect(await screen.findByRole('heading', { name: 'Lars Nygård' })).toBeVisible();
  expect(screen.getByRole('tab', { name: /Details/ })).toHaveAttribute('aria-selected', 'true');
  await userEvent.click(screen.getByRole('tab', { name: /Log/ }));
  expect(port.place).toEqual({ ...place, tab: 'log' });
});

test('a note that could not be saved comes back with the next page, and is saved', async () => {
  const kept = { page: 'sessions', section: 'general', tab: 'details', selected: 's4', reads: null };
  const port = open(
    'rich',
    (port) => (port.place = { ...kept, drafts: {}, notes: { s4: 'Calls back at 3' } }),
  );
  expect(await screen.findByRole('textbox', { name: 'Note' })).toHaveValue('Calls back at 3');
  expect(port.asked).toContainEqual({ do: 'note', session: 's4', text: 'Calls back at 3' });
  await vi.waitFor(() => expect(port.place).toMatchObject({ notes: {} }));
  await userEvent.type(screen.getByRole('textbox', { name: 'Note' }), '!');
  expect(port.place).toMatchObject({ notes: { s4: 'Calls back at 3!' } });
});

test('what is kept and is no place is left alone', async () => {
  open('rich', (port) => (port.place = { page: 'elsewhere' }));
  expect(await screen.findByRole('heading', { name: 'Maria Lopez' })).toBeVisible();
});
