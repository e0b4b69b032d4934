import type { Hit, Trouble } from '../ipc/bindings';
import { expect, toTrouble, type ConsolePort } from '../ipc/port';

/** How long typing has to pause before the archive is asked, in milliseconds. */
export const PAUSE = 120;

export type Found =
  { is: 'idle' } | { is: 'searching' } | { is: 'found' } | { is: 'failed'; trouble: Trouble };

/** Search as one types over everything, page by page. Only the answer to the newest request counts. */
export class Archive {
  state = $state.raw<Found>({ is: 'idle' });
  hits = $state.raw<Hit[]>([]);
  cursor = $state.raw<string | null>(null);
  loadingMore = $state(false);
  /** How much of the archive the last search knew, in percent; null if all. */
  indexed = $state<number | null>(null);
  #asked = 0;
  #query = '';
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly port: ConsolePort) {}

  /** What was typed; asked for after a pause. */
  type(query: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.search(query), PAUSE);
  }

  /** Asks now, from the newest. What is shown stays until the answer is there. */
  async search(query: string): Promise<void> {
    clearTimeout(this.#timer);
    this.#query = query;
    const nth = ++this.#asked;
    this.state = { is: 'searching' };
    try {
      const page = await expect(this.port.ask({ do: 'search', query, cursor: null }), 'found');
      if (nth !== this.#asked) return;
      this.hits = page.hits;
      this.cursor = page.cursor;
      this.indexed = page.indexed;
      this.state = { is: 'found' };
    } catch (thrown) {
      if (nth === this.#asked) this.state = { is: 'failed', trouble: toTrouble(thrown) };
    }
  }

  /** The next page, if there is one and none is on its way. */
  async more(): Promise<void> {
    if (this.cursor === null || this.loadingMore) return;
    const nth = this.#asked;
    this.loadingMore = true;
    try {
      const page = await expect(
        this.port.ask({ do: 'search', query: this.#query, cursor: this.cursor }),
        'found',
      );
      if (nth !== this.#asked) return;
      this.hits = [...this.hits, ...page.hits];
      this.cursor = page.cursor;
    } catch (thrown) {
      if (nth === this.#asked) this.state = { is: 'failed', trouble: toTrouble(thrown) };
    } finally {
      this.loadingMore = false;
    }
  }

  /** Leaves out a session that was deleted. */
  without(session: string): void {
    this.hits = this.hits.filter((hit) => hit.session !== session);
  }

  /** Forgets what was found. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#asked += 1;
    this.#query = '';
    this.hits = [];
    this.cursor = null;
    this.indexed = null;
    this.state = { is: 'idle' };
  }

  again(): Promise<void> {
    return this.search(this.#query);
  }
}
