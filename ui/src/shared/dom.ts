/** The element with this id, which stands in the page's own HTML. */
export const $ = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T;
