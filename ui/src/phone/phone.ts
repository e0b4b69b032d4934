import './phone.css';
import { $, make } from '../shared/dom';

// Fetches the state of the phones each second. Everything from outside is set as text, never as markup.
const EACH_MS = 1000;
const WORDS: Partial<Record<string, string>> = {
  pending: 'Is this you?',
  approved: 'Approved',
  denied: 'Denied',
};

type User = {
  id: string;
  username: string;
  device: boolean;
  /** What the phone's authenticator shows; null without a phone. */
  otp: string | null;
  bypass: string[];
  mailed: string[];
};
type Push = {
  id: string;
  user: string;
  attributes: { key: string; value: string }[];
  state: string;
  seconds_ago: number;
  seconds_left: number;
};
type State = { mail: boolean; users: User[]; pushes: Push[] };

let state: State = { mail: false, users: [], pushes: [] };
let chosen = decodeURIComponent(location.hash.slice(1));
let shown = '';

function button(text: string, className: string, onClick: () => void): HTMLButtonElement {
  const element = make('button', className, text);
  element.type = 'button';
  element.addEventListener('click', onClick);
  return element;
}

async function ask(path: string, body?: object): Promise<unknown> {
  const options = body && {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  };
  const answer = await fetch(`/phone/${path}`, { ...options, signal: AbortSignal.timeout(5000) });
  const text = await answer.text();
  const read = (text ? JSON.parse(text) : {}) as { error?: string };
  if (!answer.ok) throw new Error(read.error ?? 'The sandbox refused it.');
  return read;
}

/** Makes a button's call, shows why it failed, and refreshes the state at once. Undefined if it failed. */
async function act(path: string, body: object): Promise<unknown> {
  let done: unknown;
  try {
    done = await ask(path, body);
    $('error').hidden = true;
  } catch (error) {
    $('error').textContent = (error as Error).message;
    $('error').hidden = false;
  }
  await refresh();
  return done;
}

async function refresh(): Promise<void> {
  try {
    state = (await ask('state')) as State;
    showConnection('ok', 'Live');
  } catch {
    showConnection('bad', 'The sandbox does not answer');
    return;
  }
  const text = JSON.stringify([state, chosen]);
  if (text !== shown) render();
  shown = text;
}

function showConnection(kind: 'ok' | 'bad', text: string): void {
  if ($('state').dataset['state'] !== kind) $('state-text').textContent = text;
  $('state').dataset['state'] = kind;
}

function render(): void {
  if (!state.users.some((user) => user.username === chosen)) chosen = state.users[0]?.username ?? '';
  const user = current();
  renderPeople();
  $<HTMLInputElement>('mail').checked = state.mail;
  $('who').textContent = user?.username ?? 'Nobody yet';
  $('has').textContent = user ? (user.device ? 'Has a phone' : 'Has no phone') : 'Add a person to begin.';
  $('device').hidden = $('codes').hidden = $('id-line').hidden = !user;
  if (!user) {
    $('pushes').replaceChildren();
    $('empty').textContent = '';
    return;
  }
  $('id').textContent = user.id;
  $('device').textContent = user.device ? 'Take the phone away' : 'Give a phone';
  renderPushes(user);
  $('otp-card').hidden = !user.device;
  $('otp').textContent = user.otp ?? '';
  list('bypass', 'no-bypass', user.bypass);
  list('mailed', 'no-mail', user.mailed);
}

function renderPeople(): void {
  const { activeElement } = document;
  const focused = activeElement instanceof HTMLElement ? activeElement.dataset['username'] : undefined;
  const rows = state.users.map((user) => {
    const waiting = state.pushes.filter((p) => p.user === user.id && p.state === 'pending').length;
    const row = button(user.username, 'person', () => {
      choose(user.username);
    });
    row.dataset['username'] = user.username;
    row.setAttribute('aria-current', String(user.username === chosen));
    if (waiting) row.append(make('span', 'word waiting', `${waiting} waiting`));
    else if (!user.device) row.append(make('span', 'word', 'no phone'));
    return row;
  });
  const items = rows.map((row) => {
    const item = make('li');
    item.append(row);
    return item;
  });
  $('people').replaceChildren(...items);
  if (focused) rows.find((row) => row.dataset['username'] === focused)?.focus();
}

function choose(username: string): void {
  chosen = username;
  history.replaceState(null, '', `#${encodeURIComponent(username)}`);
  $('error').hidden = true;
  render();
}

/** Keeps the card of an unchanged push, so that no button moves away under the pointer or loses the focus. */
function renderPushes(user: User): void {
  const pushes = state.pushes.filter((push) => push.user === user.id);
  const old = new Map(
    [...$('pushes').querySelectorAll<HTMLElement>(':scope > article')].map((card) => [card.id, card]),
  );
  pushes.forEach((push, place) => {
    const id = `push-${push.id}`;
    let card = old.get(id);
    if (card?.dataset['state'] !== push.state) {
      card?.remove();
      card = pushCard(push, id, !card);
    }
    old.delete(id);
    const when = card.querySelector('.when');
    if (when)
      when.textContent =
        push.state === 'pending' ? `${time(push.seconds_left)} left` : `${time(push.seconds_ago)} ago`;
    const there = $('pushes').children[place];
    if (there !== card) $('pushes').insertBefore(card, there ?? null);
  });
  for (const card of old.values()) card.remove();
  const nothing = user.device
    ? 'Requests for this person will be here, with a button to approve and one to deny.'
    : 'Without a phone nothing can be pushed. Codes still work.';
  $('empty').textContent = pushes.length ? '' : nothing;
}

function pushCard(push: Push, id: string, isNew: boolean): HTMLElement {
  const card = make('article', isNew ? 'card push new' : 'card push');
  card.id = id;
  card.dataset['state'] = push.state;
  const top = make('div', 'top');
  top.append(make('strong', '', WORDS[push.state] ?? push.state), make('span', 'when'));
  const details = make('dl');
  for (const { key, value } of push.attributes) details.append(make('dt', '', key), make('dd', '', value));
  card.append(top);
  card.append(push.attributes.length ? details : make('p', 'small', 'It came without details.'));
  if (push.state === 'pending') {
    const row = make('div', 'row');
    const answer = (approve: boolean) => () => void act(`pushes/${push.id}`, { approve });
    row.append(button('Deny', 'danger', answer(false)), button('Approve', 'primary', answer(true)));
    card.append(row);
  }
  return card;
}

function list(id: string, none: string, codes: string[]): void {
  $(id).replaceChildren(...codes.map((code) => make('li', '', code)));
  $(none).hidden = codes.length > 0;
}

function time(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function current(): User | undefined {
  return state.users.find((user) => user.username === chosen);
}

async function addUser(): Promise<void> {
  const username = $<HTMLInputElement>('username').value.trim();
  if (await act('users', { username, device: $<HTMLInputElement>('with-device').checked })) {
    $<HTMLFormElement>('add').reset();
    choose(username);
  }
}

$('add').addEventListener('submit', (event) => {
  event.preventDefault();
  void addUser();
});
$('device').addEventListener('click', () => {
  const user = current();
  if (user) void act(`users/${user.id}/device`, { device: !user.device });
});
$('new-bypass').addEventListener('click', () => {
  const user = current();
  if (user) void act(`users/${user.id}/bypass`, {});
});
$('mail').addEventListener(
  'change',
  () => void act('mail', { enabled: $<HTMLInputElement>('mail').checked }),
);

async function follow(): Promise<never> {
  for (;;) {
    await refresh();
    await new Promise((wake) => setTimeout(wake, EACH_MS));
  }
}

void follow();
