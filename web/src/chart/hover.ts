/** What the pointer means: the shared crosshair, and the values of the lines under it. */

import { signal } from "@preact/signals";
import { formatNumber } from "../format/number";
import type { Line } from "./draw";
import { drawn, nearest, type Range } from "./scale";

export interface HoverRow {
  run: string;
  name: string;
  colour: string;
  isDashed: boolean;
  value: number;
  /** The extremes of the bucket under the pointer, when it holds more than one point. */
  low: number | null;
  high: number | null;
  raw: number | null;
  /** How far the value is from the baseline's. */
  delta: number | null;
  /** The runs behind a group's value. */
  runs: number | null;
  isBase: boolean;
}

export interface Hover {
  chart: string;
  heading: string;
  rows: HoverRow[];
  more: number;
  near: string | null;
  /** Viewport pixels of the crosshair and of the plotting area. */
  left: number;
  top: number;
  bottom: number;
}

/** The x that the pointer is at, and the chart that it is over. Every chart with the same x draws it. */
export const crosshair = signal<{ chart: string; axis: string; x: number } | null>(null);
export const hover = signal<Hover | null>(null);

export const ROWS_SHOWN = 12;

/** `step 40: a 0.5, b 0.3`. */
export const rowWords = (heading: string, rows: readonly HoverRow[]): string =>
  `${heading}: ${rows.slice(0, ROWS_SHOWN).map((row) => `${row.name} ${formatNumber(row.value)}`).join(", ") || "nothing"}`;

/** The value of each line at `x`, largest first. Lines that have nothing near `x` are left out. */
export function rowsAt(lines: readonly Line[], x: number, window: Range): HoverRow[] {
  const reach = (window.max - window.min) * 0.03;
  const rows: HoverRow[] = [];
  for (const { run, name, colour, isDashed, isBase = false, data } of lines) {
    const i = nearest(data.x, x);
    if (i < 0) continue;
    const isInside = x >= data.x[0]! && x <= data.x.at(-1)!;
    if (!isInside && Math.abs(data.x[i]! - x) > reach) continue;
    const raw = drawn(data)[i]!;
    const smooth = data.smooth?.[i];
    const isBucket = !data.exact && (data.count?.[i] ?? 1) > 1;
    rows.push({
      run, name, colour, isDashed, isBase, value: smooth ?? raw, raw: smooth === undefined ? null : raw,
      delta: null, runs: data.isGroup ? (data.count?.[i] ?? null) : null,
      low: isBucket ? data.min![i]! : null, high: isBucket ? data.max![i]! : null,
    });
  }
  const base = rows.find((row) => row.isBase);
  if (base) for (const row of rows) row.delta = row.isBase ? null : row.value - base.value;
  return rows.sort((a, b) => b.value - a.value);
}

/** The run whose line is nearest to the pointer within `within` pixels, else null. */
export function nearestRun(
  rows: readonly HoverRow[], pointerY: number, toPixel: (value: number) => number, within = 24,
): string | null {
  let best: string | null = null;
  let distance = within;
  for (const row of rows) {
    const d = Math.abs(toPixel(row.value) - pointerY);
    if (d < distance) [best, distance] = [row.run, d];
  }
  return best;
}

/** At most `ROWS_SHOWN` rows around the one that is pointed at, so that it is always among them. */
export function windowOfRows(rows: HoverRow[], near: string | null): { rows: HoverRow[]; more: number } {
  if (rows.length <= ROWS_SHOWN) return { rows, more: 0 };
  const at = Math.max(0, rows.findIndex((row) => row.run === near));
  const from = Math.max(0, Math.min(at - (ROWS_SHOWN >> 1), rows.length - ROWS_SHOWN));
  return { rows: rows.slice(from, from + ROWS_SHOWN), more: rows.length - ROWS_SHOWN };
}
