/**
 * The charts here are bars and lanes: SVG that Svelte draws in per cent, themed by the same custom properties
 * and readable to assistive technology. d3-time finds the ticks. d3-scale would do the rest, but what it pulls
 * in (d3-color) writes `constructor` into plain objects, which throws where the shell freezes the prototype.
 */
export type Scale = (value: number) => number;

/** Places a value between two others, in per cent; what lies outside comes to the nearer end. */
export function perCent(from: number, to: number): Scale {
  const width = to - from;
  return (value) => (width <= 0 ? 0 : Math.min(100, Math.max(0, ((value - from) / width) * 100)));
}
