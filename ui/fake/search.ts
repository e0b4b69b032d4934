import type { Hit, Reply } from '../src/lib/ipc/bindings';
import type { Scenario } from './scenarios';

const PAGE = 100;

/** A page of what is found in the archive. */
export function search(scenario: Scenario, query: string, cursor: string | null): Reply {
  const wanted = query.trim().toLowerCase();
  const from = Number(cursor ?? 0);
  const found = scenario.archive.flatMap((hit) => marked(hit, wanted));
  const next = from + PAGE < found.length ? String(from + PAGE) : null;
  const indexed = wanted === '' ? null : (scenario.indexed ?? null);
  return { reply: 'found', hits: found.slice(from, from + PAGE), cursor: next, indexed };
}

function marked(hit: Hit, wanted: string): Hit[] {
  if (wanted === '') return [hit];
  const at = hit.snippet.toLowerCase().indexOf(wanted);
  if (at >= 0) return [{ ...hit, marks: [[at, at + wanted.length]] }];
  return hit.name.toLowerCase().includes(wanted) ? [{ ...hit, place: 'session' }] : [];
}
