/** Reads a PIN as people type it; null if it can't be one. */
export function readPin(typed: string): string | null {
  const bare = typed
    .toUpperCase()
    .replace(/[\s\-\u2010-\u2015\u2212_.]/g, '')
    .replace(/O/g, '0')
    .replace(/I/g, '1');
  return /^[0-9A-Z]{9}$/.test(bare) ? `${bare.slice(0, 3)}-${bare.slice(3, 5)}-${bare.slice(5)}` : null;
}
