import type { Separator } from '../ipc/bindings';
import { expect, type ConsolePort } from '../ipc/port';

/** What separates the columns of a CSV file that the window saves, as the settings and the window's language say. */
export async function csvSeparator(port: ConsolePort): Promise<Separator> {
  const { settings } = await expect(port.ask({ do: 'settings' }), 'settings');
  return separatorFor(settings['csv_separator'], navigator.language);
}

/** Excel expects a semicolon where a comma stands in decimal numbers, and puts everything in one column else. */
export function separatorFor(setting: unknown, language: string): Separator {
  if (setting === 'comma' || setting === 'semicolon' || setting === 'tab') return setting;
  const decimal = numbersOf(language)
    .formatToParts(1.5)
    .find(({ type }) => type === 'decimal');
  return decimal?.value === ',' ? 'semicolon' : 'comma';
}

/** How a language writes numbers. Where the system names none (the locale C), the web view says "C", which is no tag. */
function numbersOf(language: string): Intl.NumberFormat {
  try {
    return new Intl.NumberFormat(language);
  } catch {
    return new Intl.NumberFormat('en');
  }
}
