import './join.css';
import { $ } from '../shared/dom';
import { readPin } from '../shared/pin';

$('form').addEventListener('submit', (event) => {
  event.preventDefault();
  const field = $<HTMLInputElement>('pin');
  const pin = readPin(field.value);
  const wrong = !pin;
  $('error').textContent = wrong
    ? 'This is not a PIN yet: it has nine digits and letters, like 7W2-97-8570.'
    : '';
  $('error').hidden = !wrong;
  field.setAttribute('aria-invalid', String(wrong));
  // Browsers send nothing that is behind the hash, so the PIN gets into no log and no referrer.
  if (pin) location.assign(`/join#${pin}`);
  else field.focus();
});
