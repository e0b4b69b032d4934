import type { Reply } from '../src/lib/ipc/bindings';
import { WEAK_PASSPHRASE } from './refusals';

/** A PNG of one pixel. */
export const PICTURE =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** Saves a text as a download of a plain browser. */
export function download(fileName: string, text: string): Promise<string> {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  // The download reads it after the click has returned.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  return Promise.resolve(fileName);
}

/** Keeps a file in memory, for tests to look at. */
export function keep(files: string[], fileName: string, bytes: string): Promise<string> {
  files.push(bytes);
  return Promise.resolve(fileName);
}

/** Writes a backup, as the console does, unless its passphrase is too easy to guess. */
export function backUp(passphrase: string): Reply {
  if (passphrase.trim().length < 12) throw WEAK_PASSPHRASE;
  return { reply: 'backup', path: '/home/anna/Downloads/deskhand-2026-11-29.backup', bytes: 7_340_032 };
}
