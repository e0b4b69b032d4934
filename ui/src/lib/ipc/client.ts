import { Channel, invoke } from '@tauri-apps/api/core';
import type { Reply } from './bindings';
import { toTrouble, type ConsolePort, type Pushed } from './port';

/** Activity is reported at most once in this time, in ms: idle time is counted in minutes. */
const ACTIVE_EVERY = 20_000;
let active = -ACTIVE_EVERY;

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
      await invoke('subscribe', { channel: new Channel<Pushed[]>(receive) });
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
    invoke('active').catch(() => undefined);
  },
};
