import { expect, test } from 'vitest';
import { separatorFor } from './csv';

test.each([
  'de-DE',
  'de-AT',
  'fr-FR',
  'es-ES',
  'it-IT',
  'nl-NL',
  'pl-PL',
  'pt-BR',
  'ru-RU',
  'cs-CZ',
  'el-GR',
  'tr-TR',
])('a file of the %s window separates its columns by semicolons, as Excel expects there', (language) =>
  expect(separatorFor('language', language)).toBe('semicolon'),
);

test.each(['en-US', 'en-GB', 'he-IL', 'ja-JP', 'zh-CN', 'es-MX'])(
  'a file of the %s window separates its columns by commas',
  (language) => expect(separatorFor('language', language)).toBe('comma'),
);

test('the setting counts whatever the language', () => {
  for (const setting of ['comma', 'semicolon', 'tab'] as const) {
    for (const language of ['de-DE', 'en-US']) expect(separatorFor(setting, language)).toBe(setting);
  }
});

test.each(['C', 'POSIX_', ''])(
  'a window whose language is %j, which is none, separates by commas',
  (language) => expect(separatorFor('language', language)).toBe('comma'),
);
