import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import type {
  About,
  ConsoleView,
  EventView,
  RegionsView,
  SessionDetail,
  SessionRow,
  Trouble,
} from '../ipc/bindings';
import { isLocked } from '../identity/access';
import { expect, toTrouble, type ShellRequest, type ConsolePort, type Pushed } from '../ipc/port';
import { isActive, isWaiting } from './state';
import { continued } from './thread';

export type Filter = 'live' | 'waiting' | 'active' | 'archive';

export type Link = { is: 'connecting' } | { is: 'open' } | { is: 'failed'; trouble: Trouble };

/**
 * The state that the console has pushed. Nothing here is guessed: a row, a detail or the console's own
 * state is replaced only by one with a revision that isn't lower.
 */
export class Sessions {
  link = $state.raw<Link>({ is: 'connecting' });
  console = $state.raw<ConsoleView | null>(null);
  race = $state.raw<RegionsView | null>(null);
  /** The text for screen readers: important changes, and changes of the selected session. */
  last = $state.raw<EventView | null>(null);
  filter = $state<Filter>('live');
  selected = $state<string | null>(null);
  /** The session whose customer, ticket and contact are still being asked for. */
  asking = $state<string | null>(null);
  /** Why the session on screen can't be shown; none while it can. */
  missing = $state.raw<Trouble | null>(null);

  /** Chat messages that aren't sent yet, by session. */
  readonly drafts = new SvelteMap<string, string>();
  /** Notes that aren't saved yet, by session. */
  readonly notes = new SvelteMap<string, string>();

  readonly #rows = new SvelteMap<string, SessionRow>();
  readonly #details = new SvelteMap<string, SessionDetail>();
  readonly #gone = new SvelteSet<string>();
  /** What was on the screen before it was locked. */
  #before: string | null = null;
  readonly #sorted = $derived(
    [...this.#rows.values()].sort((a, b) => b.active_at - a.active_at || b.id.localeCompare(a.id)),
  );
  readonly live: SessionRow[] = $derived(this.#sorted.filter((row) => row.live));
  readonly #waiting = $derived(this.live.filter((row) => isWaiting(row.state.kind)));
  readonly #active = $derived(this.live.filter((row) => isActive(row.state.kind)));

  /** The shell's requests to the window, each handled once. */
  asked: (ask: ShellRequest) => void = () => undefined;

  constructor(readonly port: ConsolePort) {}

  /** Subscribes; the present state comes as pushes. */
  async open(): Promise<void> {
    this.link = { is: 'connecting' };
    try {
      await this.port.subscribe((pushes) => this.apply(pushes));
      this.link = { is: 'open' };
    } catch (thrown) {
      this.link = { is: 'failed', trouble: toTrouble(thrown) };
    }
  }

  /** Takes one batch. */
  apply(pushes: Pushed[]): void {
    for (const push of pushes) this.#take(push);
  }

  /** Nobody may see anything here until somebody signs in. */
  get locked(): boolean {
    return isLocked(this.console?.access);
  }

  /** The rows that the filter lets through, newest activity first. */
  get shown(): SessionRow[] {
    switch (this.filter) {
      case 'live':
        return this.live;
      case 'waiting':
        return this.#waiting;
      case 'active':
        return this.#active;
      case 'archive':
        return [];
    }
  }

  /** The rows that keys go through: those shown, or the live ones while the archive is. */
  get within(): SessionRow[] {
    return this.filter === 'archive' ? this.live : this.shown;
  }

  get counts(): Record<'live' | 'waiting' | 'active', number> {
    return { live: this.live.length, waiting: this.#waiting.length, active: this.#active.length };
  }

  row(id: string): SessionRow | undefined {
    return this.#rows.get(id);
  }

  get detail(): SessionDetail | null {
    return this.selected === null ? null : (this.#details.get(this.selected) ?? null);
  }

  /** Brings a session to the screen and says so to the console. */
  async select(id: string | null): Promise<void> {
    if (this.selected === id && this.missing === null) return;
    this.selected = id;
    this.missing = null;
    if (id === null) {
      await this.port.ask({ do: 'show', session: null }).catch(() => undefined);
      return;
    }
    this.#forgetStale(id);
    try {
      const [found] = await Promise.all([
        expect(this.port.ask({ do: 'detail', session: id }), 'detail'),
        this.port.ask({ do: 'show', session: id }).catch(() => undefined),
      ]);
      this.#takeDetail(found.detail);
    } catch (thrown) {
      if (this.selected === id && !this.#details.has(id)) this.missing = toTrouble(thrown);
    }
  }

  /** Asks again for what could not be shown. */
  async reload(): Promise<void> {
    const id = this.selected;
    this.selected = null;
    await this.select(id);
  }

  /** Moves through the rows shown, by `step`, around the ends. */
  async move(step: number): Promise<void> {
    const rows = this.within;
    if (rows.length === 0) return;
    const at = rows.findIndex((row) => row.id === this.selected);
    const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : (at + step + rows.length) % rows.length;
    await this.select(rows[next]?.id ?? null);
  }

  /** Creates a session at once; the form asks afterwards whom it is for. */
  async start(region: string | null = null): Promise<void> {
    const about: About = { customer: '', ticket: '', contact: '' };
    const made = await expect(this.port.ask({ do: 'new_session', about, region }), 'session');
    this.filter = 'live';
    this.asking = made.id;
    await this.select(made.id);
  }

  /** A new session with an earlier one's customer, ticket and contact. */
  async again(id: string): Promise<void> {
    const made = await expect(this.port.ask({ do: 'again', session: id }), 'session');
    this.filter = 'live';
    await this.select(made.id);
  }

  #take(push: Pushed): void {
    switch (push.push) {
      case 'console':
        if (push.revision >= (this.console?.revision ?? 0)) this.#takeConsole(push);
        return;
      case 'row':
        this.#takeRow(push);
        return;
      case 'gone':
        // A session that the lock hid comes back.
        if (!this.locked) this.#gone.add(push.id);
        this.#rows.delete(push.id);
        this.#details.delete(push.id);
        if (this.selected !== push.id) return;
        this.#before = push.id;
        this.selected = null;
        return;
      case 'detail':
        this.#takeDetail(push);
        return;
      case 'regions':
        if (push.at >= (this.race?.at ?? 0)) this.race = push;
        return;
      case 'ask':
        this.asked(push);
        return;
      case 'happening':
        if (push.notify || push.session === this.selected) this.last = push;
        return;
    }
  }

  #takeConsole(view: ConsoleView): void {
    const was = this.locked;
    this.console = view;
    if (this.locked && !was) this.#forget();
    if (was && !this.locked) void this.#comeBack();
  }

  /** A locked window knows nothing of sessions: there is nothing in it to look at. */
  #forget(): void {
    this.#before = this.selected ?? this.#before;
    this.selected = this.missing = this.asking = this.race = this.last = null;
    this.#rows.clear();
    this.#details.clear();
    this.#gone.clear();
    this.drafts.clear();
    this.notes.clear();
  }

  /** What was typed and isn't sent or saved yet. */
  unsent(): { drafts: Record<string, string>; notes: Record<string, string> } {
    return { drafts: Object.fromEntries(this.drafts), notes: Object.fromEntries(this.notes) };
  }

  /** Takes up again what an earlier page had not sent or saved. */
  resume(drafts: Record<string, string> = {}, notes: Record<string, string> = {}): void {
    for (const [session, text] of Object.entries(drafts)) this.drafts.set(session, text);
    for (const [session, text] of Object.entries(notes)) this.notes.set(session, text);
  }

  /** Returns to the session that was selected, if it is still there. */
  async #comeBack(): Promise<void> {
    const id = this.#before;
    this.#before = null;
    if (id === null || this.selected !== null) return;
    await this.select(id);
    if (this.missing !== null) await this.select(null);
  }

