/** Charts that have grown are asked for together: a step of training grows them all, and a request a chart would be dozens a second. */

import type { SeriesEntry } from "./series";

const GATHER_MS = 50;
const MIN_PAUSE_MS = 1000;
/** What one answer should hold: beyond it the first chart would wait for the last. */
const MOST_LINES = 200;
const MOST_CHARACTERS = 16_000;

const due = new Set<SeriesEntry>();
let isUnderWay = false;

/** `ask` gets all that have grown by then; the next tick is when it is done, and a pause as long as it deserves. */
export function atNextTick(entry: SeriesEntry, ask: (entries: readonly SeriesEntry[]) => Promise<unknown>): void {
  due.add(entry);
  if (isUnderWay) return;
  isUnderWay = true;
  void tick(ask);
}

async function tick(ask: (entries: readonly SeriesEntry[]) => Promise<unknown>): Promise<void> {
  try {
    while (due.size > 0) {
      await pause(GATHER_MS);
      const all = [...due];
      due.clear();
      const began = Date.now();
      await ask(all);
      await pause(Math.max(MIN_PAUSE_MS, 3 * (Date.now() - began)));
    }
  } finally {
    isUnderWay = false;
  }
}

const pause = (ms: number): Promise<void> => new Promise((over) => setTimeout(over, ms));

export interface Due { entry: SeriesEntry; runs: readonly string[] }
export interface Portion { entries: SeriesEntry[]; runs: readonly string[] }

/** What one request can ask for: the same runs over the same window, and no more than an answer should hold. */
export function portions(all: readonly Due[]): Portion[] {
  const found: Portion[] = [];
  const open = new Map<string, Portion & { characters: number }>();
  for (const { entry, runs } of all) {
    const alike = JSON.stringify([{ ...entry.spec, key: "" }, runs]);
    const length = encodeURIComponent(entry.spec.key).length;
    const last = open.get(alike);
    if (last && (last.entries.length + 1) * runs.length <= MOST_LINES && last.characters + length <= MOST_CHARACTERS) {
      last.entries.push(entry);
      last.characters += length;
    } else {
      const next = { entries: [entry], runs, characters: length };
      open.set(alike, next);
      found.push(next);
    }
  }
  return found;
}
