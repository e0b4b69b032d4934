import type { Attachment } from 'svelte/attachments';

/** Makes a text field as high as its text, within its style's limits. By hand: WebKitGTK has no `field-sizing`. */
export function asHighAs(text: string): Attachment<HTMLTextAreaElement> {
  return (field) => {
    // An empty one shows its placeholder, which needs no more than its rows.
    field.style.height = '';
    if (text === '') return;
    const borders = field.offsetHeight - field.clientHeight;
    field.style.height = `${field.scrollHeight + borders}px`;
  };
}
