// "Everything by keyboard": whatever answers a click is reached by Tab, or by the arrows of what Tab reaches.
import { screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, test, vi } from 'vitest';
import { open } from '../tests/rendered';

const CONTROLS = 'button, a[href], input, select, textarea, summary, [role="button"], [role="switch"]';
/** Rows, tabs and choices of one group have one stop; the arrows go through them (keyboard.test.ts). */
const GROUPS = '[role="listbox"], [role="tablist"], [role="radiogroup"], [role="menu"], fieldset';

let clickable = new Set<Element>();

beforeEach(() => {
  clickable = new Set();
  const add = Element.prototype.addEventListener;
  vi.spyOn(Element.prototype, 'addEventListener').mockImplementation(function (this: Element, ...given) {
    if (isPress(given[0])) clickable.add(this);
    add.apply(this, given as Parameters<typeof add>);
  });
});

const isPress = (name: string) => ['click', 'mousedown', 'pointerdown', 'dblclick'].includes(name);

/** Whether Svelte has a handler of a click for the element: those that it delegates stand in a field of it. */
function hasDelegated(element: Element): boolean {
  const field = Object.getOwnPropertySymbols(element).find((symbol) => symbol.description === 'events');
  const handlers: unknown = field && Reflect.get(element, field);
  return typeof handlers === 'object' && handlers !== null && Object.keys(handlers).some(isPress);
}

function controls(): Element[] {
  const all = [...document.body.querySelectorAll('*')];
  return all.filter(
    (one) =>
      (one.matches(CONTROLS) || hasDelegated(one) || clickable.has(one)) &&
      // Svelte listens there for all.
      one.querySelector('.window') === null &&
      !one.matches(':disabled, [type="hidden"], [role="dialog"], [role="presentation"]') &&
      one.closest('[inert], [aria-hidden="true"]') === null,
  );
}

/** Goes through the whole window by Tab. */
async function stops(): Promise<Set<Element>> {
  const seen = new Set<Element>();
  (document.activeElement as HTMLElement | null)?.blur();
  for (;;) {
    await userEvent.tab();
    const at = document.activeElement;
    if (at === null || at === document.body || seen.has(at)) return seen;
    seen.add(at);
  }
}

async function unreached(): Promise<string[]> {
  const reached = await stops();
  const all = controls();
  expect(all.length).toBeGreaterThan(3);
  const byTab = (one: Element) => [...reached].some((stop) => stop === one || stop.contains(one));
  const byArrows = (one: Element) => {
    const group = one.closest(GROUPS);
    return group !== null && (reached.has(group) || [...reached].some((stop) => group.contains(stop)));
  };
  const missing = all.filter((one) => !byTab(one) && !byArrows(one) && !one.matches('label'));
  return missing.map((one) => one.outerHTML.slice(0, 200));
}

async function session(scenario = 'rich', name: string | RegExp = 'Maria Lopez') {
  const port = open(scenario);
  await screen.findByRole('heading', { level: 1, name });
  return port;
}

test.each(['Chat', 'Details', 'Log'])('a session with its side panel at %s', async (tab) => {
  await session();
  await userEvent.click(screen.getByRole('tab', { name: new RegExp(`^${tab}`) }));
  expect(await unreached()).toEqual([]);
});

test('what was found in the archive, and a session that is over', async () => {
  await session('indexing');
  await userEvent.type(screen.getByRole('searchbox'), 'spooler');
  const found = await screen.findByRole('listbox', { name: 'Found, newest first' });
  await userEvent.keyboard('{ArrowDown}');
  await vi.waitFor(() => expect(found).toHaveFocus());
  await userEvent.keyboard('{ArrowDown}');
  await screen.findByRole('heading', { level: 1, name: 'Priya Raman' });
  expect(await unreached()).toEqual([]);
});

test('troubles, and a service that is away', async () => {
  await session('trouble');
  expect(await unreached()).toEqual([]);
});

test.each(['General', 'Sign-in and verification', 'Passkeys', 'Services', 'Audit log'])(
  'the settings at %s',
  async (section) => {
    await session();
    await userEvent.keyboard('{Control>},{/Control}');
    const tab = await screen.findByRole('tab', { name: section });
    await userEvent.click(tab);
    await vi.waitFor(() => expect(screen.queryByText(/^Fetching/)).toBeNull());
    expect(await unreached()).toEqual([]);
  },
);

test('the question whether to close a session', async () => {
  await session();
  await userEvent.keyboard('{Control>}{Shift>}X{/Shift}{/Control}');
  const dialog = await screen.findByRole('dialog');
  expect(await unreachedIn(dialog)).toEqual([]);
});

test('the question whether to quit', async () => {
  const port = await session();
  port.push({ push: 'ask', number: 1, ask: 'quit' });
  const dialog = await screen.findByRole('dialog');
  await within(dialog).findByText(/sessions are live/);
  expect(await unreachedIn(dialog)).toEqual([]);
});

test('the menu of a session', async () => {
  await session();
  screen.getByRole('button', { name: 'More' }).focus();
  await userEvent.keyboard('{Enter}');
  const menu = await screen.findByRole('menu');
  const items = within(menu).getAllByRole('menuitem');
  const seen = new Set<Element | null>();
  while (seen.size < items.length) {
    await userEvent.keyboard('{ArrowDown}');
    // Round again: what was not reached by now is never reached.
    if (seen.has(document.activeElement)) break;
    seen.add(document.activeElement);
  }
  expect(items.filter((item) => !seen.has(item) && item !== items[0])).toEqual([]);
});

/** What no key reaches in a dialog, which keeps Tab inside. */
async function unreachedIn(dialog: HTMLElement): Promise<string[]> {
  await vi.waitFor(() => expect(dialog.contains(document.activeElement)).toBe(true));
  const seen = new Set<Element | null>();
  for (let n = 0; n < 20; n += 1) {
    seen.add(document.activeElement);
    await userEvent.tab();
  }
  const all = controls().filter((one) => dialog.contains(one));
  expect(all.length).toBeGreaterThan(1);
  const choice = (one: Element) => one.matches('[type="radio"]') && one.closest(GROUPS)?.contains(one);
  return all
    .filter((one) => !seen.has(one) && !choice(one) && !one.matches('label'))
    .map((one) => one.outerHTML.slice(0, 200));
}
