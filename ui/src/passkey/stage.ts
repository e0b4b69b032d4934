import type { Scene } from './flow';

/** Draws what the page says into `root`. What Deskhand sends is shown as text, never read as markup. */
export function stage(root: HTMLElement): (scene: Scene) => void {
  const heading = document.createElement('h1');
  const text = document.createElement('p');
  // One region that stays: a screen reader speaks what changes in it.
  const told = document.createElement('div');
  told.setAttribute('role', 'status');
  told.append(heading, text);
  const brand = document.createElement('p');
  brand.className = 'brand';
  brand.textContent = 'Deskhand';
  const card = document.createElement('section');
  card.append(brand, told);
  root.replaceChildren(card);

  let button: HTMLButtonElement | null = null;
  return (scene) => {
    card.dataset['tone'] = scene.tone;
    root.setAttribute('aria-busy', String(scene.tone === 'busy'));
    heading.textContent = scene.heading;
    text.textContent = scene.text;
    button?.remove();
    button = scene.button ? draw(scene.button) : null;
    if (button) {
      card.append(button);
      button.focus();
    }
  };
}

function draw({ label, press }: NonNullable<Scene['button']>): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = label;
  button.addEventListener('click', press, { once: true });
  return button;
}
