import { readPin } from "/assets/live.js";
import { $ } from "/assets/parts.js";

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const pin = readPin($("pin").value);
  const wrong = !pin;
  $("error").textContent = wrong ? "This is not a PIN yet: it has nine digits and letters, like 7W2-97-8570." : "";
  $("error").hidden = !wrong;
  $("pin").setAttribute("aria-invalid", String(wrong));
  // Behind the hash it is sent to nobody: no log and no referrer shows it.
  if (pin) location.assign(`/join#${pin}`);
  else $("pin").focus();
});
