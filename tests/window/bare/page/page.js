// Applies what the program emits to the page, and notes how long that took since the emit.
const bridge = window.__TAURI_INTERNALS__;
const told = document.querySelector('#told');
let emitted = 0;
window.took = [];
new MutationObserver(() => window.took.push(Date.now() - emitted)).observe(told, { childList: true });

const handler = bridge.transformCallback(({ payload }) => {
  emitted = payload.at;
  told.textContent = `${payload.place}: ${payload.text.length}`;
});
bridge
  .invoke('plugin:event|listen', { event: 'told', target: { kind: 'Any' }, handler })
  .then(() => bridge.invoke('plugin:event|emit', { event: 'ready' }));
