/** How long the browser may take to read the file before its address is revoked. */
const KEPT_MS = 60_000;

/** Hands a file to the browser, which saves it among its downloads. */
export function saveFile(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, KEPT_MS);
}
