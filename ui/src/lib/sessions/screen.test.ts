import { render, screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import type { Reply, ScreenView, WaitingView, WatcherView } from '../ipc/bindings';
import { open } from '../../../tests/rendered';
import type { FakeConsole } from '../../../fake/console';
import { age, connected, newcomer, platform, watches } from './screen';
import ScreenPeople from './ScreenPeople.svelte';

const ANNA: WatcherView = {
  id: 'a',
  name: 'Anna',
  since: null,
  controls: true,
  watching: true,
  sealed: true,
  latency_ms: 12,
  fps: 24,
};

const NOTHING: ScreenView = {
  sharing: 'unknown',
  platform: null,
  presenter: null,
  watchers: [],
  waiting: [],
  can_answer: false,
  as_of: null,
  current: false,
};

test('a viewer is said with what is known of it, and nothing else', () => {
  expect(watches(ANNA, 0)).toBe('Anna controls · 12 ms · 24 pictures/s · end-to-end encrypted');
  const ben = { ...ANNA, name: 'Ben', controls: false, sealed: false, latency_ms: null, fps: 1 };
  expect(watches(ben, 0)).toBe('Ben watches · 1 picture/s · not end-to-end encrypted');
  expect(watches({ ...ANNA, name: '', watching: false }, 0)).toBe('Somebody is here, without a picture');
  const since = new Date(2026, 10, 29, 14, 3).getTime();
  expect(watches({ ...ANNA, since }, since + 60_000)).toContain(' · since 14:03 · ');
  expect(connected({ name: 'Maria', since }, since)).toBe('Maria has been connected since 14:03');
  expect(connected({ name: '', since: null }, since)).toBe('The customer is connected');
  expect(platform('linux-x86_64')).toBe('Linux x86_64');
  expect(platform('plan9')).toBe('plan9');
});

test('what gets old says so, and what is fresh does not', () => {
  const known = { ...NOTHING, sharing: 'shared' as const, as_of: 100_000 };
  expect(age(known, 106_000)).toBeNull();
  expect(age(known, 120_000)).toBe(20);
  expect(age({ ...known, as_of: null }, 120_000)).toBeNull();
  expect(age({ ...known, current: true }, 120_000)).toBeNull();
});

test('people without a word of the service are not made up', () => {
  render(ScreenPeople, { screen: NOTHING });
  const people = screen.getByRole('region', { name: 'Screen' });
  expect(within(people).getByText('Not known yet')).toBeInTheDocument();
  expect(within(people).queryByText('Nobody is watching.')).toBeNull();
});

async function onDetails(): Promise<FakeConsole> {
  const port = open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  const known: ScreenView = { ...NOTHING, sharing: 'paused', watchers: [ANNA], as_of: Date.now() };
  const pictures = [
    { id: 7, at: 0, by: 'Anna', bytes: 1 },
    { id: 9, at: 0, by: 'Anna', bytes: 1 },
  ];
  port.change('s1', (detail) => ({ ...detail, screen: known, pictures }));
  await userEvent.click(screen.getByRole('tab', { name: 'Details' }));
  return port;
}

test('the session says who controls, and what there is to see beside the presence', async () => {
  await onDetails();
  const people = await screen.findByRole('region', { name: 'Screen' });
  expect(within(people).getByText(/^Anna controls · 12 ms/)).toBeInTheDocument();
  expect(screen.getAllByText('Control paused by the customer')).toHaveLength(2);
});

test('a saved picture is opened and saved from the details', async () => {
  const port = await onDetails();
  await userEvent.click(await screen.findByRole('button', { name: 'Open picture 2' }));
  expect(port.asked).toContainEqual({ do: 'picture', session: 's1', picture: 9 });
  const dialog = await screen.findByRole('dialog', { name: 'The customer’s screen' });
  expect(within(dialog).getByRole('img').getAttribute('src')).toMatch(/^data:image\/png;base64,iVBOR/);
  await userEvent.click(within(dialog).getByRole('button', { name: 'Save' }));
  expect(port.pictures).toHaveLength(1);
});

test('a colleague’s read-only link says what it is worth on this service', async () => {
  await onDetails();
  await userEvent.click(screen.getByRole('button', { name: 'Viewer link' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: /read-only/ }));
  expect(await screen.findByText(/can watch and no more/)).toBeInTheDocument();
});

test('a link that is still being fetched is on the clipboard, which takes nothing after the click', async () => {
  const port = await onDetails();
  let answer: (reply: Reply) => void = () => undefined;
  const answered = new Promise<Reply>((resolve) => (answer = resolve));
  const ask = vi.spyOn(port, 'ask').mockReturnValue(answered);
  let taken: Promise<Blob> | undefined;
  vi.spyOn(navigator.clipboard, 'write').mockImplementation(async ([item]) => {
    taken = item?.getType('text/plain');
    await taken;
  });
  await userEvent.click(screen.getByRole('button', { name: 'Viewer link' }));
  const control = await screen.findByRole('menuitem', { name: /can control/ });
  control.click();
  expect([ask.mock.calls.length, taken === undefined]).toEqual([1, false]);
  answer({ reply: 'link', url: 'http://a.example/view#ticket=t', by_role: true });
  expect(await screen.findByText('Viewer link copied')).toBeInTheDocument();
  expect(await (await taken)?.text()).toBe('http://a.example/view#ticket=t');
});

const BEN: WaitingView = { id: 'w', name: 'Ben', controls: true, sealed: false, invited: false };

/** The session's page, on which these wait. The clock stands still. */
async function theseWait(waiting: WaitingView[], canAnswer: boolean): Promise<FakeConsole> {
  const port = open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const known: ScreenView = { ...NOTHING, sharing: 'shared', waiting, can_answer: canAnswer };
  port.change('s1', (detail) => ({
    ...detail,
    screen: known,
    row: { ...detail.row, waiting: waiting.length },
  }));
  await screen.findByRole('region', { name: 'Waits to be let in' });
  return port;
}

afterEach(() => {
  vi.useRealTimers();
});

/** A person who doesn't need the clock. */
const user = () => userEvent.setup({ delay: null });

/** Lets the time pass in which a click counts for nothing. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(800);
}

test('who waits is said with what should be known before they are let in', () => {
  expect(newcomer(BEN)).toEqual({
    name: 'Ben',
    who: 'Ben waits to see and control the screen.',
    facts:
      'They have nothing but the PIN. They use a web page: whoever runs the server could see the screen.',
  });
  const guest = newcomer({ ...BEN, name: '', controls: false, sealed: true, invited: true });
  expect(guest.who).toBe('Somebody without a name waits to see the screen.');
  expect(guest.facts).toContain('They have a link of yours. End-to-end encrypted.');
});

test('the list says that somebody waits, and they are let in by the keyboard', async () => {
  const port = await theseWait([BEN], true);
  await settle();
  expect(screen.getByTitle(/^1 person asks to come in/)).toBeInTheDocument();
  screen.getByRole('button', { name: 'Let Ben in' }).focus();
  await user().keyboard('{Enter}');
  expect(port.asked).toContainEqual({ do: 'answer_viewer', session: 's1', viewer: 'w', lets_in: true });
  expect(screen.queryByRole('region', { name: 'Waits to be let in' })).toBeNull();
  expect(screen.queryByTitle(/to come in/)).toBeNull();
});

test('who waits can be refused, and what holds for all of them is said once', async () => {
  const port = await theseWait([BEN], true);
  const other = { ...BEN, id: 'x', name: 'Cleo' };
  port.change('s1', (detail) => {
    const waiting = [...(detail.screen?.waiting ?? []), other];
    return {
      ...detail,
      screen: { ...NOTHING, ...detail.screen, waiting },
      row: { ...detail.row, waiting: 2 },
    };
  });
  expect(await screen.findByTitle(/^2 people ask to come in/)).toBeInTheDocument();
  const card = within(screen.getByRole('region', { name: 'Waits to be let in' }));
  expect(card.getAllByText(/only if you expect them/)).toHaveLength(1);
  const buttons = card.getAllByRole('button').map((button) => button.getAttribute('aria-label'));
  // As in the viewer window and in the customer's banner.
  expect(buttons).toEqual(['Let Ben in', 'Refuse Ben', 'Let Cleo in', 'Refuse Cleo']);
  await settle();
  await user().click(screen.getByRole('button', { name: 'Refuse Ben' }));
  expect(port.asked).toContainEqual({ do: 'answer_viewer', session: 's1', viewer: 'w', lets_in: false });
});

test('no click lets in whoever took the place of another, and nobody is answered twice', async () => {
  const mallory = { ...BEN, id: 'm', name: 'Mallory' };
  const port = await theseWait([BEN, mallory], true);
  const answers = () => port.asked.filter((command) => command.do === 'answer_viewer');
  const letIn = (name: string) => user().click(screen.getByRole('button', { name: `Let ${name} in` }));
  await letIn('Ben');
  expect(answers()).toEqual([]);
  await settle();
  await letIn('Ben');
  await vi.waitFor(() => expect(screen.queryByRole('button', { name: 'Let Ben in' })).toBeNull());
  await letIn('Mallory');
  expect(answers()).toHaveLength(1);
  // Ben is still told of, as by a list that was made before the answer.
  port.change('s1', (detail) => ({
    ...detail,
    screen: { ...NOTHING, sharing: 'shared', waiting: [BEN, mallory], can_answer: true },
  }));
  await screen.findByRole('button', { name: 'Let Ben in' });
  await settle();
  await letIn('Ben');
  expect(answers()).toHaveLength(1);
  await letIn('Mallory');
  expect(answers()[1]).toMatchObject({ viewer: 'm', lets_in: true });
});

test('without a key to sign with, the viewer has to be opened first', async () => {
  const port = await theseWait([BEN], false);
  expect(screen.queryByRole('button', { name: 'Let Ben in' })).toBeNull();
  const card = screen.getByRole('region', { name: 'Waits to be let in' });
  await user().click(within(card).getByRole('button', { name: 'Open viewer' }));
  expect(port.asked).toContainEqual({ do: 'open_viewer', session: 's1', read_only: false });
});
