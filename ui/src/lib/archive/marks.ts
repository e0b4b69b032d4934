export interface Part {
  text: string;
  hit: boolean;
}

/** A snippet cut at its marks. Marks that overlap or lie outside are made to fit; the text stays whole. */
export function parts(text: string, marks: [number, number][]): Part[] {
  const cut: Part[] = [];
  let at = 0;
  for (const [from, to] of marks.toSorted(([a], [b]) => a - b)) {
    const start = Math.min(Math.max(from, at), text.length);
    const end = Math.min(Math.max(to, start), text.length);
    if (start > at) cut.push({ text: text.slice(at, start), hit: false });
    if (end > start) cut.push({ text: text.slice(start, end), hit: true });
    at = end;
  }
  if (at < text.length) cut.push({ text: text.slice(at), hit: false });
  return cut;
}
