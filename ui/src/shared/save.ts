/** How long the browser may take to read the file before its object URL is revoked, in milliseconds. */
const KEPT_MS = 60_000;

/** Saves a file by the browser, as a download. */
export function saveFile(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, KEPT_MS);
}
