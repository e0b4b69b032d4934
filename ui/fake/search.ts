import type { Hit, Reply, SessionDetail } from '../src/lib/ipc/bindings';
import { chat, detail, MINUTE, row } from './make';
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

/** The session to which a hit leads. */
export function archived(hit: Hit): SessionDetail {
  const past = row(hit.session, hit.name, hit.state.kind, hit.at, { live: false, state: hit.state });
  return detail(past, hit.at, {
    customer: hit.name,
    pin: null,
    created_at: hit.at - 20 * MINUTE,
    note: hit.snippet,
    chat: chat([
      [hit.name, hit.at - 9 * MINUTE, 'it prints again'],
      ['Anna', hit.at - 8 * MINUTE, 'Good to hear.'],
    ]),
    transcript: { is: 'saved', at: hit.at, messages: 2 },
  });
}
