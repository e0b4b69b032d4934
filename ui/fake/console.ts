import type {
  AccessView,
  Command,
  ConsoleView,
  OutboxMail,
  Reply,
  SessionDetail,
  Trouble,
} from '../src/lib/ipc/bindings';
import type { ConsolePort, Pushed } from '../src/lib/ipc/port';
import type { Place } from '../src/lib/shell/place';
import { allocate, begun, runRace } from './allocating';
import { newest, page } from './chat';
import { FakeIdentity } from './identity';
import { acknowledged, answered, chat, hook, HOOKS, ordered, repeated } from './make';
import { FakePrograms } from './programs';
import { BAD_URL, CANCELLED, LOCKED, notFound, TERMS, unconfirmed, UNREACHABLE } from './refusals';
import { QUITTING } from './quitting';
import { SCENARIOS, type Scenario } from './scenarios';
import { backups, download, exported, keep, PICTURE } from './saving';
import { archived, search } from './search';
import { SETTINGS } from './settings';
import type { Stage } from './stage';

/** The console in memory: for tests and for a plain browser. Answers at once; keeps what it was asked. */
export class FakeConsole implements ConsolePort, Stage {
  readonly asked: Command[] = [];
  /** How often the window reported that somebody uses it. */
  activeTold = 0;
  /** What the window has had kept, or what the one before it has. */
  place: unknown = null;
  readonly details = new Map<string, SessionDetail>();
  readonly #refusals = new Map<Command['do'], Trouble>();
  readonly #scenario: Scenario;
  /** The pages that it was asked to open outside of the window. */
  readonly opened: string[] = [];
  /** The pictures that were saved to files. */
  readonly pictures: string[] = [];
  readonly identity: FakeIdentity;
  #receive: ((pushes: Pushed[]) => void) | null = null;
  readonly #programs = new FakePrograms(this);
  #revision = 100;
  #made = 0;
  #settings: Record<string, unknown> = { ...SETTINGS };

  constructor(
    scenario = 'rich',
    readonly now: () => number = Date.now,
  ) {
    this.#scenario = (SCENARIOS[scenario] ?? SCENARIOS['rich'] ?? never)(now());
    for (const known of this.#scenario.details) this.details.set(known.row.id, known);
    this.identity = new FakeIdentity(this.#scenario.identity ?? {}, {
      now,
      access: () => this.#scenario.console.access,
      setAccess: (access) => this.#setAccess(access),
      change: (id, change) => this.change(id, change),
    });
  }

