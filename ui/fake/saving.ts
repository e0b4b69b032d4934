import type { Reply } from '../src/lib/ipc/bindings';
import { unconfirmed, WEAK_PASSPHRASE, WRONG_PASSPHRASE } from './refusals';

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

/** What is in the downloads. */
export const BACKUPS: Reply = {
  reply: 'backups',
  folder: '/home/anna/Downloads',
  backups: [
    { name: 'deskhand-2026-11-29.backup', at: Date.UTC(2026, 10, 29, 17), bytes: 7_340_032 },
    { name: 'deskhand-2026-11-01.backup', at: Date.UTC(2026, 10, 1, 17), bytes: 6_291_456 },
  ],
};

/** Restores a backup, as the console does, if its passphrase is the one that these backups have. */
export function restore(passphrase: string, replace: boolean): Reply {
  if (!replace) throw unconfirmed('Restore the backup');
  if (passphrase !== 'correct horse battery') throw WRONG_PASSPHRASE;
  return { reply: 'restored', made_at: Date.UTC(2026, 10, 29, 17) };
}
