import { screen } from '@testing-library/dom';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { consoleApi, type Task } from './consoleApi';
import { Flow } from './flow';
import { official, type Speaker } from './passkeys';
import { keptState } from './state';
import { drawInto } from './view';

const STATE = 'a-one-time-state';
const SIGN_IN: Task = {
  text: 'Sign in as Anna Keller',
  do: 'sign_in',
  api_url: 'http://localhost:1',
  api_key: 'app:public:1',
  user_id: 'u1',
};
const REGISTER: Task = {
  ...SIGN_IN,
  text: 'Make a passkey for Anna Keller',
  do: 'register',
  register_token: 'register_1',
  nickname: 'This laptop',
};

type Sent = { path: string; body: Record<string, string> };
type Answers = Partial<Record<'/offer' | '/begin' | '/done' | '/failed', unknown>>;

/** Deskhand's side: answers each path as set up and keeps the requests. A refusal has the status 409. */
function server(answers: Answers): { sent: Sent[]; fetch: typeof fetch } {
  const sent: Sent[] = [];
  const answer = (path: string, init?: RequestInit): Promise<Response> => {
    sent.push({ path, body: JSON.parse(String(init?.body)) as Record<string, string> });
    // What a step is for is said as it is then begun, unless the test says otherwise.
    const said =
      path === '/offer' ? (answers['/offer'] ?? answers['/begin']) : answers[path as keyof Answers];
    const told = said ?? { ok: true };
    if (told === 'gone') return Promise.reject(new TypeError('Failed to fetch'));
    if (typeof told === 'string') return Promise.resolve(new Response(told));
    const status = 'remedy' in (told as object) ? 409 : 200;
    return Promise.resolve(Response.json(told, { status }));
  };
  return { sent, fetch: answer as typeof fetch };
}

/** Stands in for the official client: gives every call the same answer, and keeps the calls. */
function client(answer: () => unknown): { called: unknown[][]; speaker: Speaker } {
  const called: unknown[][] = [];
  const call =
    (name: string) =>
    (...given: unknown[]) => {
      called.push([name, ...given]);
      return Promise.resolve().then(answer) as ReturnType<Speaker['signinWithId']>;
    };
  const speaker = {
    register: call('register'),
    signinWithId: call('signinWithId'),
    signinWithDiscoverable: call('signinWithDiscoverable'),
  };
  return { called, speaker };
}

function open(answers: Answers, speaker: Speaker, state = STATE): Sent[] {
  const { sent, fetch } = server(answers);
  const root = document.createElement('main');
  document.body.replaceChildren(root);
  void new Flow(
    state,
    consoleApi(fetch),
    official(() => speaker),
    drawInto(root),
  ).load();
  return sent;
}

const press = async (name: string): Promise<void> =>
  userEvent.click(await screen.findByRole('button', { name }));
const heading = (name: string | RegExp): Promise<HTMLElement> => screen.findByRole('heading', { name });
const token = () => ({ token: 'verify_1', error: undefined });

beforeEach(() => {
  vi.stubGlobal('PublicKeyCredential', () => undefined);
  vi.stubGlobal('navigator', Object.create(navigator, { credentials: { value: { create: no, get: no } } }));
});
afterEach(() => vi.unstubAllGlobals());

const no = (): Promise<never> => Promise.reject(new Error('nobody asked'));

test('signs in the person whom Deskhand names, and hands the token back once', async () => {
  const { called, speaker } = client(token);
  const sent = open({ '/begin': SIGN_IN }, speaker);
  expect(await heading('Sign in as Anna Keller')).toBeVisible();
  expect(called).toEqual([]);
  expect(screen.getByRole('button', { name: 'Continue' })).toHaveFocus();
  await press('Continue');
  expect(await heading('Your passkey is right')).toBeVisible();
  expect(screen.getByRole('status')).toHaveTextContent('You can close this page and go back to Deskhand.');
  expect(screen.queryByRole('button')).toBeNull();
  expect(called).toEqual([['signinWithId', 'u1']]);
  expect(sent).toEqual([
    { path: '/offer', body: { state: STATE } },
    { path: '/begin', body: { state: STATE } },
    { path: '/done', body: { state: STATE, token: 'verify_1' } },
  ]);
});

