export interface Part {
  text: string;
  hit: boolean;
}

/**
 * A snippet cut at its marks. Marks that overlap or lie outside are made to fit. Of what stands before the
 * first mark at most `lead` characters stay, so that a narrow line shows the mark.
 */
export function parts(text: string, marks: [number, number][], lead = Infinity): Part[] {
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
  return shortened(cut, lead);
}

function shortened(cut: Part[], lead: number): Part[] {
  const [first, ...rest] = cut;
  if (first === undefined || first.hit || rest.length === 0 || first.text.length <= lead + 2) return cut;
  // Whole words, if there is a gap between two of them.
  const tail = first.text.slice(-lead);
  return [{ text: `…${tail.slice(tail.indexOf(' ') + 1)}`, hit: false }, ...rest];
}
