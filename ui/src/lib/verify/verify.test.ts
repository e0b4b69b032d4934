import { render, screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { open } from '../../../tests/rendered';
import type { VerificationState } from '../ipc/bindings';
import type { FakeConsole } from '../../../fake/console';
import { row } from '../../../fake/make';
import { gate, verification } from '../../../fake/people';
import SessionItem from '../sessions/SessionItem.svelte';
import { shut, warned } from './gate';
import ResultBadge from './ResultBadge.svelte';
import { codeKind, codeWords, RESULTS } from './results';

async function details(scenario: string): Promise<FakeConsole> {
  const port = open(scenario);
  await screen.findByRole('heading', { level: 1, name: 'Maria Lopez' });
  await userEvent.click(screen.getByRole('tab', { name: 'Details' }));
  return port;
}
const card = () => within(screen.getByRole('region', { name: 'Verification' }));
const sent = (port: FakeConsole) => port.asked.filter((command) => command.do === 'verify');

test.each(Object.keys(RESULTS) as VerificationState[])('%s is told by an icon and a word', (state) => {
  const { container } = render(ResultBadge, { state });
  expect(container.querySelector('svg')).not.toBeNull();
  expect(screen.getByText(RESULTS[state].word)).toBeInTheDocument();
});

test('only an approval is green, and no two results share a word', () => {
  const green = Object.entries(RESULTS).filter(([, look]) => look.tone === 'ok');
  expect(green.map(([state]) => state)).toEqual(['approved']);
  const words = Object.values(RESULTS).map((look) => look.word);
  expect(new Set(words).size).toBe(words.length);
});

test('a push says what the phone will show, counts down, and can be cancelled', async () => {
  const port = await details('signed_in');
  await userEvent.type(card().getByLabelText('Their LoginTC user'), 'maria.lopez');
  expect(
    card().getByText(
      /The phone shows Anna Keller, your company \(if the settings have one\), “Remote support, HD-20417”/,
    ),
  ).toBeVisible();
  await userEvent.click(card().getByRole('button', { name: 'Send push' }));
  expect(sent(port)).toEqual([
    {
      do: 'verify',
      session: 's1',
      who: 'customer',
      user: 'maria.lopez',
      by_id: false,
      reason: 'Remote support, HD-20417',
    },
  ]);
  expect(await card().findByText('No answer yet')).toBeVisible();
  expect(card().getByRole('timer')).toHaveTextContent(/^(1:00|0:5\d)$/);
  expect(card().queryByRole('button', { name: 'Send push' })).toBeNull();
  await userEvent.click(card().getByRole('button', { name: 'Cancel' }));
  expect(port.asked).toContainEqual({ do: 'cancel_verification', session: 's1', verification: 1 });
  expect(await card().findByText('Cancelled')).toBeVisible();
  expect(await card().findByRole('button', { name: 'Send push' })).toBeVisible();
});

test('what is being typed stays, whatever the console tells meanwhile', async () => {
  const port = await details('signed_in');
  await userEvent.type(card().getByLabelText('Their LoginTC user'), 'mar');
  port.change('s1', (d) => ({ ...d, row: { ...d.row, unread: 9 } }));
  await screen.findByRole('tab', { name: /Chat 9/ });
  expect(card().getByLabelText('Their LoginTC user')).toHaveValue('mar');
  await userEvent.click(card().getByRole('radio', { name: 'Me' }));
  expect(card().getByLabelText('Your LoginTC user')).toHaveValue('');
});

test('who may not be sent another push yet is told when and why, and a code is still possible', async () => {
  const port = await details('denied');
  const at = Date.now() + 90_000;
  port.change('s1', (d) => ({
    ...d,
    next_push: { user: 'maria.lopez', at, text: 'They said no 1 time, last at 12:03.' },
  }));
  const told = await card().findByText(/They said no 1 time.*maria.lopez can be sent another push at/);
  expect(told).toBeVisible();
  const user = card().getByLabelText('Their LoginTC user');
  await userEvent.clear(user);
  await userEvent.type(user, ' MARIA.lopez');
  const send = card().getByRole('button', { name: 'Send push' });
  expect(send).toBeDisabled();
  expect(send).toHaveAccessibleDescription(/They said no/);
  await userEvent.click(card().getByRole('button', { name: 'Enter a code' }));
  expect(card().getByRole('button', { name: 'Check the code' })).toBeEnabled();
});

test('an approval after a denial is shown with its warning', async () => {
  const port = await details('denied');
  const warning = 'This came after 1 denial, the last at 12:03.';
  port.change('s1', (d) => ({
    ...d,
    verifications: [...d.verifications, verification(2, 'approved', Date.now(), { warning })],
  }));
  expect(await card().findByRole('alert')).toHaveTextContent(warning);
});

test('the number that the phone shows is said while it waits', async () => {
  await details('signed_in');
  await userEvent.type(card().getByLabelText('Their LoginTC user'), 'maria.lopez');
  await userEvent.click(card().getByRole('button', { name: 'Send push' }));
  expect(await card().findByText(/The phone shows the number/)).toHaveTextContent('47');
});

test('nobody is asked while no name is given', async () => {
  const port = await details('signed_in');
  await userEvent.click(card().getByRole('button', { name: 'Send push' }));
  expect(card().getByRole('alert')).toHaveTextContent(/username/);
  expect(sent(port)).toEqual([]);
});

test('a code is sent once, says what it is, and doesn’t stay in the field', async () => {
  const port = await details('signed_in');
  await userEvent.type(card().getByLabelText('Their LoginTC user'), 'maria.lopez');
  await userEvent.click(card().getByRole('button', { name: 'Enter a code' }));
  const field = card().getByLabelText('Code');
  await vi.waitFor(() => expect(field).toHaveFocus());
  await userEvent.type(field, '98765{Enter}');
  expect(sent(port)).toEqual([]);
  expect(card().getByRole('alert')).toHaveTextContent('5 digits so far: 6, 8 or 9 are needed');
  await userEvent.type(field, '4');
  expect(card().getByText('6 digits: a one-time password')).toBeVisible();
  await userEvent.keyboard('{Enter}');
  expect(sent(port)).toEqual([expect.objectContaining({ code: '987654' })]);
  expect(await card().findByText('Denied')).toBeVisible();
  for (const input of document.querySelectorAll('input')) expect(input.value).not.toContain('987654');
  expect(document.body.innerHTML).not.toContain('987654');
});

test('a code that could not be sent is out of the field all the same', async () => {
  const port = await details('signed_in');
  port.refuse('verify', { code: 'check_network', text: 'Check a code: nothing answers.', remedy: 'Wait.' });
  await userEvent.type(card().getByLabelText('Their LoginTC user'), 'maria.lopez');
  await userEvent.click(card().getByRole('button', { name: 'Enter a code' }));
  await userEvent.type(card().getByLabelText('Code'), '123456789{Enter}');
  expect(await card().findByText('Check a code: nothing answers.')).toBeVisible();
  expect(card().getByLabelText('Code')).toHaveValue('');
});

test('a code is e-mailed by id only, and the button says so', async () => {
  const port = await details('signed_in');
  const mail = card().getByRole('button', { name: 'E-mail a code' });
  await userEvent.type(card().getByLabelText('Their LoginTC user'), 'abc123');
  expect(mail).toBeDisabled();
  expect(mail).toHaveAccessibleDescription(/needs the person’s id/);
  await userEvent.click(card().getByRole('radio', { name: 'Id' }));
  await userEvent.click(mail);
  expect(port.asked).toContainEqual({ do: 'mail_code', user: 'abc123' });
  expect(await card().findByText(/Sent\. Ask for the code/)).toBeVisible();
});

test('a denial offers to close the session, and says why no abuse is reported', async () => {
  await details('denied');
  expect(card().getByText('Denied')).toBeVisible();
  expect(card().getByText(/No abuse report is offered/)).toBeVisible();
  await userEvent.click(card().getByRole('button', { name: 'Close this session …' }));
  expect(await screen.findByRole('dialog', { name: 'Close Maria Lopez' })).toBeVisible();
});

test('everything is kept as history, with who, whom, how and when', async () => {
  await details('results');
  for (const { word } of Object.values(RESULTS).filter((look) => look.word !== 'Sending'))
    expect(card().getByText(word)).toBeInTheDocument();
  expect(card().getAllByText(/Asked by Anna Keller at/).length).toBe(8);
});

/** All that leads to a viewer. */
const WAYS = [/^Watch/, /^Open viewer/, /^Viewer link/, /Invite a colleague by e-mail/];
const CLOSED = /policy: a viewer needs a verification/;

test('behind a shut gate nothing leads to a viewer, and each button says why', async () => {
  const port = open('gate_shut');
  await screen.findByRole('heading', { level: 1, name: 'Maria Lopez' });
  for (const name of [...WAYS, /^Reply/]) {
    const way = screen.getByRole('button', { name });
    expect(way).toBeDisabled();
    expect(way).toHaveAttribute('title', expect.stringMatching(CLOSED));
  }
  await userEvent.keyboard('{Control>}o{/Control}');
  await userEvent.keyboard('{Control>}{Shift>}O{/Shift}{/Control}');
  const opened = port.asked.some(({ do: does }) => does === 'open_viewer' || does === 'viewer_link');
  expect(opened).toBe(false);
  expect(screen.getByText('Viewer needs a verification')).toBeVisible();
});

test('an approval opens the gate, and its end shuts it', async () => {
  const port = open('verifying');
  await screen.findByRole('heading', { level: 1, name: 'Maria Lopez' });
  port.identity.settle('s1', 2, 'approved');
  await vi.waitFor(() => expect(screen.getByRole('button', { name: /^Open viewer/ })).toBeEnabled());
  expect(within(screen.getByRole('main')).getByText('Verified')).toBeVisible();
  port.change('s1', (d) => ({ ...d, gate: gate('require'), row: { ...d.row, verified: null } }));
  await vi.waitFor(() => expect(screen.getByRole('button', { name: /^Open viewer/ })).toBeDisabled());
  expect(within(screen.getByRole('main')).queryByText('Verified')).toBeNull();
});

test.each(['denied', 'timed_out', 'no_device', 'failed', 'unknown', 'cancelled'] as const)(
  '%s opens nothing',
  async (state) => {
    const port = open('gate_shut');
    await screen.findByRole('heading', { level: 1, name: 'Maria Lopez' });
    port.change('s1', (d) => ({ ...d, verifications: [verification(1, state, Date.now())] }));
    await screen.findByRole('tab', { name: 'Details' });
    for (const name of WAYS) expect(screen.getByRole('button', { name })).toBeDisabled();
  },
);

test('a gate that warns stands beside buttons that work', async () => {
  const port = open('gate_warns');
  await screen.findByRole('heading', { level: 1, name: 'Maria Lopez' });
  expect(screen.getByText('Not verified')).toBeVisible();
  expect(screen.queryByRole('button', { name: /Override/ })).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: /^Open viewer/ }));
  expect(port.asked).toContainEqual({ do: 'open_viewer', session: 's1', read_only: false });
});

