/** Chart data: fetched when a chart is seen, kept while it is of use, and refetched only where a run has grown. */

import { signal, type Signal } from "@preact/signals";
import type { ApiError } from "../api/client";
import type { SeriesData } from "../api/types";
import { fetchAlone, fetchTogether, inTurn } from "./fetching";
import { GROUPS, type GroupSpec } from "./groups";
import { atNextTick, portions } from "./ticks";
import type { Zoom } from "./url";

export interface SeriesSpec {
  project: string;
  /** A metric, or an expression of metrics. */
  key: string;
  isExpression?: boolean;
  x: string;
  zoom: Zoom | null;
  width: number;
  /** `ema:0.9`, … or null. */
  smooth: string | null;
  /** Groups of runs instead of runs: the entry's one wanted line is then `GROUPS`. */
  group?: GroupSpec | null;
}

export type Lines = ReadonlyMap<string, SeriesData>;

/** A metric that an expression names and no run has, with the place where it is named. */
export interface Unknown { name: string; at: number }

/** One metric over one window: lines by run. A run that never logged the metric is there with no points. */
export interface SeriesEntry {
  readonly spec: SeriesSpec;
  readonly lines: Signal<Lines>;
  readonly error: Signal<ApiError | null>;
  readonly isLoading: Signal<boolean>;
  /** False until the first answer. */
  readonly isReady: Signal<boolean>;
  readonly unknown: Signal<readonly Unknown[]>;
  seen: number;
  wanted: readonly string[];
  grown: Set<string>;
  busy: boolean;
  /** Ends the request that is under way, unless another chart waits for it too. */
  stop: (() => void) | null;
  notBefore: number;
  timer: ReturnType<typeof setTimeout> | null;
}

const KEPT = 200;

const entries = new Map<string, SeriesEntry>();

export const specKey = (spec: SeriesSpec): string =>
  JSON.stringify([spec.project, spec.key, spec.isExpression ?? false, spec.x, spec.zoom?.min, spec.zoom?.max, spec.width, spec.smooth, spec.group ?? null]);

export function entryFor(spec: SeriesSpec): SeriesEntry {
  const id = specKey(spec);
  let entry = entries.get(id);
  if (entry) {
    entries.delete(id); // to the end: the oldest go first
  } else {
    entry = {
      spec, lines: signal<Lines>(new Map()), error: signal(null), isLoading: signal(false), isReady: signal(false),
      unknown: signal([]), seen: 0, wanted: [], grown: new Set(), busy: false, stop: null, notBefore: 0, timer: null,
    };
  }
  entries.set(id, entry);
  for (const [other, old] of entries) {
    if (entries.size <= KEPT) break;
    if (old.seen === 0 && other !== id) entries.delete(other);
  }
  return entry;
}

/** A chart with these runs is on the screen. Returns the function to call when it no longer is: nobody waits for the answer then. */
export function watch(entry: SeriesEntry, runs: readonly string[]): () => void {
  entry.seen += 1;
  entry.wanted = runs;
  pump(entry);
  return () => {
    entry.seen -= 1;
    setTimeout(() => entry.seen === 0 && entry.stop?.()); // with other runs it is seen again at once
  };
}

const missing = (entry: SeriesEntry): string[] =>
  entry.wanted.filter((run) => entry.grown.has(run) || !entry.lines.peek().has(run));

function pump(entry: SeriesEntry): void {
  if (entry.busy || entry.seen === 0) return;
  const runs = missing(entry);
  if (runs.length === 0) return;
  const { group, isExpression } = entry.spec;
  const isRight = entry.error.peek() === null;
  const isUrgent = isRight && runs.some((run) => !entry.lines.peek().has(run));
  if (isRight && !isUrgent && !group && !isExpression) return atNextTick(entry, fetchGrown);
  if (entry.timer !== null) {
    if (!isUrgent) return;
    clearTimeout(entry.timer);
    entry.timer = null;
  }
  const wait = isUrgent ? 0 : Math.max(0, entry.notBefore - Date.now());
  if (wait > 0) {
    entry.timer = setTimeout(() => {
      entry.timer = null;
      pump(entry);
    }, wait);
    return;
  }
  // what is not on the screen yet is asked for each by itself: the first chart does not wait for the last
  void during([entry], () => fetchAlone(entry, missing(entry)));
}

/** The entries that are still seen and not being asked for already, in as few requests as can be. */
async function fetchGrown(entries: readonly SeriesEntry[]): Promise<void> {
  const all = entries.filter((one) => !one.busy && one.seen > 0).map((entry) => ({ entry, runs: missing(entry) }));
  const some = portions(all.filter(({ runs }) => runs.length > 0));
  await Promise.all(some.map((one) => during(one.entries, () => fetchTogether(one.entries, one.runs))));
}

async function during(entries: readonly SeriesEntry[], work: () => Promise<void>): Promise<void> {
  for (const entry of entries) entry.busy = true;
  try {
    await inTurn(work);
  } finally {
    for (const entry of entries) entry.busy = false;
    entries.forEach(pump);
  }
}

/** A run has new points: `keys` names the metrics, null means any of them may have grown. */
export function noteGrowth(project: string, run: string, keys: readonly string[] | null): void {
  const named = keys && new Set(keys);
  for (const entry of entries.values()) {
    const { spec } = entry;
    if (spec.project !== project || (named && !spec.isExpression && !named.has(spec.key))) continue;
    entry.grown.add(spec.group ? GROUPS : run);
    pump(entry);
  }
}

/** After a break in the connection nothing is certain: every seen line is asked for again. */
export function refreshSeries(project: string): void {
  for (const entry of entries.values()) {
    if (entry.spec.project !== project) continue;
    entry.lines.peek().forEach((_line, run) => entry.grown.add(run));
    pump(entry);
  }
}
