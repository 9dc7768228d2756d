/** Linear and logarithmic scales, and the y range of a chart: plain values in, plain values out. */

import type { Numbers } from "../api/columns";
import type { SeriesData } from "../api/types";

export interface Range { min: number; max: number }

/** A value → pixel mapping `a + b·v` or `a + b·log10 v`; NaN where a log scale has no place for the value. */
export type Scale = (value: number) => number;

export function makeScale(range: Range, from: number, to: number, isLog: boolean): Scale {
  if (isLog) {
    const low = Math.log10(range.min);
    const b = (to - from) / (Math.log10(range.max) - low || 1);
    return (v) => (v > 0 ? from + b * (Math.log10(v) - low) : NaN);
  }
  const b = (to - from) / (range.max - range.min || 1);
  return (v) => from + b * (v - range.min);
}

/** First index whose x is not below `value` (x ascends). */
export function lowerBound(x: Numbers, value: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the entry of `x` nearest to `value`, or -1 when there is none. */
export function nearest(x: Numbers, value: number): number {
  if (x.length === 0) return -1;
  const i = lowerBound(x, value);
  if (i === 0) return 0;
  if (i === x.length) return x.length - 1;
  return value - x[i - 1]! <= x[i]! - value ? i - 1 : i;
}

/** The values a line is drawn through: the mean of a bucket, or the point itself. */
export const drawn = (line: SeriesData): Numbers => (line.exact ? line.last : (line.mean ?? line.last));

export function xRange(lines: readonly SeriesData[], isLog: boolean): Range | null {
  let min = Infinity;
  let max = -Infinity;
  for (const { x, marks } of lines) {
    for (const one of [x[isLog ? lowerBound(x, Number.MIN_VALUE) : 0], x[x.length - 1], marks[0]?.x, marks.at(-1)?.x]) {
      if (one === undefined || (isLog && one <= 0)) continue;
      if (one < min) min = one;
      if (one > max) max = one;
    }
  }
  if (min > max) return null;
  if (min === max) return isLog ? { min: min / 2, max: max * 2 } : { min: min - 0.5, max: max + 0.5 };
  return { min, max };
}

export interface YOptions { isLog: boolean; cutOutliers: boolean }

/** The range that holds every value (extremes of buckets too) in the x window, padded; null when there is none. */
export function yRange(lines: readonly SeriesData[], window: Range, { isLog, cutOutliers }: YOptions): Range | null {
  let min = Infinity;
  let max = -Infinity;
  const sample: number[] = [];
  const take = (value: number | undefined): void => {
    if (value === undefined || (isLog && value <= 0)) return;
    if (value < min) min = value;
    if (value > max) max = value;
  };
  for (const line of lines) {
    const from = Math.max(0, lowerBound(line.x, window.min) - 1);
    const to = Math.min(line.x.length, lowerBound(line.x, window.max) + 1);
    const values = drawn(line);
    for (let i = from; i < to; i++) {
      if (cutOutliers) {
        const value = values[i]!;
        if (!isLog || value > 0) sample.push(value);
        continue;
      }
      take(line.smooth?.[i]);
      if (line.exact) {
        take(line.last[i]);
      } else {
        take(line.min?.[i]);
        take(line.max?.[i]);
        if (isLog) take(values[i]);
      }
    }
  }
  if (cutOutliers && sample.length > 0) {
    sample.sort((a, b) => a - b);
    const at = (q: number): number => sample[Math.round(q * (sample.length - 1))]!;
    [min, max] = sample.length < 20 ? [sample[0]!, sample.at(-1)!] : [at(0.02), at(0.98)];
  }
  if (min > max) return null;
  return pad({ min, max }, isLog);
}

/** A range with the ends that were given; one that would be empty or, on a log scale, impossible is left as it was. */
export function givenRange(found: Range, low: number | null, high: number | null, isLog: boolean): Range {
  const min = low === null || (isLog && low <= 0) ? found.min : low;
  const max = high === null || (isLog && high <= 0) ? found.max : high;
  if (min < max) return { min, max };
  if (low !== null && high === null) return { min, max: isLog ? min * 10 : min + Math.max(1, Math.abs(min) * 0.1) };
  if (high !== null && low === null) return { min: isLog ? max / 10 : max - Math.max(1, Math.abs(max) * 0.1), max };
  return found;
}

function pad({ min, max }: Range, isLog: boolean): Range {
  if (isLog) {
    const factor = min === max ? 2 : (max / min) ** 0.05;
    return { min: min / factor, max: max * factor };
  }
  const room = min === max ? Math.abs(min) * 0.1 || 1 : (max - min) * 0.06;
  return { min: min - room, max: max + room };
}
