import { make } from '../shared/dom';
import type { View } from './flow';

/** Draws what the page says into `root`. What Deskhand sends is shown as text, never read as markup. */
export function drawInto(root: HTMLElement): (view: View) => void {
  const heading = make('h1');
  const text = make('p');
  // One region that stays: a screen reader speaks what changes in it.
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
