import { perCent, type Scale } from '../chart/scale';
import type { LaneView, RegionsView } from '../ipc/bindings';
import { count, millis } from '../time/format';

export interface Bar {
  region: string;
  chosen: boolean;
  kind: 'measured' | 'open' | 'running' | 'failed';
  /** Per cent of the width: the best sample, or how far an open bar is known to reach. */
  width: number;
  /** Per cent: the other samples. */
  ticks: number[];
  words: string;
}

/** A race laid out as bars between 0 and 100 per cent. */
export function bars(race: RegionsView, chosen: string | null): Bar[] {
  const known = race.lanes.flatMap((lane) => [...lane.samples_ms, lane.best_ms ?? 0, lane.over_ms ?? 0]);
  // Room to the right of the longest, so that an open bar has somewhere to fade to.
  const x = perCent(0, Math.max(...known, 10) * 1.6);
  // While it runs nothing jumps; then the fastest is on top and what never answered at the bottom.
  const lanes = race.took_ms === null ? race.lanes : race.lanes.toSorted((a, b) => rank(a) - rank(b));
  return lanes.map((lane) => ({
    region: lane.region,
    chosen: lane.region === chosen,
    ...shape(lane, x),
  }));
}

function rank(lane: LaneView): number {
  if (lane.failure !== null) return 2e9;
  return lane.best_ms ?? (lane.over_ms ?? 0) + 1e6;
}

function shape(lane: LaneView, x: Scale): Omit<Bar, 'region' | 'chosen'> {
  if (lane.failure !== null) return { kind: 'failed', width: 0, ticks: [], words: lane.failure };
  if (lane.over_ms !== null)
    return { kind: 'open', width: x(lane.over_ms), ticks: [], words: `> ${millis(lane.over_ms)}` };
  if (lane.best_ms !== null) {
    const rest = lane.samples_ms.filter((ms) => ms !== lane.best_ms);
    const words = lane.running ? `${millis(lane.best_ms)} …` : millis(lane.best_ms);
    return { kind: 'measured', width: x(lane.best_ms), ticks: rest.map(x), words };
  }
  if (lane.running) return { kind: 'running', width: 0, ticks: [], words: 'measuring' };
  return { kind: 'failed', width: 0, ticks: [], words: 'no answer' };
}

/** `2 finished, 3 stopped · 118 ms in all`; empty where there was no race. */
export function summary(race: RegionsView): string {
  if (race.took_ms === null) return 'measuring';
  if (race.lanes.length === 0) return '';
  const finished = race.lanes.filter(
    (l) => l.failure === null && l.over_ms === null && l.best_ms !== null,
  ).length;
  const stopped = race.lanes.filter((l) => l.failure === null && l.over_ms !== null).length;
  const failed = race.lanes.filter((l) => l.failure !== null).length;
  const said = [
    finished > 0 ? `${finished} finished` : '',
    stopped > 0 ? `${stopped} stopped` : '',
    failed > 0 ? count(failed, 'failed', 'failed') : '',
  ].filter(Boolean);
  const took = race.took_ms >= 10_000 ? `${Math.round(race.took_ms / 1000)} s` : millis(race.took_ms);
  return `${said.join(', ')} · ${took} in all`;
}
