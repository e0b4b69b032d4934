import type { Page, Section, Tab } from './shell.svelte';

/** Where the window is, and what was typed in it and isn't sent yet. The shell keeps it, in memory, for the page after this one. */
export interface Place {
  page: Page;
  section: Section;
  tab: Tab;
  selected: string | null;
  /** The session whose chat is on screen. */
  reads: string | null;
  /** Chat messages that aren't sent yet, by session. */
  drafts: Record<string, string>;
  /** Notes that aren't saved yet, by session. */
  notes: Record<string, string>;
}

const PAGES: readonly unknown[] = ['sessions', 'settings'] satisfies Page[];
const SECTIONS: readonly unknown[] = [
  'general',
  'access',
  'passkeys',
  'services',
  'audit',
] satisfies Section[];
const TABS: readonly unknown[] = ['chat', 'details', 'log'] satisfies Tab[];

/** What was kept, if it is a place. */
export function readPlace(kept: unknown): Place | null {
  if (typeof kept !== 'object' || kept === null) return null;
  const { page, section, tab, selected, drafts, notes } = kept as Partial<Record<keyof Place, unknown>>;
  if (!PAGES.includes(page) || !SECTIONS.includes(section) || !TABS.includes(tab)) return null;
  if (selected !== null && typeof selected !== 'string') return null;
  return isTexts(drafts) && isTexts(notes) ? (kept as Place) : null;
}

function isTexts(kept: unknown): boolean {
  if (typeof kept !== 'object' || kept === null) return false;
  return Object.values(kept).every((text) => typeof text === 'string');
}
