import { screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, test, vi } from 'vitest';
import { open } from '../tests/rendered';
import type { FakeConsole } from '../fake/console';

let port: FakeConsole;

beforeEach(async () => {
  port = open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
});

const shown = (name: string) => screen.findByRole('heading', { level: 1, name });
const focused = () => {
  const at = document.activeElement;
  return at?.getAttribute('aria-label') ?? at?.textContent.trim() ?? '';
};

test('Tab goes through the window in reading order: list, session, side panel, status', async () => {
  const stops: string[] = [];
  for (let n = 0; n < 40 && !stops.at(-1)?.includes('Keyboard'); n += 1) {
    await userEvent.tab();
    stops.push(focused());
  }
  const order = [
    /^Settings/,
    /New session/,
    /^Archive/,
    /^Sessions, newest/,
    /^Watch/,
    /Open viewer/,
    /^More/,
  ];
  const then = [/^Copy the PIN/, /^Join link/, /^Viewer link/, /Probe again/, /^Width of/, /^Chat 2|^Chat$/];
  const last = [/^Reply/, /^\+ tag/, /Embedded broker/, /Keyboard/];
  const places = [...order, ...then, ...last].map((stop) => stops.findIndex((name) => stop.test(name)));
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});

test('arrows, Home and End go through the list, and the list keeps the focus', async () => {
  const list = screen.getByRole('listbox');
  list.focus();
  await userEvent.keyboard('{ArrowDown}');
  await shown('J. Okafor, Accounts');
  await userEvent.keyboard('{End}');
  await shown('New session 13:51');
  await userEvent.keyboard('{Home}');
  await shown('Maria Lopez');
  expect(list).toHaveFocus();
  expect(list).toHaveAttribute('aria-activedescendant', 'row-s1');
});

test('Ctrl with a digit and Ctrl Tab go to a session from wherever the focus is', async () => {
  screen.getByRole('textbox', { name: 'Note' }).focus();
  await userEvent.keyboard('{Control>}4{/Control}');
  await shown('Lars Nygård');
  await userEvent.keyboard('{Control>}{Tab}{/Control}');
  await shown('Warehouse laptop');
  await userEvent.keyboard('{Control>}{Shift>}{Tab}{/Shift}{/Control}');
  await shown('Lars Nygård');
});

test('from the search box an arrow leads to what was found, and Escape back to the sessions', async () => {
  await userEvent.keyboard('{Control>}f{/Control}');
  expect(screen.getByRole('searchbox')).toHaveFocus();
  await userEvent.keyboard('spooler');
  const found = await screen.findByRole('listbox', { name: 'Found, newest first' });
  await userEvent.keyboard('{ArrowDown}');
  await vi.waitFor(() => expect(found).toHaveFocus());
  await userEvent.keyboard('{ArrowDown}');
  await shown('Priya Raman');
  await userEvent.keyboard('{Control>}f{/Control}{Escape}');
  await vi.waitFor(() => expect(screen.getByRole('listbox', { name: /^Sessions/ })).toHaveFocus());
  expect(screen.getByRole('searchbox')).toHaveValue('');
});

test('the map opens by a question mark, keeps Tab inside, and gives the focus back', async () => {
  const viewer = screen.getByRole('button', { name: 'Open viewer' });
  viewer.focus();
  await userEvent.keyboard('?');
  const map = await screen.findByRole('dialog', { name: 'Keyboard' });
  await vi.waitFor(() => expect(map.contains(document.activeElement)).toBe(true));
  await userEvent.tab();
  await userEvent.tab();
  expect(map.contains(document.activeElement)).toBe(true);
  await userEvent.keyboard('{Escape}');
  await vi.waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  await vi.waitFor(() => expect(viewer).toHaveFocus());
});

test('while a dialog is open, no short cut acts behind it', async () => {
  await userEvent.keyboard('{Control>}{Shift>}X{/Shift}{/Control}');
  await screen.findByRole('dialog');
  await userEvent.keyboard('{Control>}n{/Control}');
  expect(port.asked.some((command) => command.do === 'new_session')).toBe(false);
});

test('Escape leaves the settings, and what was typed is there on coming back', async () => {
  await userEvent.keyboard('{Control>},{/Control}');
  const name = await screen.findByLabelText('Your name');
  await userEvent.clear(name);
  await userEvent.type(name, 'Bo{Escape}');
  await shown('Maria Lopez');
  await vi.waitFor(() => expect(screen.getByRole('listbox')).toHaveFocus());
  await userEvent.keyboard('{Control>},{/Control}');
  expect(await screen.findByLabelText('Your name')).toHaveValue('Bo');
  expect(screen.getByText('Not saved yet')).toBeVisible();
});

test('Enter in a field saves the settings', async () => {
  await userEvent.keyboard('{Control>},{/Control}');
  const url = await screen.findByLabelText<HTMLInputElement>('Base URL');
  await userEvent.type(url, 'http://127.0.0.1:1/api');
  // Enter in a field is what its form's submit button does. The tests' keyboard looks for that inside the form alone.
  const save = screen.getByRole<HTMLButtonElement>('button', { name: 'Save' });
  expect([save.type, save.form]).toEqual(['submit', url.form]);
  save.form?.requestSubmit(save);
  await vi.waitFor(() => expect(port.asked.map((command) => command.do)).toContain('configure'));
});

test('a setting that is refused is marked and has the focus', async () => {
  await userEvent.keyboard('{Control>},{/Control}');
  const url = await screen.findByLabelText('Base URL');
  await userEvent.type(url, 'ftp://x');
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  await vi.waitFor(() => expect(url).toHaveFocus());
  expect(url).toHaveAttribute('aria-invalid', 'true');
  expect(screen.getByLabelText('Region URL')).toHaveAttribute('aria-invalid', 'false');
});

test('a list that is refused is marked and has the focus, too', async () => {
  await userEvent.keyboard('{Control>},{/Control}');
  const list = await screen.findByLabelText('Proxies before the listener');
  port.refuse('configure', {
    code: 'bad_input',
    text: 'Set listener_trusted_proxies: “proxy” is no address or network.',
    remedy: 'Write it like 10.0.0.5.',
  });
  await userEvent.type(list, 'proxy');
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  await vi.waitFor(() => expect(list).toHaveFocus());
  expect(list).toHaveAttribute('aria-invalid', 'true');
});

test('what scrolls beside the session takes the focus, so that keys can scroll it', async () => {
  expect(screen.getByRole('log', { name: 'Chat' })).toHaveAttribute('tabindex', '0');
  await userEvent.click(screen.getByRole('tab', { name: 'Log' }));
  expect(within(screen.getByRole('tabpanel')).getByRole('region')).toHaveAttribute('tabindex', '0');
});
