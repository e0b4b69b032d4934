import { Channel, invoke } from '@tauri-apps/api/core';
import type { Push, Reply } from './bindings';
import { toTrouble, type ConsolePort } from './port';

/** The real console, behind the shell's two doors. The only file that knows Tauri. */
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
      await invoke('subscribe', { channel: new Channel<Push[]>(receive) });
    } catch (thrown) {
      throw toTrouble(thrown);
    }
  },
};