test('Verify leads to the field, from whatever tab', async () => {
  open('gate_shut');
  await userEvent.click(await screen.findByRole('button', { name: 'Verify' }));
  await vi.waitFor(() => expect(screen.getByLabelText('Their LoginTC user')).toHaveFocus());
});

test('an override needs a reason, then a passkey; only then the viewer opens', async () => {
  const port = open('gate_shut');
  await userEvent.click(await screen.findByRole('button', { name: 'Override …' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Override the verification' }));
  await userEvent.click(dialog.getByRole('button', { name: 'Sign with your passkey' }));
  expect(dialog.getByRole('alert')).toHaveTextContent('An override needs a reason.');
  await userEvent.type(dialog.getByLabelText('Reason'), 'Phone is broken{Enter}');
  expect(port.asked.filter((command) => command.do === 'override_gate')).toEqual([
    { do: 'override_gate', session: 's1', reason: 'Phone is broken' },
  ]);
  expect(await dialog.findByRole('region', { name: 'In your browser' })).toBeVisible();
  expect(port.details.get('s1')?.gate.open).toBe(false);
  port.identity.complete();
  await vi.waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(await screen.findByText('Overridden')).toBeVisible();
  expect(screen.getByText(/by Anna Keller: “Phone is broken”/)).toBeVisible();
  expect(screen.getByRole('button', { name: /^Open viewer/ })).toBeEnabled();
});

test('who leaves the override is asked by the browser no more', async () => {
  const port = open('gate_shut');
  await userEvent.click(await screen.findByRole('button', { name: 'Override …' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Override the verification' }));
  await userEvent.type(dialog.getByLabelText('Reason'), 'x{Enter}');
  await dialog.findByRole('region', { name: 'In your browser' });
  await userEvent.keyboard('{Escape}');
  await vi.waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(port.asked).toContainEqual({ do: 'cancel_ceremony' });
});

test('a gate is shut only by the policy that requires', () => {
  expect(shut(gate('require'))).toBe(true);
  expect(shut(gate('require', { open: true }))).toBe(false);
  expect(shut(gate('warn', { open: false }))).toBe(false);
  expect(warned(gate('warn', { open: false }))).toBe(true);
  expect(shut(gate('off'))).toBe(false);
});

test('a verified session says so in the list, by icon and word', () => {
  render(SessionItem, { row: row('a', 'Maria Lopez', 'active', 0, { verified: 'customer' }) });
  expect(screen.getByText('customer verified')).toBeInTheDocument();
});

test('codes are told apart by their digits, whatever stands between them', () => {
  expect(codeKind('123 456')).toBe('otp');
  expect(codeKind('1234-5678')).toBe('otp');
  expect(codeKind('123456789')).toBe('bypass_code');
  for (const not of ['', '12345', '1234567', '1234567890', '12345a', '１２３４５６'])
    expect(codeKind(not)).toBeNull();
  expect(codeWords('1234567890')).toBe('10 digits are too many');
  expect(codeWords('12a')).toBe('A code has digits only.');
});
