import type { Trouble } from '../ipc/bindings';
import { toTrouble, type ConsolePort } from '../ipc/port';

/** How long somebody has to pause before what was typed is saved, in milliseconds. */
export const PAUSE = 600;

export type Saved =
  | { is: 'as_known' }
  | { is: 'typing' }
  | { is: 'saving' }
  | { is: 'saved'; at: number }
  | { is: 'failed'; trouble: Trouble };

/**
 * One session's note: saved when typing pauses; what was typed is never overwritten by what arrives. What isn't saved
 * yet outlives it in `unsaved`, and the next one for the session saves it.
 */
export class Note {
  state = $state.raw<Saved>({ is: 'as_known' });
  #typed = $state<string | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly port: ConsolePort,
    private readonly session: string,
    private readonly known: () => string,
    private readonly unsaved: Map<string, string>,
  ) {
    this.#typed = unsaved.get(session) ?? null;
  }

  get text(): string {
    return this.#typed ?? this.known();
  }

  set text(text: string) {
    this.#typed = text;
    this.unsaved.set(this.session, text);
    this.state = { is: 'typing' };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.save(), PAUSE);
  }

  /** Saves now what isn't saved yet. */
  async save(): Promise<void> {
    clearTimeout(this.#timer);
    const text = this.#typed;
    if (text === null) return;
    this.state = { is: 'saving' };
    try {
      await this.port.ask({ do: 'note', session: this.session, text });
      // Typed on while it was being saved: that text is still to come.
      if (this.#typed !== text) return;
      if (this.unsaved.get(this.session) === text) this.unsaved.delete(this.session);
      this.state = { is: 'saved', at: Date.now() };
    } catch (thrown) {
      this.state = { is: 'failed', trouble: toTrouble(thrown) };
    }
  }
}
