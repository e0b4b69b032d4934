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
  // Behind the hash it is sent to nobody: no log and no referrer shows it.
  if (pin) location.assign(`/join#${pin}`);
  else field.focus();
});
