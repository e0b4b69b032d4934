import type { ProgramState } from '../src/lib/ipc/bindings';
import { program } from './make';
import type { Stage } from './stage';

const SAVED_AT = '/home/anna/Downloads/deskhand-program-Maria-Lopez.exe';
const TOTAL = 12_300_000;
const PART = 260_000;

/** The customers' programs that are being saved. */
export class FakePrograms {
  readonly #downloads = new Map<string, ReturnType<typeof setInterval>>();

  constructor(private readonly stage: Stage) {}

  /** Asks, downloads for some seconds, and is done. */
  save(id: string): void {
    let bytes = 0;
    this.end(id, { is: 'asking' });
    const timer = setInterval(() => {
      bytes = Math.min(TOTAL, bytes + PART);
      if (bytes < TOTAL) this.#tell(id, { is: 'downloading', bytes, total: TOTAL });
      else this.end(id, { is: 'saved', at: this.stage.now(), by: 'Anna Keller', bytes, path: SAVED_AT });
    }, 120);
    this.#downloads.set(id, timer);
  }

  /** Ends a download, if there is one, with what the session says of it. */
  end(id: string, state: ProgramState): void {
    clearInterval(this.#downloads.get(id));
    this.#tell(id, state);
  }

  #tell(id: string, state: ProgramState): void {
    this.stage.change(id, (d) => ({ ...d, program: program(state) }));
  }
}
