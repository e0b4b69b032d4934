import type { ChatLine, Command, Format, Reply } from '../src/lib/ipc/bindings';
import { unconfirmed, WEAK_PASSPHRASE, WRONG_PASSPHRASE } from './refusals';

const MADE_AT = Date.UTC(2026, 10, 29, 17);

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

/** A session's chat as a file. */
export function exported(format: Format, chat: ChatLine[]): Reply {
  const text = chat.map((line) => `${line.from}: ${line.text}`).join('\n');
  return { reply: 'text', file_name: `session.${format === 'text' ? 'txt' : format}`, text };
}

type BackupCommand = Extract<Command, { do: 'backup' | 'backups' | 'restore' }>;

/** Writes, lists and restores backups, as the console does. Those that are there have one passphrase. */
export function backups(command: BackupCommand): Reply {
  switch (command.do) {
    case 'backup':
      if (command.passphrase.trim().length < 12) throw WEAK_PASSPHRASE;
      return { reply: 'backup', path: '/home/anna/Downloads/deskhand-2026-11-29.backup', bytes: 7_340_032 };
    case 'backups':
      return {
        reply: 'backups',
        folder: '/home/anna/Downloads',
        backups: [
          { name: 'deskhand-2026-11-29.backup', at: MADE_AT, bytes: 7_340_032 },
          { name: 'deskhand-2026-11-01.backup', at: Date.UTC(2026, 10, 1, 17), bytes: 6_291_456 },
        ],
      };
    case 'restore':
      if (!command.replace) throw unconfirmed('Restore the backup');
      if (command.passphrase !== 'correct horse battery') throw WRONG_PASSPHRASE;
      return { reply: 'restored', made_at: MADE_AT };
  }
}
