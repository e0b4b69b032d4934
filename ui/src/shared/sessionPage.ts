// What the pages of a session show: people, chat, the state of the connection.
// What people wrote is always set as text, never as markup.

import { connect, type Connection, type ConnectionState, type Message } from './connection';
import { $, make } from './dom';
import { Unconfirmed } from './unconfirmed';

/** A chat message, as the broker stores it; the time is in seconds. */
export type ChatMessage = {
  guid: string;
  timestamp: number;
  subject: string;
  body: string;
  /** Who wrote it, which no name tells: anybody may take any. Not known of a broker of before. */
  by?: 'customer' | 'technician' | 'viewer';
};

/** A line of the list of people. */
export type PersonRow = { name: string; word: string; here: boolean };

/** The ways in which a session ends, by the broker's code. */
export type Endings = Partial<Record<string, [title: string, text: string]>>;

export type SessionHandlers = {
  /** The fields of the first message beside its type and page. */
  hello(): Record<string, unknown>;
  onState?(state: ConnectionState): void;
  onOnline(welcome: Message): void;
  onRoster(roster: Message): void;
  /** A new message is shown; not called for earlier ones. */
  onChat?(message: ChatMessage): void;
  /** Handles the messages that only some pages know. */
  onOther?(message: Message): void;
  onEnd(code: string): void;
  /** What is said of an end where this page says it in words of its own. */
  endings?: Endings;
  onHash?(): boolean;
};

const ENDINGS: Endings = {
  replaced: ['This page was opened again', 'The session goes on in the newer page. You can close this one.'],
  revoked: ['The session was ended', 'Its PIN no longer works. Ask for a new one if you still need help.'],
  expired: ["The PIN's time is over", 'Ask for a new PIN if you still need help.'],
  pin_over: ['This PIN is no longer valid', 'Its session was ended or its time is over. Ask for a new PIN.'],
  unknown_pin: [
    'No session has this PIN',
    'Check it with your technician, then type it again on the front page.',
  ],
  unknown: ['This link is no longer valid', 'Its session was ended or its time is over. Ask for a new link.'],
  malformed: ['This is not a PIN', 'A PIN has nine digits and letters, like 7W2-97-8570.'],
  blocked: [
    'This address has been blocked',
    'There were several reports of abuse. The operator of this server can lift the block.',
  ],
  differ: ['You ended the session', 'The words were not the same. What to do next stands at the top.'],
  left: ['You have left the session', 'You can close this page, or load it again to come back.'],
  reported: ['Reported, and you have left', 'Thank you. If somebody is on the phone with you, hang up.'],
};

/** A live connection whose chat and state the page shows. */
export function joinSession(handlers: SessionHandlers): Connection {
  return connect({
    hello: () => handlers.hello(),
    onHash: () => handlers.onHash?.() ?? false,
    onState: (state, text) => {
      showState(state, text);
      handlers.onState?.(state);
    },
    onRefused: (reason) => {
      giveBack(unconfirmed.takeNewest());
      showChatError(reason);
    },
    onMessage: (message) => {
      receive(message, handlers);
    },
    onEnd: (code) => {
      const [title, text] = handlers.endings?.[code] ??
        ENDINGS[code] ?? ["The session can't go on", 'Load the page again to try once more.'];
      $('over-title').textContent = title;
      $('over-text').textContent = text;
      $('over').hidden = false;
      document.body.classList.add('over');
      handlers.onEnd(code);
    },
  });
}

function receive(message: Message, handlers: SessionHandlers): void {
  switch (message.type) {
    case 'welcome':
      for (const earlier of message['chat'] as ChatMessage[]) showMessage(earlier, false);
      // What isn't among them was on its way when the connection was lost.
      if (giveBack(unconfirmed.takeAll())) showChatError('the connection was lost');
      handlers.onOnline(message);
      handlers.onRoster(message);
      break;
    case 'presence':
      handlers.onRoster(message);
      break;
    case 'chat': {
      const chat = message['message'] as ChatMessage;
      if (showMessage(chat, true)) handlers.onChat?.(chat);
      break;
    }
    default:
      handlers.onOther?.(message);
  }
}