  #takeRow(row: SessionRow): void {
    if (this.#gone.has(row.id)) return;
    const known = this.#rows.get(row.id);
    if (known === undefined || row.revision >= known.revision) this.#rows.set(row.id, row);
  }

  #takeDetail(detail: SessionDetail): void {
    const { id, revision } = detail.row;
    const known = this.#details.get(id);
    if (known !== undefined && revision < known.row.revision) return;
    // Only what is on screen is kept: a detail carries a PIN and goes stale unseen.
    for (const other of this.#details.keys()) if (other !== this.selected) this.#details.delete(other);
    if (id !== this.selected) return;
    const chat = continued(known?.chat ?? [], detail);
    this.#details.set(id, { ...detail, chat: chat ?? detail.chat });
    this.missing = null;
    // It continues a chat that isn't here, which can be if answers and pushes overtake each other.
    if (chat === null) void this.#showAgain(id);
  }

  async #showAgain(id: string): Promise<void> {
    const asked = expect(this.port.ask({ do: 'detail', session: id }), 'detail');
    await asked.then((found) => this.#takeDetail(found.detail)).catch(() => undefined);
  }

  /** Fetches the page of chat before the oldest message here. Rejects with a `Trouble`. */
  async earlier(id: string): Promise<void> {
    const before = this.#details.get(id)?.chat[0]?.guid ?? null;
    const page = await expect(this.port.ask({ do: 'chat', session: id, before }), 'chat');
    const detail = this.#details.get(id);
    if (detail?.chat[0]?.guid !== before) return;
    this.#details.set(id, { ...detail, chat: [...page.chat, ...detail.chat] });
  }

  #forgetStale(id: string): void {
    for (const other of this.#details.keys()) if (other !== id) this.#details.delete(other);
  }
}
