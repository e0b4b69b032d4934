/** The service's limits. */
export const MOST = 10;
export const LONGEST = 250;

/** The lines of a text, without empty ones. */
export const lines = (typed: string): string[] =>
  typed
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** What is wrong with a list of aliases, in a sentence; none if nothing is. */
export function aliasesFault(aliases: string[]): string | null {
  if (aliases.length > MOST) return `${aliases.length} aliases are too many: the service takes ${MOST}.`;
  const long = aliases.find((alias) => [...alias].length > LONGEST);
  if (long !== undefined)
    return `“${[...long].slice(0, 24).join('')}…” is too long: an alias has at most ${LONGEST} characters.`;
  const twice = aliases.find((alias, n) => aliases.indexOf(alias) !== n);
  return twice === undefined ? null : `“${twice}” stands there twice.`;
}
