import { IDENTITY_GROUPS } from './identityFields';
import type { MailRule, SettingField } from '../ipc/bindings';
import { DEFAULTS, FIELDS } from '../ipc/settings';
import type { Section } from '../shell/shell.svelte';

export type Field = SettingField;
export type { MailRule };

/** Settings that stand together. Which these are, and what is said of each, the console declares. */
export interface Group {
  id: string;
  /** Where of the settings it stands; with the general ones if it doesn't say. */
  section?: Section;
  title: string;
  text?: string;
  fields: Field[];
}

export const GROUPS: Group[] = [
  { id: 'you', title: 'You', fields: FIELDS.you },
  {
    id: 'service',
    title: 'Service',
    text: 'Without a base URL, the broker that comes along is used. It can change only while no session is live.',
    fields: FIELDS.service,
  },
  {
    id: 'lan',
    title: 'Customers on this network',
    text: 'For the broker that comes along. Invitations then have an address that others can reach.',
    fields: FIELDS.lan,
  },
  {
    id: 'listener',
    title: 'Listener',
    text: 'Where the service tells this console what happens.',
    fields: FIELDS.listener,
  },
  { id: 'timing', title: 'Regions and hooks', fields: FIELDS.timing },
  {
    id: 'mail',
    title: 'E-mail rules',
    text: 'Ordered for every new session. A rule sends at most one e-mail for each event.',
    fields: FIELDS.mail,
  },
  {
    id: 'records',
    title: 'Records',
    text: 'How long sessions are kept once they are over, and how they are exported.',
    fields: FIELDS.records,
  },
  ...IDENTITY_GROUPS,
];

/** The section of a setting. */
export const sectionOf = (key: string): Section =>
  GROUPS.find((group) => group.fields.some((field) => field.key === key))?.section ?? 'general';

/** What the page calls a setting; none if it has no field, or calls others so, too. */
export function labelOf(key: string): string | undefined {
  const fields = GROUPS.flatMap((group) => group.fields);
  const label = fields.find((field) => field.key === key)?.label;
  return fields.filter((field) => field.label === label).length === 1 ? label : undefined;
}

export function isMailRules(value: unknown): value is MailRule[] {
  return (
    Array.isArray(value) && value.every((rule) => typeof rule === 'object' && rule !== null && 'to' in rule)
  );
}

/** The settings that this page doesn't know: shown as text, so that nothing is out of reach. */
export function others(settings: Record<string, unknown>): Field[] {
  return Object.entries(settings)
    .filter(([key]) => !(key in DEFAULTS))
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    .map(([key, value]) => {
      const label = sentence(key);
      if (typeof value === 'boolean') return { key, label, kind: 'switch' };
      if (typeof value === 'number')
        return { key, label, kind: 'number', unit: '', min: 0, max: Number.MAX_SAFE_INTEGER };
      return { key, label, kind: 'text' };
    });
}

function sentence(key: string): string {
  const words = key.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
