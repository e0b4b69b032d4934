import { Channel, invoke } from '@tauri-apps/api/core';
import type { Reply } from './bindings';
import { toTrouble, type ConsolePort, type Pushed } from './port';

/** Activity is reported at most once in this time, in ms: idle time is counted in minutes. */
const ACTIVE_EVERY = 20_000;
let active = -ACTIVE_EVERY;

/** A call whose failure changes nothing here. */
function quietly(command: string, given?: Record<string, unknown>): void {
  (given ? invoke(command, given) : invoke(command)).catch(() => undefined);
}

/** The real console, reached through the shell's commands. The only file that knows Tauri. */
export const tauriConsole: ConsolePort = {
  ask: async (command) => {
    try {
      return await invoke<Reply>('command', { command });
    } catch (thrown) {
      throw toTrouble(thrown);
    }
  },
  subscribe: async (receive) => {
    try {
      const channel = new Channel<Pushed[]>((pushes) => {
        receive(pushes);
        // A request that isn't taken counts as a sign that this page hangs.
        for (const push of pushes) if (push.push === 'ask') quietly('taken', { number: push.number });
      });
      await invoke('subscribe', { channel });
    } catch (thrown) {
      throw toTrouble(thrown);
    }
  },
  open: async (url) => {
    try {
      await invoke('open_link', { url });
    } catch (thrown) {
      throw toTrouble(thrown);
    }
  },
  save: async (fileName, text) => {
    try {
      return await invoke<string>('save_text', { fileName, text });
    } catch (thrown) {
      throw toTrouble(thrown);
    }
  },
  savePicture: async (fileName, png) => {
    try {
      return await invoke<string>('save_picture', { fileName, png });
    } catch (thrown) {
      throw toTrouble(thrown);
    }
  },
  active: () => {
    if (performance.now() - active < ACTIVE_EVERY) return;
    active = performance.now();
    quietly('active');
  },
  keep: (place) => quietly('keep', { place }),
  kept: () => invoke('kept'),
};
