import type { View } from './flow';

/** Draws what the page says into `root`. What Deskhand sends is shown as text, never read as markup. */
export function drawInto(root: HTMLElement): (view: View) => void {
  const heading = document.createElement('h1');
  const text = document.createElement('p');
  // One region that stays: a screen reader speaks what changes in it.
  const status = document.createElement('div');
  status.setAttribute('role', 'status');
  status.append(heading, text);
  const brand = document.createElement('p');
  brand.className = 'brand';
  brand.textContent = 'Deskhand';
  const card = document.createElement('section');
  card.append(brand, status);
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
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = label;
  button.addEventListener('click', press, { once: true });
  return button;
}
