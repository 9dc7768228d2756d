/** Asks the server for the lines of one chart, or of many that have grown, and puts the answers into their entries. */

import { api } from "../api/client";
import type { SeriesAnswer, SeriesData } from "../api/types";
import { groupLines, groupsOf, GROUPS } from "./groups";
import type { SeriesEntry, SeriesSpec } from "./series";
import { noteAnswer, noteFailure } from "./store";

const TOGETHER = 4; // the browser allows six connections; the event stream and the list want theirs
const MIN_PAUSE_MS = 1000;
const FAILED_PAUSE_MS = 5000;

/** What all charts of a view ask for alike. */
const windowOf = ({ x, width, zoom, smooth }: SeriesSpec) => ({ x, width, min: zoom?.min ?? null, max: zoom?.max ?? null, smooth });

export async function fetchAlone(entry: SeriesEntry, runs: readonly string[]): Promise<void> {
  if (entry.seen === 0 || runs.length === 0) return;
  const { project, key, isExpression, group } = entry.spec;
  const asked = { ...(isExpression ? { expression: key } : { key }), ...windowOf(entry.spec) };
  await asking([entry], runs, async (signal) => {
    if (group) {
      const answer = await api.groups(project, { ...asked, ...group }, signal);
      groupsOf(project, group, answer);
      entry.lines.value = new Map([[GROUPS, emptyLine(GROUPS)], ...groupLines(answer)]);
    } else take(entry, runs, await api.series(project, { ...asked, run: runs }, signal));
  });
}

/** Metrics of which the same runs have grown, over one window. */
export async function fetchTogether(entries: readonly SeriesEntry[], runs: readonly string[]): Promise<void> {
  const seen = entries.filter((one) => one.seen > 0);
  if (seen.length < 2) return void (await Promise.all(seen.map((one) => fetchAlone(one, runs))));
  const { spec } = seen[0]!;
  await asking(seen, runs, async (signal) => {
    const asked = { key: seen.map((one) => one.spec.key), run: runs, ...windowOf(spec) };
    const answers = await api.manySeries(spec.project, asked, signal);
    for (const [i, entry] of seen.entries()) {
      take(entry, runs, answers[i]!);
      await new Promise((next) => setTimeout(next)); // a frame need not wait until all charts are drawn
    }
  });
}

async function asking(entries: readonly SeriesEntry[], runs: readonly string[], ask: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const began = Date.now();
  const control = new AbortController();
  const stop = (): void => {
    if (entries.every((one) => one.seen === 0)) control.abort();
  };
  for (const entry of entries) {
    entry.isLoading.value = true;
    entry.stop = stop;
    runs.forEach((run) => entry.grown.delete(run));
  }
  try {
    await ask(control.signal);
    noteAnswer();
    const notBefore = Date.now() + Math.max(MIN_PAUSE_MS, 3 * (Date.now() - began));
    for (const entry of entries) {
      entry.error.value = null;
      entry.isReady.value = true;
      entry.notBefore = notBefore;
    }
  } catch (error) {
    for (const entry of entries) runs.forEach((run) => entry.grown.add(run));
    if (control.signal.aborted) return;
    const shown = noteFailure(error);
    for (const entry of entries) {
      entry.error.value = shown;
      entry.notBefore = Date.now() + FAILED_PAUSE_MS;
    }
  } finally {
    for (const entry of entries) {
      entry.isLoading.value = false;
      entry.stop = null;
    }
  }
}

function take(entry: SeriesEntry, runs: readonly string[], answer: SeriesAnswer): void {
  const lines = new Map(entry.lines.peek());
  for (const run of runs) lines.set(run, emptyLine(run));
  for (const line of answer.series) lines.set(line.run, line);
  entry.lines.value = lines;
  entry.unknown.value = answer.unknown ?? [];
}

const emptyLine = (run: string): SeriesData =>
  ({ run, exact: true, total: 0, x: [], step: [], time: [], last: [], marks: [] });

let running = 0;
const waiting: (() => void)[] = [];

/** Does so many pieces of work at once, the others in their order. */
export async function inTurn(work: () => Promise<void>): Promise<void> {
  if (running >= TOGETHER) await new Promise<void>((start) => waiting.push(start));
  running += 1;
  try {
    await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}
