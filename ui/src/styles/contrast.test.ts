import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

type Theme = 'light' | 'dark';
type Tokens = Map<string, Record<Theme, Oklch>>;
type Oklch = [lightness: number, chroma: number, hue: number];

const css = readFileSync('src/styles/tokens.css', 'utf8');
const [usual = '', more = ''] = css.split('@media (prefers-contrast: more)');
const tokens = read(usual);
const highContrast: Tokens = new Map([...tokens, ...read(more)]);

function read(text: string): Tokens {
  const found = text.matchAll(/--([\w-]+): light-dark\(oklch\(([^)]+)\), oklch\(([^)]+)\)\)/g);
  return new Map(
    [...found].map(([, name = '', light = '', dark = '']) => [
      name,
      { light: parse(light), dark: parse(dark) },
    ]),
  );
}

function parse(text: string): Oklch {
  const [l = '', c = '', h = ''] = text.split('/')[0]?.trim().split(/\s+/) ?? [];
  return [Number(l.replace('%', '')) / 100, Number(c), Number(h)];
}

/** Relative luminance as WCAG 2.2 has it, from OKLCH by way of linear sRGB (CSS Color 4). */
function luminance([lightness, chroma, hue]: Oklch): number {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const clamp = (x: number) => Math.min(1, Math.max(0, x));
  const red = clamp(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  const green = clamp(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  const blue = clamp(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(theme: Theme, one: string, other: string, among = tokens): number {
  const of = (name: string) => {
    const token = among.get(name);
    if (!token) throw new Error(`tokens.css has no --${name}`);
    return luminance(token[theme]);
  };
  const [a, b] = [of(one), of(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

const TEXT = ['fg', 'fg-2', 'fg-3', 'accent', 'ok', 'wait', 'bad', 'info'];
const PAIRS: [text: string, ground: string][] = [
  ...TEXT.flatMap((text) => ['bg', 'panel', 'raise'].map((ground): [string, string] => [text, ground])),
  ...['fg', 'fg-2', 'accent', 'ok', 'wait', 'bad', 'info'].map((text): [string, string] => [
    text,
    'selection',
  ]),
  ...['ok', 'wait', 'bad', 'info'].flatMap((tone): [string, string][] => [
    [tone, `${tone}-ground`],
    ['fg', `${tone}-ground`],
    ['fg-2', `${tone}-ground`],
  ]),
  ['accent-ink', 'accent'],
];

/** The servers' pages have the same colours, with what their palette changes. */
const palette: Tokens = new Map([...tokens, ...read(readFileSync('src/shared/palette.css', 'utf8'))]);

describe.each<Theme>(['light', 'dark'])("the %s theme of the servers' pages", (theme) => {
  const pairs = [
    ...TEXT.flatMap((text) => ['bg', 'panel', 'raise'].map((ground) => [text, ground] as const)),
    ['accent-ink', 'accent'] as const,
  ];
  test.each(pairs)('%s on %s is readable (AA, 4.5 to 1)', (text, ground) => {
    expect(contrast(theme, text, ground, palette)).toBeGreaterThanOrEqual(4.5);
  });
});

describe.each<Theme>(['light', 'dark'])('in the %s theme', (theme) => {
  test.each(PAIRS)('%s on %s is readable (AA, 4.5 to 1)', (text, ground) => {
    expect(contrast(theme, text, ground)).toBeGreaterThanOrEqual(4.5);
  });

  test.each(PAIRS)('%s on %s is readable with more contrast (AAA, 7 to 1)', (text, ground) => {
    expect(contrast(theme, text, ground, highContrast)).toBeGreaterThanOrEqual(7);
  });

  test.each(['bg', 'panel'])('a line on %s can be seen with more contrast (3 to 1)', (ground) => {
    expect(contrast(theme, 'line', ground, highContrast)).toBeGreaterThanOrEqual(3);
  });

  test.each(['bg', 'panel', 'raise'])('the focus ring stands out on %s (3 to 1)', (ground) => {
    expect(contrast(theme, 'accent', ground)).toBeGreaterThanOrEqual(3);
  });
});

test('black and white have the contrast that WCAG gives them', () => {
  expect((luminance([1, 0, 0]) + 0.05) / (luminance([0, 0, 0]) + 0.05)).toBeCloseTo(21, 1);
});
