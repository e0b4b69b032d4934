/**
 * The Extended Clipboard's messages, as far as noVNC's interface lacks them: a picture has a format of our own, which
 * the customer's program knows too (docs/adr/0034).
 */

/** Formats. */
export const TEXT = 1;
const DIB = 1 << 3;
export const PNG = 1 << 15;

/** Actions. */
const CAPS = 1 << 24;
export const REQUEST = 1 << 25;
const PEEK = 1 << 26;
const NOTIFY = 1 << 27;
export const PROVIDE = 1 << 28;

/** What a message of the customer's program means, where noVNC passes over it. */
export type Meaning =
  /** It knows the Extended Clipboard, and wants to hear what this page knows. */
  | 'asks for ours'
  /** A picture can be asked for. */
  | 'has a picture'
  /** It brings a picture. */
  | 'brings a picture'
  /** What was copied isn't carried: a picture, or something else. */
  | 'has another picture'
  | 'has something else'
  /** noVNC knows it, or nobody does. */
  | 'other';

export function meaningOf(flags: number): Meaning {
  if (flags & CAPS) return 'asks for ours';
  if (flags & PROVIDE) return flags & PNG && !(flags & TEXT) ? 'brings a picture' : 'other';
  if (!(flags & NOTIFY) || flags & TEXT) return 'other';
  if (flags & PNG) return 'has a picture';
  return flags & DIB ? 'has another picture' : 'has something else';
}

/** What this page knows. Nothing is to be sent unasked, so each format's size is 0. */
export const OURS = message(CAPS | REQUEST | PEEK | NOTIFY | PROVIDE | TEXT | PNG, new Uint8Array(8));

/** The content of a message. */
export function message(flags: number, body: Uint8Array = new Uint8Array()): Uint8Array {
  const content = new Uint8Array(4 + body.length);
  new DataView(content.buffer).setUint32(0, flags);
  content.set(body, 4);
  return content;
}