/**
 * Wires the chat's form to a connection that is made later; this browser tab remembers the person's name under `key`.
 * Returns a function that reads the field for the name.
 */
export function chatForm(connection: () => Connection, key: string, initial: string): () => string {
  const name = $<HTMLInputElement>('name');
  const text = $<HTMLTextAreaElement>('text');
  name.value = initial || sessionStorage.getItem(key) || '';
  name.addEventListener('change', () => {
    sessionStorage.setItem(key, name.value.trim());
    connection().send({ type: 'name', name: name.value.trim() });
  });
  const fit = () => {
    text.rows = Math.min(5, Math.max(1, text.value.split('\n').length));
  };
  const submit = () => {
    const body = text.value.trim();
    showChatError('');
    if (body && connection().send({ type: 'chat', name: name.value.trim(), body })) {
      unconfirmed.add(body);
      text.value = '';
    }
    fit();
  };
  $('chat-form').addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
    text.focus();
  });
  text.addEventListener('input', fit);
  text.addEventListener('keydown', (event) => {
    // While a text is composed by an input method, Enter chooses a word.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!$<HTMLButtonElement>('send').disabled) submit();
  });
  return () => name.value.trim();
}

/** What was written here and may not have arrived. */
const unconfirmed = new Unconfirmed();

/** Puts what was not sent back into the box, before what is being written there; false if there is nothing. */
function giveBack(bodies: string[]): boolean {
  const text = $<HTMLTextAreaElement>('text');
  if (bodies.length > 0) {
    text.value = [...bodies, text.value].filter(Boolean).join('\n');
    text.dispatchEvent(new Event('input'));
  }
  return bodies.length > 0;
}

/** The messages that the page shows; after a reconnection the broker sends all of them again. */
const shown = new Set<string>();

/** False if the message was shown before. */
function showMessage({ guid, timestamp, subject, body, by }: ChatMessage, isNew: boolean): boolean {
  if (shown.has(guid)) return false;
  shown.add(guid);
  unconfirmed.told(body);
  document.getElementById('empty')?.remove();
  const log = $('log');
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const sent = new Date(timestamp * 1000);
  const item = make('li', isNew ? 'new' : '');
  const who = make('p', 'who', subject || 'No name');
  const time = make('time', '', clock(sent));
  time.dateTime = sent.toISOString();
  if (by) who.append(make('span', 'by', by));
  who.append(time);
  item.append(who, make('p', 'text', body));
  log.append(item);
  // Somebody who has scrolled up to read stays there.
  if (atEnd) log.scrollTop = log.scrollHeight;
  return true;
}

export function showPeople(rows: PersonRow[]): void {
  const items = rows.map(({ name, word, here }) => {
    const item = make('li');
    item.append(make('span', 'name', name), make('span', `word ${here ? 'here' : 'away'}`, word));
    return item;
  });
  $('people').replaceChildren(...items);
  // Not with `:empty` in the style sheet, which WebKit doesn't evaluate again when the list is filled.
  $('people-card').hidden = rows.length === 0;
}

/** Until when the PIN is valid, in seconds since 1970. */
export function showValid(expires: number): void {
  const until = new Date(expires * 1000);
  const day = until.toDateString() === new Date().toDateString() ? '' : ' tomorrow';
  $('valid').textContent = `The PIN stays valid until about ${clock(until)}${day}.`;
}

/** Shows the state of the connection in words, and allows sending only while it is online. */
function showState(state: ConnectionState, text: string): void {
  $<HTMLButtonElement>('send').disabled = state !== 'online';
  $('state').dataset['state'] = state;
  $('state-text').textContent = text;
}

function showChatError(text: string): void {
  $('chat-error').textContent = text && `Your message was not sent: ${text}.`;
  $('chat-error').hidden = !text;
}

function clock(date: Date): string {
  return date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}
