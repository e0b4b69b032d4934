import { Action } from '../ipc/action.svelte';
import type { CodeAsked, Reply, SecondFactor } from '../ipc/bindings';

type Work = (factor?: SecondFactor) => Promise<Reply>;

/** A call for which the workspace may want a second factor: the code is asked for in place, and the call made again. */
export class CodeGuarded {
  readonly action = new Action();
  asked = $state.raw<CodeAsked | null>(null);
  #pending: { work: Work; then: (reply: Reply) => void } | null = null;

  /** Makes the call; `then` gets the reply, once there is one that asks for no code. */
  async run(work: Work, then: (reply: Reply) => void): Promise<void> {
    this.asked = null;
    this.#pending = { work, then };
    await this.#do();
  }

  /** Makes the call again with a code. After a wrong one the code is asked for again. */
  async answer(factor: SecondFactor): Promise<void> {
    await this.#do(factor);
  }

  cancel(): void {
    this.asked = null;
    this.#pending = null;
    this.action.clear();
  }

  async #do(factor?: SecondFactor): Promise<void> {
    const pending = this.#pending;
    if (pending === null) return;
    const reply = await this.action.run(() => pending.work(factor));
    // Meanwhile it was cancelled, or another call was begun.
    if (reply === undefined || this.#pending !== pending) return;
    if (reply.reply === 'code_asked') {
      this.asked = reply.asked;
      return;
    }
    this.asked = null;
    this.#pending = null;
    pending.then(reply);
  }
}
