/** Chart data: fetched when a chart is seen, kept while it is of use, and refetched only where a run has grown. */

import { signal, type Signal } from "@preact/signals";
import { api, type ApiError } from "../api/client";
import type { SeriesData } from "../api/types";
import { groupLines, groupsOf, GROUPS, type GroupSpec } from "./groups";
import { noteAnswer, noteFailure } from "./store";
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
  control: AbortController | null;
  notBefore: number;
  timer: ReturnType<typeof setTimeout> | null;
}

const KEPT = 200;
const TOGETHER = 4; // the browser allows six connections; the event stream and the list want theirs
const MIN_PAUSE_MS = 1000;

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
      unknown: signal([]), seen: 0, wanted: [], grown: new Set(), busy: false, control: null, notBefore: 0, timer: null,
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
    setTimeout(() => entry.seen === 0 && entry.control?.abort()); // with other runs it is seen again at once
  };
}

const missing = (entry: SeriesEntry): string[] =>
  entry.wanted.filter((run) => entry.grown.has(run) || !entry.lines.peek().has(run));

function pump(entry: SeriesEntry): void {
  if (entry.busy || entry.seen === 0 || entry.timer !== null) return;
  const runs = missing(entry);
  if (runs.length === 0) return;
  const isUrgent = runs.some((run) => !entry.lines.peek().has(run)) && entry.error.peek() === null;
  const wait = isUrgent ? 0 : Math.max(0, entry.notBefore - Date.now());
  if (wait > 0) {
    entry.timer = setTimeout(() => {
      entry.timer = null;
      pump(entry);
    }, wait);
    return;
  }
  entry.busy = true;
  void inTurn(() => fetchRuns(entry, missing(entry))).finally(() => {
    entry.busy = false;
    pump(entry);
  });
}

async function fetchRuns(entry: SeriesEntry, runs: readonly string[]): Promise<void> {
  if (entry.seen === 0 || runs.length === 0) return;
  const { project, key, isExpression, x, zoom, width, smooth, group } = entry.spec;
  const began = Date.now();
  entry.isLoading.value = true;
  runs.forEach((run) => entry.grown.delete(run));
  const { signal } = (entry.control = new AbortController());
  try {
    const asked = {
      ...(isExpression ? { expression: key } : { key }), x, width, min: zoom?.min ?? null, max: zoom?.max ?? null, smooth,
    };
    if (group) {
      const answer = await api.groups(project, { ...asked, ...group }, signal);
      groupsOf(project, group, answer);
      entry.lines.value = new Map([[GROUPS, emptyLine(GROUPS)], ...groupLines(answer)]);
    } else {
      const answer = await api.series(project, { ...asked, run: runs }, signal);
      const lines = new Map(entry.lines.peek());
      for (const run of runs) lines.set(run, emptyLine(run));
      for (const line of answer.series) lines.set(line.run, line);
      entry.lines.value = lines;
      entry.unknown.value = answer.unknown ?? [];
    }
    entry.error.value = null;
    entry.isReady.value = true;
    noteAnswer();
    entry.notBefore = Date.now() + Math.max(MIN_PAUSE_MS, 3 * (Date.now() - began));
  } catch (error) {
    runs.forEach((run) => entry.grown.add(run));
    if (signal.aborted) return;
    const shown = noteFailure(error);
    entry.error.value = shown;
    entry.notBefore = Date.now() + 5000;
  } finally {
    entry.isLoading.value = false;
    entry.control = null;
  }
}

const emptyLine = (run: string): SeriesData =>
  ({ run, exact: true, total: 0, x: [], step: [], time: [], last: [], marks: [] });

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

let running = 0;
const waiting: (() => void)[] = [];

async function inTurn(work: () => Promise<void>): Promise<void> {
  if (running >= TOGETHER) await new Promise<void>((start) => waiting.push(start));
  running += 1;
  try {
    await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}
