import { tick } from 'svelte';

/** Puts the focus on the list of sessions, once what was changed is on the page; says whether there is one. */
export async function focusList(): Promise<boolean> {
  await tick();
  const list = document.querySelector<HTMLElement>('nav [role="listbox"]');
  list?.focus();
  return list !== null;
}
