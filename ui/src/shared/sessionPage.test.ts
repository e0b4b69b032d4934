import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { $ } from './dom';
import { chatForm, joinSession } from './sessionPage';

/** The broker's side of the live connection. */
class Socket {
  static readonly OPEN = 1;
  static made: Socket[] = [];
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  sent: Record<string, unknown>[] = [];
  constructor() {
    Socket.made.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  close(): void {
    this.readyState = 3;
  }
  tell(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

let guid = 0;
const message = (body: string) => ({ guid: String((guid += 1)), timestamp: 0, subject: 'Maria', body });
const newest = () => Socket.made.at(-1) as Socket;
const welcome = (...chat: object[]) => newest().tell({ type: 'welcome', chat });
const box = () => $<HTMLTextAreaElement>('text');
const error = () => ($('chat-error').hidden ? '' : $('chat-error').textContent);
const write = (body: string) => {
  box().value = body;
  $<HTMLFormElement>('chat-form').requestSubmit();
};
/** The connection is lost, and comes back. */
const reconnect = (...chat: object[]) => {
  newest().onclose?.();
  vi.runOnlyPendingTimers();
  welcome(...chat);
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', Socket);
  document.body.innerHTML = `<ol id="log"></ol><p id="chat-error" hidden></p><p id="state"><b id="state-text"></b></p>
    <form id="chat-form"><input id="name" /><textarea id="text"></textarea><button id="send">Send</button></form>`;
  const page = joinSession({ hello: () => ({}), onOnline: vi.fn(), onRoster: vi.fn(), onEnd: vi.fn() });
  chatForm(() => page, 'name', '');
  welcome();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('a message that went into a connection that was lost already is back in the box, and said to be not sent', () => {
  write('My printer is on fire');
  expect([box().value, newest().sent.at(-1)]).toEqual([
    '',
    { type: 'chat', name: '', body: 'My printer is on fire' },
  ]);
  box().value = 'Hello?';
  reconnect();
  expect(box().value).toBe('My printer is on fire\nHello?');
  expect(error()).toBe('Your message was not sent: the connection was lost.');
  write(box().value);
  newest().tell({ type: 'chat', message: message('My printer is on fire\nHello?') });
  reconnect();
  expect([box().value, error()]).toEqual(['', '']);
});

test('a message that arrived is not given back, whether it is told at once or after a new connection', () => {
  write('One');
  const one = message('One');
  newest().tell({ type: 'chat', message: one });
  reconnect(one);
  expect([box().value, error()]).toEqual(['', '']);
  write('Two');
  reconnect(one, message('Two'));
  expect([box().value, error()]).toEqual(['', '']);
  write('Thr\u200bee\r\nlines');
  newest().tell({ type: 'chat', message: message('Three\nlines') });
  reconnect(one);
  expect([box().value, error()]).toEqual(['', '']);
});

test('a message that the broker refuses is back in the box', () => {
  write('Too much');
  newest().tell({ type: 'refused', error: 'too many messages' });
  expect([box().value, error()]).toEqual(['Too much', 'Your message was not sent: too many messages.']);
});
