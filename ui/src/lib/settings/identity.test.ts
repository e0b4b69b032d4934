import { screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { open } from '../../../tests/rendered';
import type { FakeConsole } from '../../../fake/console';
import { FakeConsole as Fake } from '../../../fake/console';
import { aliasesFault, lines } from './aliases';
import { AuditLog } from './audit.svelte';
import { GROUPS, sectionOf } from './fields';

async function at(section: string, scenario = 'signed_in'): Promise<FakeConsole> {
  const port = open(scenario);
  await screen.findByRole('heading', { level: 1, name: 'Maria Lopez' });
  await userEvent.keyboard('{Control>},{/Control}');
  await userEvent.click(screen.getByRole('tab', { name: section }));
  return port;
}
const entries = () => screen.getByRole('listbox', { name: 'Audit log, newest first' });
const service = (name: string) => screen.findByRole('region', { name }).then(within);

test('arrows go through the sections of the settings', async () => {
  await at('General');
  screen.getByRole('tab', { name: 'General' }).focus();
  await userEvent.keyboard('{ArrowRight}{ArrowRight}');
  expect(screen.getByRole('tab', { name: 'Passkeys' })).toHaveFocus();
  expect(await screen.findByText('Work laptop')).toBeVisible();
  await userEvent.keyboard('{End}{ArrowRight}');
  expect(screen.getByRole('tab', { name: 'General' })).toHaveAttribute('aria-selected', 'true');
});

test('a passkey says where it was made and when it was used', async () => {
  await at('Passkeys');
  expect(await screen.findByText(/Chrome, Windows 11 · DE · made/)).toBeVisible();
  expect(screen.getByText('Last used 8 min ago')).toBeVisible();
  expect(screen.getByText('Never used')).toBeVisible();
});

test('one passkey of two is deleted after a question; the last after a warning', async () => {
  const port = await at('Passkeys');
  await userEvent.click(await screen.findByRole('button', { name: /^Delete “Security key/ }));
  expect(screen.queryByText(/your last passkey/)).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Delete it' }));
  await vi.waitFor(() => expect(screen.queryByText(/Security key/)).toBeNull());
  await userEvent.click(screen.getByRole('button', { name: /^Delete “Work laptop/ }));
  expect(screen.getByText('It is your last passkey.')).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Delete the last one' }));
  const deleted = port.asked.filter((command) => command.do === 'delete_passkey');
  expect(deleted).toEqual([
    { do: 'delete_passkey', passkey: 'cred-2', confirmed: false },
    { do: 'delete_passkey', passkey: 'cred-1', confirmed: true },
  ]);
});

test('a further passkey is added under its name, and is in the list once the browser is done', async () => {
  const port = await at('Passkeys');
  await userEvent.type(await screen.findByLabelText('A further passkey'), 'Phone{Enter}');
  expect(port.asked).toContainEqual({ do: 'add_passkey', nickname: 'Phone' });
  await screen.findByRole('region', { name: 'In your browser' });
  port.identity.complete();
  expect(await screen.findByText('Phone')).toBeVisible();
});

test('aliases: what is beyond the limits is said before it is sent', async () => {
  const port = await at('Passkeys');
  const field = await screen.findByLabelText('One a line');
  await userEvent.type(field, 'a@example.com{Enter}a@example.com');
  expect(screen.getByRole('alert')).toHaveTextContent('“a@example.com” stands there twice.');
  expect(screen.getByRole('button', { name: 'Save the aliases' })).toBeDisabled();
  await userEvent.clear(field);
  await userEvent.type(field, 'a@example.com{Enter} {Enter}b@example.com');
  expect(screen.getByText(/Saving replaces all that the service has/)).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Save the aliases' }));
  const aliases = ['a@example.com', 'b@example.com'];
  expect(port.asked).toContainEqual({ do: 'set_aliases', aliases, hashing: true });
  expect(await screen.findByText(/Set from here/)).toBeVisible();
});

test('an alias that is somebody else’s is said, and what was typed stays', async () => {
  await at('Passkeys');
  const field = await screen.findByLabelText('One a line');
  await userEvent.type(field, 'taken@example.com');
  await userEvent.click(screen.getByRole('button', { name: 'Save the aliases' }));
  expect(await screen.findByText(/belongs to somebody else already/)).toBeVisible();
  expect(field).toHaveValue('taken@example.com');
});

test('the limits are the service’s: 10 aliases, 250 characters, no two alike', () => {
  const ten = Array.from({ length: 10 }, (_, n) => `a${n}`);
  expect(aliasesFault(ten)).toBeNull();
  expect(aliasesFault([...ten, 'b'])).toMatch(/11 aliases are too many/);
  expect(aliasesFault(['é'.repeat(250)])).toBeNull();
  expect(aliasesFault(['🦊'.repeat(251)])).toMatch(/too long/);
  expect(aliasesFault(lines('a\n a \n'))).toMatch(/twice/);
});

test('who isn’t signed in sees no passkeys and asks for none', async () => {
  const port = await at('Passkeys', 'rich');
  expect(screen.getByRole('button', { name: 'Set up sign-in' })).toBeVisible();
  expect(port.asked.some((command) => command.do === 'passkeys')).toBe(false);
});

test('a secret is entered once, shows as dots, and is in the page no more', async () => {
  const port = await at('Services', 'services_missing');
  const card = await service('LoginTC');
  const field = card.getByLabelText('API key');
  expect(field).toHaveAttribute('type', 'password');
  await userEvent.type(field, 'k3y-that-nobody-sees{Enter}');
  const value = 'k3y-that-nobody-sees';
  expect(port.asked).toContainEqual({ do: 'set_secret', secret: 'logintc_key', value });
  expect(await card.findByText(/Entered .* by Anna Keller/)).toBeVisible();
  expect(card.getByLabelText('API key: set')).toHaveTextContent(/^•+$/);
  for (const input of document.querySelectorAll('input')) expect(input.value).not.toContain('k3y');
  expect(document.body.innerHTML).not.toContain('k3y');
});

test('a secret that could not be kept doesn’t stay in the field either', async () => {
  const port = await at('Services', 'services_missing');
  port.refuse('set_secret', {
    code: 'unlock_key',
    text: 'Keep the secret: the keyring is locked.',
    remedy: '',
  });
  const card = await service('Rocket.Chat');
  await userEvent.type(card.getByLabelText('Access token'), 't0ken{Enter}');
  expect(await card.findByText(/the keyring is locked/)).toBeVisible();
  expect(card.getByLabelText('Access token')).toHaveValue('');
});

test('a secret is removed after a question', async () => {
  const port = await at('Services', 'services_set');
  const card = await service('Passwordless.dev');
  await userEvent.click(card.getByRole('button', { name: 'Remove the API secret' }));
  expect(port.asked.some((command) => command.do === 'remove_secret')).toBe(false);
  await userEvent.click(card.getByRole('button', { name: 'Yes, remove' }));
  expect(port.asked).toContainEqual({ do: 'remove_secret', secret: 'passwordless_secret' });
  expect(await card.findByPlaceholderText('Enter it once')).toBeVisible();
});

test('a test of a connection says what works, and what doesn’t with its remedy', async () => {
  await at('Services', 'services_missing');
  const card = await service('LoginTC');
  await userEvent.click(card.getByRole('button', { name: 'Test connection' }));
  expect(await card.findByText('It answers')).toBeVisible();
  expect(card.getByText(/the key was refused/)).toBeVisible();
  expect(card.getByText(/Replace the key/)).toBeVisible();
});

test('what is typed and not saved is not tested', async () => {
  await at('Services');
  const card = await service('LoginTC');
  expect(card.queryByLabelText('Domain id')).toBeNull();
  await userEvent.type(card.getByLabelText('Address'), 'https://cloud.logintc.com/api');
  expect(card.getByRole('button', { name: 'Test connection' })).toBeDisabled();
  expect(card.getByLabelText('Domain id')).toBeVisible();
});

test('the sandbox’s phone opens outside of the window', async () => {
  const port = await at('Services');
  const card = await service('LoginTC');
  await userEvent.click(card.getByRole('button', { name: 'Open the phone' }));
  expect(port.opened).toEqual(['http://127.0.0.1:47221/phone']);
});

test('the settings say whose secret a desktop may hold, and that the gate is a policy', async () => {
  await at('Services');
  expect(screen.getByText(/for one person’s own use/)).toBeVisible();
  await userEvent.click(screen.getByRole('tab', { name: 'Sign-in and verification' }));
  expect(screen.getByText(/policy, not a lock on the service/)).toBeVisible();
  expect(screen.getByText(/Locks this app/)).toBeVisible();
});

test('the policy is chosen in words and saved with what goes with it', async () => {
  const port = await at('Sign-in and verification');
  await userEvent.click(await screen.findByRole('radio', { name: /Require/ }));
  const minutes = screen.getByLabelText('An approval counts for');
  await userEvent.clear(minutes);
  await userEvent.type(minutes, '10');
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  const changes = { verify_gate: 'require', verify_gate_min: 10 };
  expect(port.asked).toContainEqual({ do: 'configure', changes });
});

test('every setting of identity has its place', () => {
  const known = GROUPS.flatMap((group) => group.fields.map((field) => field.key));
  expect(new Set(known).size).toBe(known.length);
  expect(sectionOf('verify_gate')).toBe('access');
  expect(sectionOf('logintc_domain')).toBe('services');
  expect(sectionOf('listen')).toBe('general');
});

test('a setting refused on another page brings that page, with the field marked', async () => {
  const port = await at('Services');
  const card = await service('LoginTC');
  await userEvent.type(card.getByLabelText('Address'), 'x');
  await userEvent.click(screen.getByRole('tab', { name: 'General' }));
  port.refuse('configure', {
    code: 'bad_input',
    text: 'Set logintc_url: it is not an address.',
    remedy: 'Give one.',
  });
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  await vi.waitFor(() =>
    expect(screen.getByRole('tab', { name: 'Services' })).toHaveAttribute('aria-selected', 'true'),
  );
  expect((await service('LoginTC')).getByLabelText('Address')).toHaveAttribute('aria-invalid', 'true');
});

test('the audit log is newest first, and a look at it gives the newest hash', async () => {
  const port = await at('Audit log');
  const list = await screen.findByRole('listbox', { name: 'Audit log, newest first' });
  list.focus();
  await userEvent.keyboard('{Home}');
  const newest = await within(list).findByRole('option', { selected: true, hidden: true });
  expect(newest).toHaveTextContent('Signed in with the passkey');
  expect(newest).toHaveTextContent('1240');
  // Of 100 fetched only those are in the page that can be seen.
  expect(within(list).getAllByRole('option', { hidden: true }).length).toBeLessThan(60);
  await userEvent.click(screen.getByRole('button', { name: 'Verify log' }));
  expect(await screen.findByText('Unbroken')).toBeVisible();
  expect(screen.getByText(/^9f2c41d0/)).toBeVisible();
  const saved = vi.spyOn(port, 'save').mockResolvedValue('/home/anna/Downloads/deskhand-audit.jsonl');
  await userEvent.click(screen.getByRole('button', { name: 'Export' }));
  expect(await screen.findByText(/^Saved as .*deskhand-audit\.jsonl/)).toBeVisible();
  expect(saved.mock.calls[0]?.[1].split('\n')).toHaveLength(1240);
});

test('a broken link is named, and can be looked at', async () => {
  const port = await at('Audit log', 'audit_broken');
  await userEvent.click(await screen.findByRole('button', { name: 'Verify log' }));
  expect(await screen.findByText('Broken at entry 417')).toBeVisible();
  expect(screen.queryByText('Unbroken')).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Show it' }));
  await vi.waitFor(() =>
    expect(within(entries()).getByRole('option', { selected: true, hidden: true })).toHaveTextContent('417'),
  );
  expect(port.asked).toContainEqual({ do: 'audit', before: 421 });
  await userEvent.click(screen.getByRole('button', { name: 'Back to the newest' }));
  const list = await screen.findByRole('listbox', { name: 'Audit log, newest first' });
  list.focus();
  await userEvent.keyboard('{Home}');
  await vi.waitFor(() =>
    expect(within(entries()).getByRole('option', { selected: true, hidden: true })).toHaveTextContent('1240'),
  );
});

test('the log goes on page by page to its first entry, and then asks no more', async () => {
  const port = new Fake('signed_in');
  const log = new AuditLog(port);
  await log.load();
  for (let n = 0; n < 20; n += 1) await log.more();
  expect(log.complete).toBe(true);
  expect(log.entries.map((entry) => entry.seq)).toEqual(Array.from({ length: 1240 }, (_, n) => 1240 - n));
  expect(port.asked).toHaveLength(13);
});
