import { screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { open } from '../../../tests/rendered';
import type { FakeConsole } from '../../../fake/console';
import { GOOD_CODE } from '../../../fake/identity';
import { device } from '../../../fake/people';
import { Devices } from './devices.svelte';
import { facts, methodWords, what } from './words';

async function details(scenario = 'signed_in'): Promise<FakeConsole> {
  const port = open(scenario);
  await screen.findByRole('heading', { level: 1, name: 'Maria Lopez' });
  await userEvent.click(screen.getByRole('tab', { name: 'Details' }));
  return port;
}
const card = () => within(screen.getByRole('region', { name: 'Device' }));
const ID = device(0, 0).login_session;

test('a second factor is asked for in place, a wrong code again, and the result is pinned', async () => {
  const port = await details();
  await userEvent.type(card().getByLabelText('Rocket.Chat login session'), `${ID}{Enter}`);
  const code = await card().findByLabelText('Authenticator app', { selector: '[placeholder]' });
  await vi.waitFor(() => expect(code).toHaveFocus());
  await userEvent.type(code, '000000{Enter}');
  expect(await card().findByText('The workspace says that this code is wrong.')).toBeVisible();
  expect(code).toHaveValue('');
  await vi.waitFor(() => expect(code).toHaveFocus());
  await userEvent.type(code, `${GOOD_CODE}{Enter}`);
  expect(await card().findByText('Firefox 145.0 on Windows 11')).toBeVisible();
  expect(card().getByText('maria.lopez')).toBeVisible();
  expect(card().getByText('10.0.0.17')).toBeVisible();
  expect(card().getByText(ID)).toBeVisible();
  expect(document.body.innerHTML).not.toContain(GOOD_CODE);
  const codes = port.asked.flatMap((command) =>
    command.do === 'look_up_device' ? [command.factor?.code ?? null] : [],
  );
  expect(codes).toEqual([null, '000000', GOOD_CODE]);
});

test('another method than the workspace’s first can be chosen', async () => {
  const port = await details();
  await userEvent.type(card().getByLabelText('Rocket.Chat login session'), `${ID}{Enter}`);
  await userEvent.click(await card().findByRole('radio', { name: 'E-mail' }));
  await userEvent.type(card().getByPlaceholderText('Code'), `${GOOD_CODE}{Enter}`);
  await card().findByText('Firefox 145.0 on Windows 11');
  expect(port.asked).toContainEqual(
    expect.objectContaining({ do: 'look_up_device', factor: { code: GOOD_CODE, method: 'email' } }),
  );
});

test('what is not found is said where it was asked, with what to do', async () => {
  await details();
  await userEvent.type(card().getByLabelText('Rocket.Chat login session'), 'nobody{Enter}');
  await userEvent.type(await card().findByPlaceholderText('Code'), `${GOOD_CODE}{Enter}`);
  expect(await card().findByText(/knows no login session of that id/)).toBeVisible();
  expect(card().getByText(/choose it from the list/)).toBeVisible();
});

test('a login session is logged out only after it was confirmed', async () => {
  const port = await details('verified');
  await userEvent.click(card().getByRole('button', { name: 'Log out this login session …' }));
  expect(port.asked.some((command) => command.do === 'log_out_device')).toBe(false);
  await userEvent.click(card().getByRole('button', { name: 'Keep it' }));
  await userEvent.click(card().getByRole('button', { name: 'Log out this login session …' }));
  await userEvent.click(card().getByRole('button', { name: 'Log it out' }));
  await userEvent.type(await card().findByPlaceholderText('Code'), `${GOOD_CODE}{Enter}`);
  expect(await card().findByText('Logged out from here')).toBeVisible();
  const asked = port.asked.filter((command) => command.do === 'log_out_device');
  expect(asked.at(-1)).toMatchObject({ session: 's1', login_session: ID, confirmed: true });
});

test('from the list one is chosen by keys and pinned', async () => {
  const port = await details();
  await userEvent.click(card().getByRole('button', { name: 'Choose from the list …' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Choose a login session' }));
  await userEvent.type(await dialog.findByPlaceholderText('Code'), `${GOOD_CODE}{Enter}`);
  expect(await dialog.findByText('10,000 login sessions')).toBeVisible();
  const list = dialog.getByRole('listbox', { name: 'Login sessions' });
  list.focus();
  await userEvent.keyboard('{ArrowDown}');
  expect(await dialog.findByRole('option', { selected: true, hidden: true })).toHaveTextContent(
    'Maria Lopez',
  );
  // No more rows are in the page than can be seen and some.
  expect(dialog.getAllByRole('option', { hidden: true }).length).toBeLessThan(60);
  await userEvent.keyboard('{Enter}');
  await vi.waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(port.asked).toContainEqual({ do: 'look_up_device', session: 's1', login_session: ID });
  expect(await card().findByText(ID)).toBeVisible();
});

/** A port whose workspace remembers the second factor already. */
async function remembered(): Promise<{ port: FakeConsole; devices: Devices }> {
  const { FakeConsole } = await import('../../../fake/console');
  const port = new FakeConsole('signed_in');
  await port.ask({ do: 'devices', filter: '', offset: 0, factor: { code: GOOD_CODE } });
  return { port, devices: new Devices(port) };
}

test('the list goes on page by page, and never asks for the same page twice', async () => {
  const { port, devices } = await remembered();
  await devices.load('');
  await Promise.all([devices.more(), devices.more()]);
  await devices.more();
  const offsets = port.asked.flatMap((command) => (command.do === 'devices' ? [command.offset] : []));
  expect(offsets).toEqual([0, 0, 100, 200]);
  expect(devices.rows).toHaveLength(300);
  expect(new Set(devices.rows.map((row) => row.login_session)).size).toBe(300);
});

test('a page that was refused is not asked for by itself, and goes on where it was', async () => {
  const { port, devices } = await remembered();
  await devices.load('');
  port.refuse('devices', {
    code: 'wait',
    text: 'List login sessions: asked too often.',
    remedy: 'Wait 40 s.',
  });
  await devices.more();
  const asked = port.asked.length;
  await devices.more();
  expect(port.asked).toHaveLength(asked);
  expect(devices.rows).toHaveLength(100);
  port.allow('devices');
  await devices.again();
  expect(devices.rows).toHaveLength(200);
  expect(devices.asking.action.trouble).toBeNull();
});

test('after the last there is nothing to ask for', async () => {
  const { port, devices } = await remembered();
  await devices.load('no such thing');
  await devices.more();
  expect(devices.total).toBe(0);
  expect(port.asked.filter((command) => command.do === 'devices')).toHaveLength(2);
});

test('what is typed while an answer is on its way is asked for in its turn', async () => {
  const { devices } = await remembered();
  const first = devices.load('maria');
  const second = devices.load('zoe');
  await Promise.all([first, second]);
  expect(devices.rows[0]?.username).toBe('zoe');
  expect(devices.rows.every((row) => row.username === 'zoe')).toBe(true);
});

test('what isn’t known of a device isn’t said', () => {
  const bare = { ...device(0, 0), kind: '', app: '', os: '', host: '', ip: '', login_at: null };
  expect(facts(bare, 0).map(([name]) => name)).toEqual(['User', 'Username']);
  const nameless = { ...bare, name: '', username: '', user_id: 'u1' };
  expect(facts(nameless, 0)).toEqual([['User', 'u1']]);
  expect(what(bare)).toBe('Unknown device');
  expect(what({ ...bare, os: 'Android 15' })).toBe('Android 15');
  expect(methodWords('sms')).toBe('sms');
});
