import { make } from '../shared/dom';

/** A button and the panel below it: the button opens it; Escape, a click elsewhere or a choice closes it. */
export class Menu {
  constructor(
    private readonly button: HTMLElement,
    private readonly panel: HTMLElement,
    /** Where the keyboard goes when it closes. */
    private readonly leave: () => void,
  ) {
    button.setAttribute('aria-haspopup', 'true');
    button.setAttribute('aria-controls', panel.id);
    this.hide();
    button.addEventListener('click', () => {
      this.toggle();
    });
    panel.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close();
    });
    document.addEventListener('pointerdown', ({ target }) => {
      const inside = target instanceof Node && (panel.contains(target) || button.contains(target));
      if (!inside && !panel.hidden) this.hide();
    });
  }

  toggle(): void {
    if (this.panel.hidden) this.open();
    else this.close();
  }

  close(): void {
    this.hide();
    this.leave();
  }

  private open(): void {
    this.panel.hidden = false;
    this.button.setAttribute('aria-expanded', 'true');
    this.panel.querySelector<HTMLElement>('textarea, button')?.focus();
  }

  private hide(): void {
    this.panel.hidden = true;
    this.button.setAttribute('aria-expanded', 'false');
  }
}

/** An entry of a menu. */
export type Entry = { label: string; hint?: string; current?: boolean; choose(): void };

/** Fills a menu's list with entries. */
export function fill(list: HTMLElement, entries: readonly Entry[]): void {
  list.replaceChildren(
    ...entries.map(({ label, hint, current, choose }) => {
      const button = make('button');
      button.type = 'button';
      button.append(make('span', '', label));
      if (current !== undefined) button.setAttribute('aria-pressed', String(current));
      if (hint) button.append(make('kbd', '', hint));
      button.addEventListener('click', choose);
      return button;
    }),
  );
}