test('lets the browser offer whose passkey it is where Deskhand names nobody', async () => {
  const { called, speaker } = client(token);
  open({ '/begin': { ...SIGN_IN, user_id: undefined } }, speaker);
  await press('Continue');
  await heading('Your passkey is right');
  expect(called).toEqual([['signinWithDiscoverable']]);
});

test('makes a passkey with its nickname', async () => {
  const { called, speaker } = client(token);
  open({ '/begin': REGISTER }, speaker);
  await press('Continue');
  expect(await heading('Your passkey is made')).toBeVisible();
  expect(called).toEqual([['register', 'register_1', 'This laptop']]);
});

/** The official client, whose browser part fails with `name`. */
function failing(name: string): Speaker {
  const ask = (): Promise<never> => Promise.reject(new DOMException('prose', name));
  const container = { create: ask, get: ask };
  Object.assign(navigator.credentials, container);
  return client(async () => {
    try {
      await navigator.credentials.get();
    } catch {
      return { error: { from: 'client', errorCode: 'unknown', title: 'prose' } };
    }
    return token();
  }).speaker;
}

test('who cancels is told what to do, and Deskhand hears of it before the page says so', async () => {
  const sent = open({ '/begin': SIGN_IN }, failing('NotAllowedError'));
  await press('Continue');
  expect(await heading('No passkey was used')).toBeVisible();
  expect(screen.getByRole('status')).toHaveTextContent('copy the link in Deskhand');
  expect(screen.getByRole('button', { name: 'Try again' })).toHaveFocus();
  expect(sent).toEqual([
    { path: '/offer', body: { state: STATE } },
    { path: '/begin', body: { state: STATE } },
    { path: '/failed', body: { state: STATE, why: 'cancelled' } },
  ]);
});

test.each([
  [{ from: 'server', errorCode: 'unknown_credential', status: 400 }, /doesn’t know this passkey/],
  [{ from: 'client', errorCode: 'unknown' }, /can’t be reached/],
])('what another try may mend can be tried again on the page: %j', async (error, told) => {
  const answers: unknown[] = [{ error: { ...error, title: 'prose' } }, token()];
  const { called, speaker } = client(() => answers.shift());
  const sent = open({ '/begin': SIGN_IN }, speaker);
  await press('Continue');
  expect(await heading(told)).toBeVisible();
  expect(screen.getByRole('button', { name: 'Try again' })).toHaveFocus();
  await press('Try again');
  expect(await heading('Your passkey is right')).toBeVisible();
  expect(called).toHaveLength(2);
  expect(sent.map(({ path }) => path)).toEqual(['/offer', '/begin', '/done']);
});

test.each([
  ['InvalidStateError', 'There is a passkey on this device already', 'failed'],
  ['NotSupportedError', 'This browser can’t use a passkey here', 'unsupported'],
  ['SecurityError', 'This browser can’t use a passkey here', 'unsupported'],
  ['UnknownError', 'The passkey was not accepted', 'failed'],
])('what the browser calls %s is told by what helps', async (name, told, why) => {
  const sent = open({ '/begin': REGISTER }, failing(name));
  await press('Continue');
  expect(await heading(told)).toBeVisible();
  expect(sent.at(-1)).toEqual({ path: '/failed', body: { state: STATE, why } });
});

test.each([
  [{ from: 'server', errorCode: 'expired_token', status: 403 }, 'That took too long'],
  [{ from: 'server', status: 401 }, /doesn’t accept this console/],
  [{ from: 'server', errorCode: 'something_new', status: 500 }, 'The passkey was not accepted'],
])('what the service answers is told by what helps, and never in its words: %j', async (error, told) => {
  const { speaker } = client(() => ({ error: { ...error, title: 'their prose', detail: 'their prose' } }));
  const sent = open({ '/begin': SIGN_IN }, speaker);
  await press('Continue');
  expect(await heading(told)).toBeVisible();
  expect(document.body).not.toHaveTextContent('their prose');
  expect(sent.at(-1)).toEqual({ path: '/failed', body: { state: STATE, why: 'failed' } });
});