  subscribe(receive: (pushes: Pushed[]) => void): Promise<void> {
    if (this.#scenario.unreachable) return Promise.reject(UNREACHABLE);
    this.#receive = receive;
    this.push({ push: 'console', ...this.#scenario.console });
    if (!this.#locked) this.#pushRows();
    if (this.#scenario.busy) setInterval(() => this.#stir(), 250);
    return Promise.resolve();
  }

  ask(command: Command): Promise<Reply> {
    this.asked.push(command);
    const refusal = this.#refusals.get(command.do);
    if (refusal) return Promise.reject(refusal);
    if (this.#locked && !WHILE_LOCKED.has(command.do)) return Promise.reject(LOCKED);
    try {
      return Promise.resolve(this.#answer(command));
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  open(url: string): Promise<void> {
    this.opened.push(url);
    return Promise.resolve();
  }

  /** Answers with the file's name alone: a plain browser doesn't tell its folder. */
  savePicture(fileName: string, png: string): Promise<string> {
    return keep(this.pictures, fileName, png);
  }

  /** A plain browser saves by its own download. */
  save(fileName: string, text: string): Promise<string> {
    return download(fileName, text);
  }

  active(): void {
    this.activeTold += 1;
  }

  keep(place: Place): void {
    this.place = structuredClone(place);
  }

  kept(): Promise<unknown> {
    return Promise.resolve(this.#locked ? null : this.place);
  }

  /** Tells the window something, as the console would. */
  push(...pushes: Pushed[]): void {
    this.#receive?.(pushes);
  }

  /** Makes each command of a kind fail from now on. */
  refuse(kind: Command['do'], trouble: Trouble): void {
    this.#refusals.set(kind, trouble);
  }

  allow(kind: Command['do']): void {
    this.#refusals.delete(kind);
  }

  /** Changes a session and tells the window. */
  change(id: string, change: (known: SessionDetail) => SessionDetail): void {
    const known = this.details.get(id);
    if (known === undefined) throw notFound(id);
    const next = change(structuredClone(known));
    next.row.revision = ++this.#revision;
    this.details.set(id, next);
    if (!this.#locked) this.push({ push: 'row', ...next.row }, { push: 'detail', ...newest(next) });
  }

  get #locked(): boolean {
    return this.#scenario.console.access.is === 'locked';
  }

  #pushRows(): void {
    for (const known of this.details.values()) this.push({ push: 'row', ...known.row });
  }

  #setConsole(changed: Partial<ConsoleView>): Reply {
    this.#scenario.console = { ...this.#scenario.console, ...changed, revision: ++this.#revision };
    this.push({ push: 'console', ...this.#scenario.console });
    return DONE;
  }

  /** As the console does it: a lock takes the sessions from the window, and unlocking brings them back. */
  #setAccess(access: AccessView): void {
    const was = this.#locked;
    this.#setConsole({ access });
    if (this.#locked && !was) for (const id of this.details.keys()) this.push({ push: 'gone', id });
    else if (was && !this.#locked) this.#pushRows();
  }

  #answer(command: Command): Reply {
    switch (command.do) {
      case 'say':
        return this.#said(command.session, command.text);
      case 'quitting':
        return { reply: 'quitting', quitting: QUITTING };
      case 'new_session':
        return this.#start(command.about.customer);
      case 'again':
        return this.#start(this.#known(command.session).customer || this.#known(command.session).row.name);
      case 'describe':
        this.change(command.session, (d) => ({
          ...d,
          ...command.about,
          row: { ...d.row, name: command.about.customer || d.row.name },
        }));
        return DONE;
      case 'retry':
        allocate(command.session, this);
        return DONE;
      case 'recheck':
        this.change(command.session, (d) => ({
          ...d,
          hooks: HOOKS.map((h) => hook(h, 'armed', { checked_at: this.now() })),
        }));
        return DONE;
      case 'read':
        this.change(command.session, (d) => ({ ...d, row: { ...d.row, unread: 0 } }));
        return DONE;
      case 'mail':
        this.change(command.session, (d) => ({
          ...d,
          mails: [...d.mails, ordered(command, d.mails.length + 1)],
        }));
        return DONE;
      case 'repeat_mail':
        this.change(command.session, (d) => ({ ...d, mails: repeated(d.mails, command.mail) }));
        return DONE;
      case 'withdraw_mail':
        this.change(command.session, (d) => ({ ...d, mails: d.mails.filter((m) => m.id !== command.mail) }));
        return DONE;
      case 'viewer_link':
        return { reply: 'link', url: 'http://127.0.0.1:47210/view#ticket=fake', by_role: true };
      case 'open_viewer':
        this.change(command.session, (d) => ({ ...d, windows: d.windows + 1 }));
        return DONE;
      case 'answer_viewer':
        this.change(command.session, (d) => answered(d, command.viewer));
        return DONE;
      case 'save_program':
        if (!command.confirmed) throw unconfirmed('Save the customer’s program');
        this.#programs.save(command.session);
        return DONE;
      case 'cancel_program':
        this.#programs.end(command.session, { is: 'kept', trouble: CANCELLED });
        return DONE;
      case 'close':
        this.change(command.session, (d) => ({
          ...d,
          note: [d.note, command.note].filter(Boolean).join('\n'),
          row: {
            ...d.row,
            live: false,
            timer_since: null,
            state: { kind: 'closed', label: 'Closed', detail: command.outcome, since: this.now() },
          },
        }));
        return DONE;
      case 'note':
        this.change(command.session, (d) => ({ ...d, note: command.text }));
        return DONE;
      case 'tags':
        this.change(command.session, (d) => ({ ...d, tags: command.tags }));
        return DONE;
      case 'detail':
        return { reply: 'detail', detail: newest(this.#known(command.session)) };
      case 'chat':
        return { reply: 'chat', ...page(this.#known(command.session).chat, command.before) };
      case 'search':
        return search(this.#scenario, command.query, command.cursor);
      case 'export':
        return exported(command.format, this.#known(command.session).chat);
      case 'export_sessions':
        return { reply: 'text', file_name: 'sessions.csv', text: 'session,customer\r\n' };
      case 'picture':
        return { reply: 'picture', file_name: 'session-picture-1.png', png: PICTURE };
      case 'probe_regions':
        runRace(this);
        return DONE;
      case 'settings':
        return { reply: 'settings', settings: this.#settings };
      case 'configure':
        if (String(command.changes['base_url'] || 'http').startsWith('http') === false) throw BAD_URL;
        if (
          String(command.changes['base_url'] ?? '').includes('loginwith.me') &&
          command.changes['licence_consent'] !== true
        )
          throw TERMS;
        this.#settings = { ...this.#settings, ...command.changes };
        return { reply: 'settings', settings: this.#settings };
      case 'test_reach':
        return { reply: 'reach', reach: 'reachable', text: 'The service reached 127.0.0.1:47213 in 3 ms.' };
      case 'outbox':
        return { reply: 'outbox', mails: this.#outbox() };
      case 'backup':
      case 'backups':
      case 'restore':
        return backups(command);
      case 'delete_session':
        if (!command.confirmed) throw unconfirmed('Delete the session');
        this.details.delete(command.session);
        this.push({ push: 'gone', id: command.session });
        return DONE;
      case 'acknowledge_troubles':
        return this.#setConsole(acknowledged(this.#scenario.console, command.troubles));
      case 'show':
      case 'report_abuse':
      case 'quit':
        return DONE;
      default:
        return this.identity.answer(command);
    }
  }

  #said(id: string, text: string): Reply {
    const from = this.#scenario.console.technician;
    this.change(id, (d) => ({ ...d, chat: [...d.chat, ...chat([[from, this.now(), text]])] }));
    return DONE;
  }

  #known(id: string): SessionDetail {
    const known = this.details.get(id);
    if (known) return known;
    const hit = this.#scenario.archive.find((h) => h.session === id);
    if (!hit) throw notFound(id);
    return archived(hit);
  }

  #start(customer: string): Reply {
    const id = `new${++this.#made}`;
    const made = begun(id, customer, this.now());
    this.details.set(id, made);
    this.push({ push: 'row', ...made.row });
    allocate(id, this);
    return { reply: 'session', id };
  }

  #outbox(): OutboxMail[] {
    return [...this.details.values()].flatMap((known) =>
      known.mails
        .filter((mail) => !mail.waiting)
        .map((mail) => ({
          at: this.now(),
          to: mail.to,
          subject: 'Anna Keller is waiting for you',
          body: 'Open the link to let Anna Keller help you.',
          state: mail.state,
          reason: mail.state === 'refused' ? '550 5.1.1 There is no such user' : null,
        })),
    );
  }

  #stir(): void {
    const ids = [...this.details.keys()];
    const id = ids[Math.floor(Math.random() * ids.length)];
    if (id)
      this.change(id, (d) => ({ ...d, row: { ...d.row, active_at: this.now(), unread: d.row.unread + 1 } }));
  }
}

const WHILE_LOCKED = new Set<Command['do']>([
  'sign_in',
  'ceremony_link',
  'cancel_ceremony',
  'lock',
  'quitting',
  'quit',
]);
const DONE: Reply = { reply: 'done' };
const never = (): never => {
  throw new Error('no scenes');
};
