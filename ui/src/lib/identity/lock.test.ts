import { screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { open } from '../../../tests/rendered';
import type { FakeConsole } from '../../../fake/console';
import { console_ } from '../../../fake/make';
import { CANCELLED_IN_BROWSER } from '../../../fake/refusals';

const lockKey = '{Control>}l{/Control}';
const asked = (port: FakeConsole) => port.asked.map((command) => command.do);
const signInButton = () => screen.findByRole('button', { name: 'Sign in with a passkey' });

async function signedIn(): Promise<FakeConsole> {
  const port = open('signed_in');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  return port;
}

/** What a session is known by in the window. */
const OF_SESSIONS = [/Maria/, /Okafor/, /7W2-97-8570/, /HD-20417/, /Spooler/, /Warehouse/];

function nothingOfSessions() {
  const page = document.documentElement.outerHTML;
  for (const trace of OF_SESSIONS) expect(page).not.toMatch(trace);
}

test('Ctrl L locks, and nothing of any session is left in the page', async () => {
  const port = await signedIn();
  expect(document.body.innerHTML).toMatch(/Maria/);
  await userEvent.keyboard(lockKey);
  await signInButton();
  expect(asked(port)).toContain('lock');
  nothingOfSessions();
  expect(screen.getByText(/^since \d\d:\d\d, by hand$/)).toBeVisible();
  expect(screen.getByText(/keeps working in the background/)).toBeVisible();
});

test('a console that is locked from its start shows no session, and asks for none', async () => {
  const port = open('locked');
  await signInButton();
  nothingOfSessions();
  expect(asked(port)).toEqual([]);
});

test('the focus goes to Sign in, and no short cut does anything', async () => {
  const port = open('locked');
  await vi.waitFor(async () => expect(await signInButton()).toHaveFocus());
  for (const keys of ['n', 'k', 'f', 'o', ',', 'b', '1', '{Shift>}C{/Shift}', '{Shift>}X{/Shift}'])
    await userEvent.keyboard(`{Control>}${keys}{/Control}`);
  await userEvent.keyboard('?');
  expect(asked(port)).toEqual([]);
  expect(screen.queryByRole('dialog')).toBeNull();
  expect(await signInButton()).toBeVisible();
});

test('what floats when the lock falls is gone: dialogs, menus, what was just said', async () => {
  await signedIn();
  await userEvent.keyboard('{Control>}{Shift>}X{/Shift}{/Control}');
  const dialog = await screen.findByRole('dialog', { name: 'Close Maria Lopez' });
  await userEvent.type(within(dialog).getByLabelText('Note'), 'Spooler');
  // By time or by the screen, with the window as it is.
  await userEvent.keyboard('{Escape}');
  await userEvent.click(screen.getByRole('button', { name: 'More' }));
  await screen.findByRole('menu');
  await userEvent.keyboard('{Escape}');
  await userEvent.keyboard(lockKey);
  await signInButton();
  await vi.waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  nothingOfSessions();
});

test('a lock that the console makes takes an open dialog with it', async () => {
  const port = await signedIn();
  await userEvent.keyboard('{Control>}{Shift>}X{/Shift}{/Control}');
  await screen.findByRole('dialog', { name: 'Close Maria Lopez' });
  await port.ask({ do: 'lock' });
  await signInButton();
  await vi.waitFor(nothingOfSessions);
});

test('a note that was being typed is saved before the lock falls', async () => {
  const port = await signedIn();
  await userEvent.type(screen.getByRole('textbox', { name: 'Note' }), ' and more');
  await userEvent.keyboard(lockKey);
  await signInButton();
  const order = asked(port).filter((does) => does === 'note' || does === 'lock');
  expect(order.at(-1)).toBe('lock');
  expect(order).toContain('note');
  expect(port.details.get('s1')?.note).toMatch(/and more$/);
});

test('unlocking brings back what was on the screen', async () => {
  const port = await signedIn();
  await userEvent.keyboard('{Control>}4{/Control}');
  await screen.findByRole('heading', { level: 1, name: 'Lars Nygård' });
  await userEvent.keyboard(lockKey);
  await userEvent.click(await signInButton());
  expect(port.asked).toContainEqual(expect.objectContaining({ do: 'sign_in', person: expect.any(String) }));
  expect(await screen.findByText('Sign in as Anna Keller')).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Sign in with a passkey' })).toBeNull();
  port.identity.complete();
  expect(await screen.findByRole('heading', { level: 1, name: 'Lars Nygård' })).toBeVisible();
  expect(screen.getByText('Maria Lopez')).toBeInTheDocument();
});

test('while the browser is waited for, its link can be copied and it can be cancelled', async () => {
  const port = open('unlocking');
  const card = await screen.findByRole('region', { name: 'In your browser' });
  expect(within(card).getByRole('timer')).toHaveTextContent(/Given up in [12]:\d\d/);
  await userEvent.click(within(card).getByRole('button', { name: 'Copy the link' }));
  expect(await navigator.clipboard.readText()).toBe('http://localhost:47230/#one-time-state');
  expect(document.body.innerHTML).not.toContain('one-time-state');
  await userEvent.click(within(card).getByRole('button', { name: 'Cancel' }));
  expect(asked(port)).toContain('cancel_ceremony');
  await vi.waitFor(async () => expect(await signInButton()).toHaveFocus());
});

test('a try that failed says why and what to do, and one key tries again', async () => {
  const port = open('locked');
  await userEvent.click(await signInButton());
  port.identity.fail(CANCELLED_IN_BROWSER);
  expect(await screen.findByText(CANCELLED_IN_BROWSER.text)).toBeVisible();
  expect(screen.getByText(CANCELLED_IN_BROWSER.remedy)).toBeVisible();
  await vi.waitFor(async () => expect(await signInButton()).toHaveFocus());
  await userEvent.keyboard('{Enter}');
  expect(asked(port).filter((does) => does === 'sign_in')).toHaveLength(2);
});

test('of several people one is chosen, or whoever has a passkey', async () => {
  const port = open('locked_two');
  expect(await screen.findByRole('radio', { name: /Anna Keller/ })).toBeChecked();
  await userEvent.click(screen.getByRole('radio', { name: /Somebody else/ }));
  await userEvent.click(await signInButton());
  expect(port.asked).toContainEqual({ do: 'sign_in' });
});

test('where nobody signed in, Ctrl L says so and locks nobody out', async () => {
  const port = open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  await userEvent.keyboard(lockKey);
  expect(await screen.findByText(/Nobody is signed in/)).toBeVisible();
  expect(asked(port)).not.toContain('lock');
});

test('what the shell asks for behind the lock stays behind it', async () => {
  const port = open('locked');
  await signInButton();
  port.push({ push: 'ask', number: 1, ask: 'show', session: 's1', chat: true });
  await Promise.resolve();
  expect(asked(port)).toEqual([]);
  nothingOfSessions();
});

test('the console is told that somebody is here', async () => {
  const port = await signedIn();
  const before = port.activeTold;
  await userEvent.keyboard('a');
  expect(port.activeTold).toBeGreaterThan(before);
});

test('the settings are asked for once, not with every word of the console', async () => {
  const port = await signedIn();
  const before = asked(port).filter((does) => does === 'settings').length;
  for (const live of [1, 2, 3])
    port.push({ push: 'console', ...console_(Date.now(), { revision: 900 + live, live }) });
  await screen.findByText('Your name in e-mails');
  expect(before).toBe(1);
  expect(asked(port).filter((does) => does === 'settings')).toHaveLength(before);
});
