import type { View } from './flow';

/** Draws the page's text and button into `root`. Text from Deskhand is set as text, never as markup. */
export function drawInto(root: HTMLElement): (view: View) => void {
  const heading = document.createElement('h1');
  const text = document.createElement('p');
  // One live region that is never replaced: a screen reader announces what changes in it.
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
