/** Hands a text over as a file, by the web view's own download. */
export function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download reads it after the click has returned.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
