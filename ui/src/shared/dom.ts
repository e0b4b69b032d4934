/** The element with this id; it must be in the page's own HTML. */
export const $ = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T;
