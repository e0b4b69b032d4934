import type { DeviceView } from '../ipc/bindings';
import type { ConsolePort } from '../ipc/port';
import { CodeGuarded } from './codeGuarded.svelte';

/** How long typing has to pause before the workspace is asked, in milliseconds: it counts how often it is. */
export const PAUSE = 300;

/** The workspace's login sessions to pick from, page by page. Only the answer to the newest request counts. */
export class Devices {
  readonly asking = new CodeGuarded();
  rows = $state.raw<DeviceView[]>([]);
  /** How many there are in all; none before the first answer. */
  total = $state<number | null>(null);
  #filter = '';
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly port: ConsolePort) {}

  type(filter: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(filter), PAUSE);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.asking.cancel();
  }

  /** Asks now, from the first. */
  async load(filter = this.#filter): Promise<void> {
    clearTimeout(this.#timer);
    this.#filter = filter;
    await this.#page(0);
    // It was typed on while an answer was on its way.
    if (this.#filter !== filter) await this.load();
  }

  /** The next page, if there is one and nothing is on its way. */
  async more(): Promise<void> {
    const { action, asked } = this.asking;
    if (this.total === null || this.rows.length >= this.total) return;
    if (action.busy || action.trouble || asked) return;
    await this.#page(this.rows.length);
  }

  /** Asks once more for the page that could not be fetched. */
  async again(): Promise<void> {
    await this.#page(this.rows.length);
  }

  async #page(offset: number): Promise<void> {
    const filter = this.#filter;
    await this.asking.run(
      (factor) => this.port.ask({ do: 'devices', filter: filter.trim(), offset, ...(factor && { factor }) }),
      (reply) => {
        if (reply.reply !== 'devices' || filter !== this.#filter) return;
        this.rows = reply.offset === 0 ? reply.devices : [...this.rows, ...reply.devices];
        // A list that ends early ends: nothing is asked for again and again.
        this.total = reply.devices.length === 0 ? this.rows.length : reply.total;
      },
    );
  }
}
