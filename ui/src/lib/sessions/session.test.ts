import { render, screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { open } from '../../../tests/rendered';
import type { StateKind } from '../ipc/bindings';
import type { FakeConsole } from '../../../fake/console';
import { chat, hook, row } from '../../../fake/make';
import HookRow from './HookRow.svelte';
import { LAMPS, lampWords } from './hooks';
import SessionItem from './SessionItem.svelte';
import { STATE_ICONS } from './state';

test.each(Object.keys(STATE_ICONS) as StateKind[])(
  'the state %s is told by an icon and a word, not by colour alone',
  (kind) => {
    const shown = row('a', 'Maria Lopez', kind, 0);
    const { container } = render(SessionItem, { row: shown });
    expect(container.querySelector('svg')).not.toBeNull();
    expect(screen.getByText(new RegExp(shown.state.label))).toBeInTheDocument();
  },
);

test('no two states share icon and tone', () => {
  const looks = Object.values(STATE_ICONS).map((look) => look.icon);
  expect(new Set(looks).size).toBe(looks.length);
});

test('a name from a stranger is shown as text', () => {
  const name = '<img src=x onerror=alert(1)>';
  const { container } = render(SessionItem, { row: row('a', name, 'active', 0) });
  expect(screen.getByText(name)).toBeInTheDocument();
  expect(container.querySelector('img')).toBeNull();
});

test('only a lamp that is armed and can be reached is green', () => {
  const green = Object.entries(LAMPS).filter(([, look]) => look.tone === 'ok');
  expect(green.map(([lamp]) => lamp)).toEqual(['armed']);
  const { container } = render(HookRow, { hook: hook('viewer_started', 'armed_unreachable') });
  expect(container.querySelector('.tone-ok')).toBeNull();
  expect(screen.getByText('armed, unreachable')).toBeInTheDocument();
});

test('a hook says when it fired, which try it is and why it failed', () => {
  const fired_at = new Date('2026-11-22T14:01:00').getTime();
  expect(lampWords(hook('a', 'armed', { fired_at }))).toBe('fired 14:01 · armed');
  expect(lampWords(hook('a', 'rearming', { attempt: 2 }))).toBe('re-arming · try 2');
  expect(lampWords(hook('a', 'consumed', { fired_at }))).toBe('fired 14:01 · not armed');
  const failure = { code: 'service_fault' as const, text: 'The broker answered 503.', remedy: 'Wait.' };
  render(HookRow, { hook: hook('viewer_offline', 'failed', { attempt: 3, failure }) });
  expect(screen.getByText(/answered 503/)).toBeInTheDocument();
});

async function onScreen(): Promise<FakeConsole> {
  const port = open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  return port;
}

test('before a mail is sent, the window says what it claims', async () => {
  const port = await onScreen();
  await userEvent.click(screen.getByRole('button', { name: 'Invite the customer by e-mail' }));
  expect(screen.getByText(/Anna Keller is connected and waiting/)).toBeInTheDocument();
  expect(port.asked.some((command) => command.do === 'mail')).toBe(false);
  await userEvent.click(screen.getByRole('button', { name: 'Send' }));
  expect(port.asked).toContainEqual({
    do: 'mail',
    session: 's1',
    to: 'maria.lopez@example.com',
    to_customer: true,
    when: 'now',
  });
});

test('a mail to a bad address is not sent, and the window says what is wrong', async () => {
  const port = await onScreen();
  await userEvent.click(screen.getByRole('button', { name: 'Invite a colleague by e-mail' }));
  await userEvent.type(screen.getByLabelText('Address'), 'jonas');
  await userEvent.click(screen.getByRole('button', { name: 'Send' }));
  expect(screen.getByRole('alert')).toHaveTextContent('an @ and a domain');
  expect(port.asked.some((command) => command.do === 'mail')).toBe(false);
});

test('an address that the console refuses is said in its words, and any script may be typed', async () => {
  const port = await onScreen();
  const text = 'Order the e-mail: this is not an e-mail address: the part after the @ is not a domain.';
  port.refuse('mail', { code: 'bad_input', text, remedy: 'Give one like name@example.com.' });
  await userEvent.click(screen.getByRole('button', { name: 'Invite a colleague by e-mail' }));
  await userEvent.type(screen.getByLabelText('Address'), 'jörg@münchen..example');
  await userEvent.click(screen.getByRole('button', { name: 'Send' }));
  expect(port.asked.some((command) => command.do === 'mail' && command.to === 'jörg@münchen..example')).toBe(
    true,
  );
  expect(await screen.findByText(new RegExp('the part after the @ is not a domain'))).toBeVisible();
});

test('a mail that was refused says why and can be sent again; one that was taken can’t', async () => {
  const port = await onScreen();
  const status = 'Refused 14:02: 550 5.1.1 no such user';
  port.change('s1', (known) => ({
    ...known,
    mails: known.mails.map((mail) =>
      mail.id === 1 ? { ...mail, state: 'refused', status, doubtful: true, can_repeat: true } : mail,
    ),
  }));
  await userEvent.click(screen.getByRole('tab', { name: 'Details' }));
  expect(await screen.findByText(`To the customer · ${status}`)).toBeVisible();
  await userEvent.click(
    screen.getByRole('button', { name: 'Send the e-mail to maria.lopez@example.com again' }),
  );
  expect(port.asked).toContainEqual({ do: 'repeat_mail', session: 's1', mail: 1 });
  expect(await screen.findByText(/Accepted by the service .* Whether it arrives isn’t known/)).toBeVisible();
  expect(screen.queryByRole('button', { name: /^Send the e-mail/ })).toBeNull();
});

test('Reply asks for the viewer at its chat', async () => {
  const port = await onScreen();
  await userEvent.click(screen.getByRole('button', { name: 'Reply in viewer' }));
  const asked = { do: 'open_viewer', session: 's1', read_only: false, chat: true };
  expect(port.asked).toContainEqual(asked);
});

test('a session is closed with outcome and note by keys alone', async () => {
  const port = await onScreen();
  await userEvent.keyboard('{Control>}{Shift>}X{/Shift}{/Control}');
  const dialog = await screen.findByRole('dialog', { name: 'Close Maria Lopez' });
  await vi.waitFor(() => expect(within(dialog).getByRole('radio', { name: /^Resolved/ })).toHaveFocus());
  await userEvent.keyboard('u{Tab}Needs a new drum{Control>}{Enter}{/Control}');
  expect(port.asked).toContainEqual({
    do: 'close',
    session: 's1',
    outcome: 'unresolved',
    note: 'Needs a new drum',
  });
  await vi.waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
});

test('a session that could not be closed stays, with the reason', async () => {
  const port = await onScreen();
  port.refuse('close', {
    code: 'free_space',
    text: 'Close the session: the disk is full.',
    remedy: 'Free some space.',
  });
  await userEvent.keyboard('{Control>}{Shift>}X{/Shift}{/Control}');
  await screen.findByRole('dialog');
  await userEvent.click(screen.getByRole('radio', { name: /^Resolved/ }));
  await userEvent.click(screen.getByRole('button', { name: /Close the session/ }));
  expect(await screen.findByText(/the disk is full/)).toBeInTheDocument();
});

test('how a session came out is chosen by a person, and in advance only where nobody came', async () => {
  const port = await onScreen();
  await userEvent.keyboard('{Control>}{Shift>}X{/Shift}{/Control}');
  const dialog = await screen.findByRole('dialog');
  const close = within(dialog).getByRole('button', { name: /Close the session/ });
  expect(close).toBeDisabled();
  await userEvent.keyboard('{Control>}{Enter}{/Control}');
  expect(port.asked.map((command) => command.do)).not.toContain('close');
  expect(
    within(dialog).getByText('The customer and 1 viewer are connected and will be cut off.'),
  ).toBeVisible();

  port.change('s1', (detail) => ({
    ...detail,
    closing: { text: ['Its PIN ends at once.'], nobody_came: true },
  }));
  expect(await within(dialog).findByText('Nobody came to this session.')).toBeVisible();
  expect(within(dialog).getByRole('radio', { name: /^Unknown/ })).toBeChecked();
  expect(close).toBeEnabled();
});

test('the PIN is on the screen, and nowhere that lasts or can be read from outside', async () => {
  await onScreen();
  expect(screen.getByText('7W2-97-8570')).toBeInTheDocument();
  expect(document.title).not.toContain('7W2');
  expect(location.href).not.toContain('7W2');
  expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain('7W2');
});

test('what the customer writes appears as it comes', async () => {
  const port = await onScreen();
  port.change('s1', (known) => ({
    ...known,
    chat: [
      ...known.chat,
      { guid: 'new', at: Date.now(), from: 'Maria', side: 'customer', text: 'it prints!' },
    ],
  }));
  expect(await screen.findByText('it prints!')).toBeInTheDocument();
});

test('a long chat begins with its newest page, and the earlier ones come on request', async () => {
  const port = await onScreen();
  const long = chat(Array.from({ length: 450 }, (_, n) => ['Maria', n * 1000, `message ${n}`]));
  port.change('s1', (known) => ({ ...known, chat: long }));
  const first = await screen.findByText('message 250');
  expect(screen.queryByText('message 249')).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Show earlier messages (250)' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Show earlier messages (50)' }));
  expect(await screen.findByText('message 0')).toBeInTheDocument();
  expect(first).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: /^Show earlier/ })).toBeNull();
});

