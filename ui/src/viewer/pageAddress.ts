import { readPin } from '../shared/pin';

/** The session, the person and their wishes, as they are in the page's address. */
export type PageAddress = {
  /** In a window of the app: its own server says who this is, so that no PIN is in the page. */
  app: boolean;
  /** The credential with which the session may be viewed. */
  proof: { session_pin: string } | { ticket: string } | Record<string, never>;
  /** The person's name; may be empty. */
  name: string;
  /** The link is for viewing only. */
  readOnly: boolean;
  /** The address that replaces this one: everything stands behind the hash, which browsers send to nobody. */
  link: string;
  /** The chat is to be opened. */
  chat: boolean;
};

/** The fragment that means: show the chat of the session that is open. */
export const CHAT = '#chat';

/** Reads the page's address; null if it names no session. */
export function readAddress({ pathname, search, hash }: Location): PageAddress | null {
  const chat = hash === CHAT;
  const given = new URLSearchParams(search.slice(1) || (chat ? '' : hash.slice(1)));
  const app = pathname.startsWith('/viewer/');
  const [pin, ticket] = [readPin(given.get('session_pin') ?? ''), given.get('ticket')];
  if (!app && !pin && !ticket) return null;
  return {
    app,
    proof: app ? {} : ticket ? { ticket } : { session_pin: pin ?? '' },
    name: given.get('un') ?? '',
    readOnly: given.get('ro') === 'true',
    link: `${pathname}${String(given) && `#${given}`}`,
    chat,
  };
}
