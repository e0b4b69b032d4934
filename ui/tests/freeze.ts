// Stricter than what the shell runs before the page's first script (`src-tauri/src/freeze.js`). To be imported before
// anything else.
Object.freeze(Object.prototype);
