/** Config values of one or several runs, key by key: which are the same, which differ. */

import type { Value } from "../api/types";
import { formatValue } from "../format/number";

const order = new Intl.Collator("en", { numeric: true });

/** Nested values under dotted keys, in natural order. */
export function flatten(values: Record<string, Value>, prefix = ""): [string, Value][] {
  return Object.entries(values).flatMap(([key, value]): [string, Value][] =>
    value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length > 0
      ? flatten(value, `${prefix}${key}.`)
      : [[prefix + key, value]],
  );
}

export interface ValueRow { key: string; values: (Value | undefined)[]; differs: boolean }

/** A row a key over all runs; `undefined` where a run has not got the key. Objects compare by what is in them. */
export function valueRows(all: readonly Record<string, Value>[]): ValueRow[] {
  const maps = all.map((one) => new Map(flatten(one)));
  const keys = [...new Set(maps.flatMap((one) => [...one.keys()]))].sort(order.compare);
  return keys.map((key) => {
    const values = maps.map((one) => one.get(key));
    const words = values.map((one) => (one === undefined ? "" : stable(one)));
    return { key, values, differs: words.some((one) => one !== words[0]) };
  });
}

/** JSON with sorted keys: equal values read alike. */
function stable(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(stable).join(",")}]`;
  if (value !== null && typeof value === "object")
    return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${stable(value[key]!)}`).join(",")}}`;
  return JSON.stringify(value);
}

/** Here nothing is rounded: a config is read to be repeated. */
export const exact = (value: Value | undefined): string =>
  value === undefined ? "" : typeof value === "number" ? String(value) : formatValue(value);
