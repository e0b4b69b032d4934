import { remember, remembered } from './remember';

export type Page = 'sessions' | 'settings';
export type Section = 'general' | 'access' | 'passkeys' | 'services' | 'audit';
export type Tab = 'chat' | 'details' | 'log';
export type Open =
  | { is: 'none' }
  | { is: 'map' }
  | { is: 'close'; session: string }
  | { is: 'delete'; session: string }
  | { is: 'program'; session: string }
  | { is: 'set_up' }
  | { is: 'sign_in' }
  | { is: 'override'; session: string }
  | { is: 'devices'; session: string }
  | { is: 'quit' };

/** How long a message about an action stays, in milliseconds. */
const SAID_FOR = 2200;

export const SIDE = { min: 240, usual: 284, max: 460 } as const;

const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isWidth = (value: unknown): value is number =>
  typeof value === 'number' && value >= SIDE.min && value <= SIDE.max;

/** Which parts of the window are open: page, side panel, dialog. */
export class Shell {
  page = $state<Page>('sessions');
  section = $state<Section>('general');
  tab = $state<Tab>('chat');
  open = $state.raw<Open>({ is: 'none' });
  side = $state(remembered('side', isBoolean, true));
  sideWidth = $state(remembered('side_width', isWidth, SIDE.usual));
  /** Typed into the search box. */
  query = $state('');
  /** Counts up each time that the search box is asked for. */
  find = $state(0);
  /** The form for a verification is to be shown; the component that shows it resets this. */
  verifying = $state(false);

  /** A short-lived message about the last action. Never a secret. */
  said = $state('');
  /** Whether the last action succeeded. */
  well = $state(true);
  #forget: ReturnType<typeof setTimeout> | undefined;

  say(text: string, well = true): void {
    this.said = text;
    this.well = well;
    clearTimeout(this.#forget);
    this.#forget = setTimeout(() => (this.said = ''), SAID_FOR);
  }

  toggleSide(): void {
    this.side = !this.side;
    remember('side', this.side);
  }

  resizeSide(width: number): void {
    this.sideWidth = Math.round(Math.min(SIDE.max, Math.max(SIDE.min, width)));
    remember('side_width', this.sideWidth);
  }

  /** Opens the settings at the section of one matter. */
  settings(section: Section): void {
    this.section = section;
    this.page = 'settings';
  }

  /** Brings the verification of the session on screen to the front. */
  verify(): void {
    this.page = 'sessions';
    this.tab = 'details';
    if (!this.side) this.toggleSide();
    this.verifying = true;
  }

  /** Starts a search: the archive takes the list's place. */
  search(): void {
    this.page = 'sessions';
    this.find += 1;
  }

  /** Clears everything, for the lock. */
  leave(): void {
    this.close();
    this.query = '';
    this.said = '';
    this.page = 'sessions';
    this.tab = 'chat';
  }

  close(): void {
    this.open = { is: 'none' };
  }
}
