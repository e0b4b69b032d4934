import { make } from '../shared/dom';
import type { View } from './flow';

/** Draws the page's text and button into `root`. Text from Deskhand is set as text, never as markup. */
export function drawInto(root: HTMLElement): (view: View) => void {
  const heading = make('h1');
  const text = make('p');
  // One live region that is never replaced: a screen reader announces what changes in it.
  const status = make('div');
  status.setAttribute('role', 'status');
  status.append(heading, text);
  const card = make('section');
  card.append(make('p', 'brand', 'Deskhand'), status);
  root.replaceChildren(card);

  let button: HTMLButtonElement | null = null;
  return (view) => {
    card.dataset['tone'] = view.tone;
    root.setAttribute('aria-busy', String(view.tone === 'busy'));
    heading.textContent = view.heading;
    text.textContent = view.text;
    button?.remove();
    button = view.button ? draw(view.button) : null;
    if (button) {
      card.append(button);
      button.focus();
    }
  };
}

function draw({ label, press }: NonNullable<View['button']>): HTMLButtonElement {
  const button = make('button', '', label);
  button.type = 'button';
  button.addEventListener('click', press, { once: true });
  return button;
}
