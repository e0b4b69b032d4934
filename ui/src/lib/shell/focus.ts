import { tick } from 'svelte';

/**
 * Puts the focus on the list of sessions, once what was changed is on the page; says whether there is one. Asked for by an
 * arrow, the list has a chosen row from then on.
 */
export async function focusList(byArrow = false): Promise<boolean> {
  await tick();
  const list = document.querySelector<HTMLElement>('nav [role="listbox"]');
  list?.focus();
  const isChosen = list?.querySelector('[aria-selected="true"]');
  if (byArrow && list && !isChosen) list.querySelector<HTMLElement>('[role="option"]')?.click();
  return list !== null;
}
