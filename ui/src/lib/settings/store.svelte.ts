import type { Trouble } from '../ipc/bindings';
import { expect, toTrouble, type ConsolePort } from '../ipc/port';
import { GROUPS, labelOf, others, type Group } from './fields';
import type { Section } from '../shell/shell.svelte';

export type Settings = Record<string, unknown>;
export type State =
  | { is: 'loading' }
  | { is: 'loaded' }
  | { is: 'saving' }
  | { is: 'saved'; at: number }
  | { is: 'failed'; trouble: Trouble };

/** The console's settings and the unsaved changes. Only the changes are sent. */
export class SettingsForm {
  state = $state.raw<State>({ is: 'loading' });
  known = $state.raw<Settings | null>(null);
  typed = $state<Settings>({});

  constructor(private readonly port: ConsolePort) {}

  /** Groups that the console's settings have fields of; what no group names comes last. */
  get groups(): Group[] {
    const known = this.known;
    if (known === null) return [];
    const present = GROUPS.map((group) => ({ ...group, fields: group.fields.filter((f) => f.key in known) }));
    const rest = others(known);
    return [...present, { id: 'more', title: 'More', fields: rest }].filter(
      (group) => group.fields.length > 0,
    );
  }

  /** The groups that stand in one section. */
  within(section: Section): Group[] {
    return this.groups.filter((group) => (group.section ?? 'general') === section);
  }

  get changes(): Settings {
    const known = this.known ?? {};
    const typed = Object.entries(this.typed).map(([key, value]) => [key, withoutBlanks(value)] as const);
    return Object.fromEntries(typed.filter(([key, value]) => !same(known[key], value)));
  }

  get changed(): boolean {
    return Object.keys(this.changes).length > 0;
  }

  value(key: string): unknown {
    return key in this.typed ? this.typed[key] : this.known?.[key];
  }

  async load(): Promise<void> {
    this.state = { is: 'loading' };
    try {
      this.known = (await expect(this.port.ask({ do: 'settings' }), 'settings')).settings;
      this.state = { is: 'loaded' };
    } catch (thrown) {
      this.state = { is: 'failed', trouble: toTrouble(thrown) };
    }
  }

  async save(): Promise<void> {
    if (!this.changed) return;
    this.state = { is: 'saving' };
    try {
      const reply = await this.port.ask({ do: 'configure', changes: this.changes });
      // The console's version counts, since it may have normalised an address.
      const now =
        reply.reply === 'settings' ? reply : await expect(this.port.ask({ do: 'settings' }), 'settings');
      this.known = now.settings;
      this.typed = {};
      this.state = { is: 'saved', at: Date.now() };
    } catch (thrown) {
      this.state = { is: 'failed', trouble: toTrouble(thrown) };
    }
  }

  /** The setting that the console refused; none if it refused none. */
  get refused(): string | null {
    if (this.state.is !== 'failed' || this.state.trouble.code !== 'bad_input') return null;
    return /^set (\w+):/i.exec(this.state.trouble.text)?.[1] ?? null;
  }

  /** Why it was not saved, with the setting called what the page calls it; none if nothing was refused. */
  get trouble(): Trouble | null {
    if (this.state.is !== 'failed') return null;
    const { trouble } = this.state;
    const label = this.refused === null ? undefined : labelOf(this.refused);
    const text = label === undefined ? trouble.text : trouble.text.replace(/\w+:/, () => `“${label}”:`);
    return { ...trouble, text };
  }

  /** Whether the typed service is the hosted one, whose licence terms nobody accepted here yet. */
  get needsConsent(): boolean {
    return this.known?.['licence_consent'] !== true && isHosted(String(this.value('base_url') ?? ''));
  }

  /** Accepts the licence terms that the console has just shown, and saves. */
  async consent(): Promise<void> {
    this.typed['licence_consent'] = true;
    await this.save();
  }

  /** Forgets the settings and the unsaved changes. */
  forget(): void {
    this.typed = {};
    this.known = null;
    this.state = { is: 'loading' };
  }

  undo(): void {
    this.typed = {};
    if (this.known !== null) this.state = { is: 'loaded' };
  }
}

/** The lines of a text, without empty ones. */
function withoutBlanks(typed: unknown): unknown {
  if (!Array.isArray(typed) || !typed.every((line) => typeof line === 'string')) return typed;
  return typed.map((line) => line.trim()).filter((line) => line !== '');
}

/** Whether a field still has its value: an unset one is shown as an empty text. */
function same(known: unknown, typed: unknown): boolean {
  return JSON.stringify(known ?? '') === JSON.stringify(typed ?? '');
}

function isHosted(url: string): boolean {
  try {
    const host = new URL(url).hostname.replace(/\.$/, '');
    return host === 'loginwith.me' || host.endsWith('.loginwith.me');
  } catch {
    return false;
  }
}
