import type { Trouble } from './bindings';
import { toTrouble } from './port';

/** Something that a person started: whether it runs, and why it failed if it did. Runs once at a time. */
export class Action {
  busy = $state(false);
  trouble = $state.raw<Trouble | null>(null);

  /** The work's value, or nothing if it failed or is under way already. Never throws. */
  async run<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.busy) return undefined;
    this.busy = true;
    this.trouble = null;
    try {
      return await work();
    } catch (thrown) {
      this.trouble = toTrouble(thrown);
      return undefined;
    } finally {
      this.busy = false;
    }
  }

  clear(): void {
    this.trouble = null;
  }
}
