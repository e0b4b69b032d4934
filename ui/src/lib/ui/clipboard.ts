/** Puts a text on the clipboard. Says whether it worked; never keeps the text. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/**
 * Puts a text that is still on its way on the clipboard, and says whether it worked; undefined where no text came.
 *
 * The clipboard takes what somebody's click asks for, and an answer that is awaited comes after the click: so it is given the
 * promise of a text, and at once.
 */
export async function copyComing(coming: Promise<string | undefined>): Promise<boolean | undefined> {
  try {
    const item = new ClipboardItem({ 'text/plain': coming.then(toPlainText) });
    await navigator.clipboard.write([item]);
    return true;
  } catch {
    const text = await coming;
    return text === undefined ? undefined : copy(text);
  }
}

function toPlainText(text: string | undefined): Blob {
  if (text === undefined) throw new Error('There is no text to copy.');
  return new Blob([text], { type: 'text/plain' });
}

/** For web views that refuse the clipboard API. */
function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'hidden-visually';
  document.body.append(area);
  const focused = document.activeElement;
  area.select();
  try {
    // The only way where the clipboard API is refused.
    return document.execCommand('copy');
  } catch {
    return false;
  } finally {
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
  }
}
