import { screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { open } from '../../../tests/rendered';
import { initials, nameFault } from './access';

test('the first start asks who is here, and “Not now” is the end of it', async () => {
  const port = open('first');
  const card = await screen.findByRole('region', { name: 'Who is at this console?' });
  expect(within(card).getByLabelText('Name')).toHaveValue('Anna Keller');
  await userEvent.click(within(card).getByRole('button', { name: 'Not now' }));
  expect(port.asked).toContainEqual({ do: 'skip_profile' });
  await vi.waitFor(() => expect(screen.queryByText('Who is at this console?')).toBeNull());
  expect(screen.getByText(/Start a session, read its PIN/)).toBeVisible();
});

test('where it is required, “Not now” is not offered', async () => {
  open('first_required');
  await screen.findByRole('region', { name: 'Who is at this console?' });
  expect(screen.queryByRole('button', { name: 'Not now' })).toBeNull();
  // There may be sessions, as after --forget-profiles: nothing here claims that there are none, or offers one.
  expect(screen.queryByText(/Your sessions will be here|0 live/)).toBeNull();
  expect(screen.queryByRole('button', { name: /New session/ })).toBeNull();
});

test('a profile without a good address goes nowhere', async () => {
  const port = open('first');
  await userEvent.type(await screen.findByLabelText('E-mail'), 'anna@');
  await userEvent.click(screen.getByRole('button', { name: 'Create a passkey' }));
  expect(screen.getByRole('alert')).toBeVisible();
  expect(screen.getByLabelText('E-mail')).toHaveAttribute('aria-invalid', 'true');
  expect(port.asked.some((command) => command.do === 'create_profile')).toBe(false);
});

test('a profile is made by keys alone, and its person stands at the top left', async () => {
  const port = open('first');
  const name = await screen.findByLabelText('Name');
  await userEvent.clear(name);
  await userEvent.type(name, 'Bo Ek{Tab}bo@example.com{Enter}');
  expect(port.asked).toContainEqual({ do: 'create_profile', name: 'Bo Ek', email: 'bo@example.com' });
  await screen.findByRole('region', { name: 'In your browser' });
  port.identity.complete();
  expect(await screen.findByText(/^Signed in since/)).toBeVisible();
  expect(screen.getByText('Bo Ek')).toBeVisible();
});

test('who skipped it can set it up later, from the top left', async () => {
  const port = open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  await userEvent.click(screen.getByTitle('Who is at this console'));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Set up sign-in …' }));
  const dialog = await screen.findByRole('dialog', { name: 'Set up sign-in' });
  await userEvent.type(within(dialog).getByLabelText('E-mail'), 'anna@example.com{Enter}');
  port.identity.complete();
  await vi.waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  await userEvent.click(screen.getByTitle('Who is at this console'));
  expect(await screen.findByRole('menuitem', { name: /^Lock/ })).toBeVisible();
});

test('initials are the first letters of the first and the last word, in any script', () => {
  expect(initials('Anna Maria Keller')).toBe('AK');
  expect(initials('  مريم  الخالدي ')).toBe('ما');
  expect(initials('🦊')).toBe('🦊');
  expect(initials('')).toBe('');
});

test('a name is neither empty nor endless', () => {
  expect(nameFault('  ')).not.toBeNull();
  expect(nameFault('é'.repeat(64))).toBeNull();
  expect(nameFault('é'.repeat(65))).not.toBeNull();
});
