import { render, screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { open } from '../tests/rendered';
import { console_, hook, row } from '../fake/make';
import HookRow from './lib/sessions/HookRow.svelte';
import SessionItem from './lib/sessions/SessionItem.svelte';

afterEach(() => vi.unstubAllGlobals());

const copyInvite = '{Control>}{Shift>}C{/Shift}{/Control}';

test('an invite that only this computer can follow says so wherever it is given out', async () => {
  open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  expect(screen.getByText('Works on this computer only')).toBeVisible();
  await userEvent.keyboard(copyInvite);
  expect(await screen.findByText(/Invite copied: it works on this computer only/)).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'QR code of the join link' }));
  expect(await screen.findByText(/no other can open it/)).toBeVisible();
});

test('once customers on the network can join, none of that is said', async () => {
  const port = open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  const service = { ...console_(Date.now()).service, this_computer_only: false };
  port.push({ push: 'console', ...console_(Date.now(), { revision: 9, service }) });
  await vi.waitFor(() => expect(screen.queryByText('Works on this computer only')).toBeNull());
  await userEvent.keyboard(copyInvite);
  expect(await screen.findByText('Invite copied')).toBeVisible();
});

test('a session that is over shows no PIN and copies none, though the service may still know it', async () => {
  const port = open('rich');
  await screen.findByText('7W2-97-8570');
  const writeText = vi.spyOn(navigator.clipboard, 'writeText');
  port.change('s1', (known) => ({
    ...known,
    row: { ...known.row, live: false, state: { ...known.row.state, kind: 'ended', label: 'Ended' } },
  }));
  await vi.waitFor(() => expect(screen.queryByText('7W2-97-8570')).toBeNull());
  await userEvent.keyboard(copyInvite);
  expect(await screen.findByText('This session has no PIN to invite with')).toBeVisible();
  expect(writeText).not.toHaveBeenCalled();
});

test('an archived session draws no presence, for the archive keeps none', async () => {
  open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  await userEvent.click(screen.getByRole('button', { name: 'Archive' }));
  await userEvent.click(await screen.findByText('HD-20399'));
  await screen.findByRole('heading', { level: 1, name: 'Bram de Vries' });
  expect(screen.getByRole('region', { name: 'Transcript' })).toBeVisible();
  expect(screen.queryByRole('region', { name: 'Presence' })).toBeNull();
});

test('of the troubles that stand until somebody has read them, one at a time is acknowledged', async () => {
  const port = open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  const trouble = (text: string, id: string | null) => ({
    code: 'restore_copy' as const,
    text,
    remedy: '',
    id,
  });
  const passing = trouble('The service fails.', null);
  const lost = trouble('The archive was lost.', 'a1');
  port.push({ push: 'console', ...console_(Date.now(), { revision: 9, troubles: [passing] }) });
  await userEvent.click(await screen.findByRole('button', { name: 'The service fails.' }));
  await screen.findByRole('alert');
  expect(screen.queryByRole('button', { name: 'I have read this' })).toBeNull();
  const troubles = [passing, lost, trouble('The clock jumped.', 'b2')];
  port.push({ push: 'console', ...console_(Date.now(), { revision: 10, troubles, unacknowledged: 2 }) });
  const notice = (await screen.findByText('The archive was lost.')).closest('[role=alert]');
  if (!(notice instanceof HTMLElement)) throw new Error('it stands in no notice');
  await userEvent.click(within(notice).getByRole('button', { name: 'I have read this' }));
  const asked = port.asked.filter((command) => command.do === 'acknowledge_troubles');
  expect(asked).toEqual([{ do: 'acknowledge_troubles', troubles: ['a1'] }]);
});

test('since when a session is unknown is told once', () => {
  const unknown = row('a', 'Maria Lopez', 'unknown', 0, { hook_lost: true });
  unknown.state.detail = 'unknown since 14:03';
  render(SessionItem, { row: unknown });
  expect(screen.getByText('Unknown · since 14:03')).toBeInTheDocument();
});

test('a lost hook is told before what else is true of a session', () => {
  const active = row('a', 'Maria Lopez', 'active', 0, { hook_lost: true });
  active.state.detail = '2 windows here';
  render(SessionItem, { row: active });
  expect(screen.getByText('Active · a hook is lost · 2 windows here')).toBeInTheDocument();
});

test('the status bar counts as the list does', async () => {
  const port = open('words');
  const status = await screen.findByRole('contentinfo', { name: 'Status' });
  const waiting = screen.getByRole('button', { name: /^Waiting/ });
  expect(waiting).toHaveTextContent('Waiting6');
  expect(within(status).getByText('14 live · 6 waiting')).toBeVisible();
  const lars = port.details.get('t1');
  if (!lars) throw new Error('no t1');
  port.push({ push: 'row', ...row('t1', 'Lars Nygård', 'active', Date.now(), { revision: 9 }) });
  expect(await within(status).findByText('14 live · 5 waiting')).toBeVisible();
});

test('a lamp pulses when it changes, not when its session comes on the screen', async () => {
  const { container, rerender } = render(HookRow, { hook: hook('viewer_started', 'armed') });
  expect(container.querySelector('.changed')).toBeNull();
  await rerender({ hook: hook('viewer_started', 'rearming') });
  expect(container.querySelector('.changed')).not.toBeNull();
});

test('of other sessions only what is worth a notification is spoken', async () => {
  const port = open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  const said = { push: 'happening', seq: 1, at: 0, session: 's4', name: 'Lars', event: 'hook_back' } as const;
  port.push({ ...said, text: 'Lars: hook armed again', notify: false });
  port.push({ ...said, text: 'Lars is online', notify: true });
  port.push({ ...said, session: 's5', text: 'Warehouse: hook armed again', notify: false });
  expect(await screen.findByText('Lars is online')).toBeInTheDocument();
  expect(screen.queryByText(/hook armed again/)).toBeNull();
  port.push({ ...said, session: 's1', text: 'Maria: hook armed again', notify: false });
  expect(await screen.findByText('Maria: hook armed again')).toBeInTheDocument();
});

test('an order for a mail is told, and where to see what becomes of it', async () => {
  open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  await userEvent.click(screen.getByRole('button', { name: 'Invite the customer by e-mail' }));
  expect(screen.getByText('Its link works on this computer only.')).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Send' }));
  expect(await screen.findByText(/^E-mail ordered/)).toBeVisible();
});

test('whoever has the technician’s name is not shown as the technician', async () => {
  const port = open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  port.change('s1', (known) => ({
    ...known,
    chat: [
      ...known.chat,
      { guid: 'l', at: Date.now(), from: 'Anna', side: 'technician', text: 'hello' },
      { guid: 'm', at: Date.now(), from: 'Anna', side: 'customer', text: 'it is me' },
      { guid: 'n', at: Date.now(), from: 'Anna', side: null, text: 'my name is Anna too' },
    ],
  }));
  await screen.findByText('my name is Anna too');
  const sides = ['hello', 'it is me', 'my name is Anna too'].map((text) => {
    const line = screen.getByText(text).closest('li');
    return line?.querySelector('.from + .small:not(time)')?.textContent ?? null;
  });
  expect(sides).toEqual(['technician', 'customer', null]);
});