test('a client that throws is as one that reaches nothing', async () => {
  const { speaker } = client(() => {
    throw new SyntaxError('Unexpected token <');
  });
  open({ '/begin': SIGN_IN }, speaker);
  await press('Continue');
  expect(await heading(/can’t be reached/)).toBeVisible();
});

test('a browser without passkeys is told so, and spoils the step for no other browser', async () => {
  vi.stubGlobal('PublicKeyCredential', undefined);
  const sent = open({}, client(token).speaker);
  expect(await heading('This browser can’t use passkeys')).toBeVisible();
  expect(sent).toEqual([]);
});

test('a page without its state asks nothing of anybody', async () => {
  const sent = open({}, client(token).speaker, '');
  expect(await heading('This page is used up')).toBeVisible();
  expect(sent).toEqual([]);
});

test('loading the page begins nothing: that is for the click', async () => {
  const sent = open({ '/begin': SIGN_IN }, client(token).speaker);
  await heading('Sign in as Anna Keller');
  expect(sent.map(({ path }) => path)).toEqual(['/offer']);
});

test('who cancelled may begin anew on the same page', async () => {
  const sent = open({ '/begin': SIGN_IN }, failing('NotAllowedError'));
  await press('Continue');
  await press('Try again');
  await heading('No passkey was used');
  expect(sent.map(({ path }) => path)).toEqual(['/offer', '/begin', '/failed', '/begin', '/failed']);
});

test('a page that is loaded again knows its step, and one without storage works once', () => {
  sessionStorage.clear();
  expect(keptState(STATE, () => sessionStorage)).toBe(STATE);
  expect(keptState('', () => sessionStorage)).toBe(STATE);
  expect(keptState('newer', () => sessionStorage)).toBe('newer');
  expect(keptState('', () => sessionStorage)).toBe('newer');
  const none = (): Storage => {
    throw new DOMException('no storage', 'SecurityError');
  };
  expect(keptState(STATE, none)).toBe(STATE);
  expect(keptState('', none)).toBe('');
});

test.each(['gone', '<html>', '{"text":1}', '{"do":"eat","text":""}', 'null'])(
  'an offer that is none is told as silence: %s',
  async (answer) => {
    open({ '/offer': answer }, client(token).speaker);
    expect(await screen.findByText(/Deskhand doesn’t answer/)).toBeVisible();
  },
);

const OTHER = { text: 'Another step was begun since.', remedy: 'Use the newer page.' };

test('what Deskhand refuses is shown with its remedy, at the begin and at the end', async () => {
  open({ '/begin': OTHER }, client(token).speaker);
  expect(await screen.findByText('Another step was begun since. Use the newer page.')).toBeVisible();
  open({ '/offer': SIGN_IN, '/begin': OTHER }, client(token).speaker);
  await press('Continue');
  expect(await screen.findByText('Another step was begun since. Use the newer page.')).toBeVisible();
  const sent = open({ '/begin': SIGN_IN, '/done': OTHER }, client(token).speaker);
  await press('Continue');
  expect(await screen.findByText('Another step was begun since. Use the newer page.')).toBeVisible();
  expect(sent.map(({ path }) => path)).toEqual(['/offer', '/begin', '/done']);
});

test.each(['gone', '<html>', '{"text":1}', '{"do":"register","text":"","api_url":"","api_key":""}', 'null'])(
  'Deskhand that does not answer as it should is told as silent: %s',
  async (answer) => {
    open({ '/offer': SIGN_IN, '/begin': answer }, client(token).speaker);
    await press('Continue');
    expect(await screen.findByText(/Deskhand doesn’t answer/)).toBeVisible();
  },
);

test('what comes from outside is text, never markup', async () => {
  const text = 'Sign in as <img src=x onerror=alert(1)>';
  open({ '/begin': { ...SIGN_IN, text } }, client(token).speaker);
  expect(await heading(text)).toBeVisible();
  expect(document.querySelector('img')).toBeNull();
});

test('the official client is watched for one step only', async () => {
  open({ '/begin': SIGN_IN }, client(token).speaker);
  await press('Continue');
  await heading('Your passkey is right');
  expect(navigator.credentials.get).toBe(no);
});
