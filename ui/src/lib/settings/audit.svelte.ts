import { Action } from '../ipc/action.svelte';
import type { AuditCheck, AuditLine } from '../ipc/bindings';
import { expect, type ConsolePort } from '../ipc/port';

/** How many newer entries are shown above one that is to be seen. */
const ABOVE = 4;

/** The audit log, newest first and page by page, and the result of checking its hash chain. */
export class AuditLog {
  readonly fetching = new Action();
  readonly checking = new Action();
  entries = $state.raw<AuditLine[]>([]);
  check = $state.raw<AuditCheck | null>(null);
  /** The entry that it was opened at; none at the newest. */
  from = $state<number | null>(null);
  /** Whether the first answer has arrived. */
  known = $state(false);
  #before: number | null = null;

  constructor(private readonly port: ConsolePort) {}

  get complete(): boolean {
    return this.known && this.#before === null;
  }

  /** From the newest, or from some entries above one that is to be seen. */
  async load(from?: number): Promise<void> {
    this.from = from ?? null;
    this.known = false;
    this.#before = from === undefined ? null : from + ABOVE;
    this.entries = [];
    await this.#page();
  }

  /** The next page, if there is one and none is on its way. */
  async more(): Promise<void> {
    if (this.known && this.#before === null) return;
    if (this.fetching.trouble === null) await this.#page();
  }

  async verify(): Promise<void> {
    this.check = null;
    const got = await this.checking.run(() => expect(this.port.ask({ do: 'verify_audit' }), 'audit_check'));
    this.check = got?.check ?? null;
  }

  async #page(): Promise<void> {
    const before = this.#before;
    const got = await this.fetching.run(() =>
      expect(this.port.ask(before === null ? { do: 'audit' } : { do: 'audit', before }), 'audit'),
    );
    if (!got) return;
    this.entries = [...this.entries, ...got.entries];
    this.#before = got.entries.length === 0 ? null : got.before;
    this.known = true;
  }
}
