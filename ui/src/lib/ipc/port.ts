import type { Command, Push, Reply, Trouble } from './bindings';
import type { Place } from '../shell/place';

/** A request of the shell to the window, in the same batches as the console's pushes. */
export type ShellRequest = { push: 'ask'; number: number } & (
  { ask: 'quit' } | { ask: 'show'; session: string; chat: boolean } | { ask: 'close'; session: string }
);

export type Pushed = Push | ShellRequest;

/** The window's only way to the console: commands, and what the console pushes. */
export interface ConsolePort {
  /** Rejects with a `Trouble`. */
  ask(command: Command): Promise<Reply>;
  /** The present state comes first, then every change, in batches. Rejects with a `Trouble`. */
  subscribe(receive: (pushes: Pushed[]) => void): Promise<void>;
  /** Opens a web page outside of the window. Rejects with a `Trouble`. */
  open?(url: string): Promise<void>;
  /** Saves a text as a file and says where. Rejects with a `Trouble`. */
  save(fileName: string, text: string): Promise<string>;
  /** Saves a picture (PNG, in base64) as a file and says where. Rejects with a `Trouble`. */
  savePicture(fileName: string, png: string): Promise<string>;
  /** Reports that somebody uses this console. It may be called often, and a lost call does no harm. */
  active?(): void;
  /** Has a place kept for the page that is loaded after this one. A lost call does no harm. */
  keep?(place: Place): void;
  /** What the page before this one has had kept; null if nothing, and while the console is locked. */
  kept?(): Promise<unknown>;
}

/** The reply of the kind that a command promises. Anything else is a bug on the other side. */
export async function expect<K extends Reply['reply']>(
  asked: Promise<Reply>,
  kind: K,
): Promise<Extract<Reply, { reply: K }>> {
  const reply = await asked;
  if (isKind(reply, kind)) return reply;
  throw internal(`The console answered “${reply.reply}” where “${kind}” was due.`);
}

/** Converts whatever was thrown into a `Trouble` that can be shown. */
export function toTrouble(thrown: unknown): Trouble {
  if (isTrouble(thrown)) return thrown;
  if (thrown instanceof Error) return internal(thrown.message);
  return internal(typeof thrown === 'string' ? thrown : 'The console gave no reason.');
}

export function internal(text: string): Trouble {
  return { code: 'internal', text, remedy: 'Try again. If it stays so, start Deskhand again.' };
}

function isKind<K extends Reply['reply']>(reply: Reply, kind: K): reply is Extract<Reply, { reply: K }> {
  return reply.reply === kind;
}

function isTrouble(thrown: unknown): thrown is Trouble {
  return (
    typeof thrown === 'object' &&
    thrown !== null &&
    'code' in thrown &&
    'text' in thrown &&
    'remedy' in thrown &&
    typeof thrown.text === 'string'
  );
}
