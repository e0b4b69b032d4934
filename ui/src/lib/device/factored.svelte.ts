import { Action } from '../ipc/action.svelte';
import type { CodeAsked, Reply, SecondFactor } from '../ipc/bindings';

type Work = (factor?: SecondFactor) => Promise<Reply>;

/** Something that the workspace may want a second factor for: it is asked for in place, and the work done again. */
export class Factored {
  readonly action = new Action();
  asked = $state.raw<CodeAsked | null>(null);
  #kept: { work: Work; then: (reply: Reply) => void } | null = null;

  /** Does it; `then` is told of the answer, once there is one that is no question. */
  async run(work: Work, then: (reply: Reply) => void): Promise<void> {
    this.asked = null;
    this.#kept = { work, then };
    await this.#do();
  }

  /** Does it again with a code. A wrong one is asked for again. */
  async answer(factor: SecondFactor): Promise<void> {
    await this.#do(factor);
  }

  cancel(): void {
    this.asked = null;
    this.#kept = null;
    this.action.clear();
  }

  async #do(factor?: SecondFactor): Promise<void> {
    const kept = this.#kept;
    if (kept === null) return;
    const reply = await this.action.run(() => kept.work(factor));
    // Meanwhile it was cancelled, or something else was asked.
    if (reply === undefined || this.#kept !== kept) return;
    if (reply.reply === 'code_asked') {
      this.asked = reply.asked;
      return;
    }
    this.asked = null;
    this.#kept = null;
    kept.then(reply);
  }
}