test('a chat that continues another one than is here is asked for again', async () => {
  const port = await onScreen();
  const known = port.details.get('s1');
  if (!known) throw new Error('no s1');
  const [last] = chat([['Maria', 99, 'it prints!']]);
  if (!last) throw new Error('a line');
  port.details.set('s1', { ...known, chat: [...known.chat, last] });
  port.push({ push: 'detail', ...known, chat: [last], chat_after: 'nobody knows it' });
  expect(await screen.findByText('it prints!')).toBeInTheDocument();
  await vi.waitFor(() => expect(screen.getByText(known.chat[0]?.text ?? '')).toBeInTheDocument());
});

test('a chat that can’t be fetched says why beside what is here', async () => {
  const port = await onScreen();
  const trouble = {
    code: 'service_fault',
    text: 'Fetch the chat: it is too large.',
    remedy: 'Go on.',
  } as const;
  port.change('s1', (known) => ({ ...known, chat_trouble: trouble }));
  expect(await screen.findByText(/it is too large/)).toBeInTheDocument();
});

test('a new session asks who it is for without standing in the way', async () => {
  const port = await onScreen();
  await userEvent.keyboard('{Control>}n{/Control}');
  const form = await screen.findByRole('form', { name: 'Who is this session for?' });
  await userEvent.type(within(form).getByLabelText('Customer'), 'Lars');
  await userEvent.keyboard('{Enter}');
  expect(port.asked).toContainEqual({
    do: 'describe',
    session: 'new1',
    about: { customer: 'Lars', ticket: '', contact: '' },
  });
  await vi.waitFor(() => expect(screen.queryByRole('form', { name: 'Who is this session for?' })).toBeNull());
});

test('a failed session offers Retry and a region by hand', async () => {
  const port = await onScreen();
  await userEvent.keyboard('{Control>}6{/Control}');
  await screen.findByText(/Get a PIN: none of the five/);
  await userEvent.selectOptions(screen.getByLabelText('Region'), 'eu-west-2');
  await userEvent.click(screen.getByRole('button', { name: 'Retry' }));
  expect(port.asked).toContainEqual({ do: 'retry', session: 's7', region: 'eu-west-2' });
});

test('while the service is out of reach, the session says that it shows what was last known', async () => {
  open('offline');
  expect(await screen.findByText('What is shown is what was last known.')).toBeInTheDocument();
  expect(screen.getByText(/support.example.com · offline/)).toBeInTheDocument();
});
