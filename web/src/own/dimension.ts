/** An axis made of the runs' values of one field: numbers as they are, words as categories. */

import type { RunRow, Value } from "../api/types";
import type { Axis } from "../chart/axes";
import { valueOf } from "../state/colouring";
import { fieldLabel } from "../state/groups";
import { formatValue } from "../format/number";

export interface Dimension {
  field: string;
  axis: Axis;
  /** Where on the axis a run is; null when it has no place there. */
  place: (row: RunRow) => number | null;
  text: (row: RunRow) => string;
}

const MOST_NAMES = 40;
const CLOCK = ["created", "started", "ended", "updated"];

/** Logarithmic where the values are positive and span more than two decades, as learning rates do. */
export function dimension(field: string, rows: readonly RunRow[]): Dimension {
  const values = rows.map((row) => valueOf(row, field));
  const text = (row: RunRow): string => formatValue(valueOf(row, field));
  const present = values.filter((one) => one !== null);
  const numbers = present.filter((one): one is number => typeof one === "number");
  const title = fieldLabel(field);
  const nonfinite = present.filter((one) => typeof one === "string" && /^(NaN|-?Infinity)$/.test(one)).length;
  if (numbers.length > 0 && numbers.length + nonfinite === present.length) {
    let [min, max] = [Infinity, -Infinity];
    for (const one of numbers) [min, max] = [Math.min(min, one), Math.max(max, one)];
    const isLog = min > 0 && max / min >= 100;
    const room = isLog ? (max / min) ** 0.05 : min === max ? Math.abs(min) * 0.1 || 1 : (max - min) * 0.05;
    const range = isLog ? { min: min / room, max: max * room } : { min: min - room, max: max + room };
    const kind = CLOCK.includes(field) ? "clock" : field === "duration" ? "duration" : "number";
    return {
      field, text, axis: { range, isLog, kind, title: isLog ? `${title} (log)` : title },
      place: (row) => {
        const value = valueOf(row, field);
        return typeof value === "number" ? value : null;
      },
    };
  }
  const order = new Intl.Collator("en", { numeric: true });
  const names = [...new Set(present.map(wordOf))].sort(order.compare).slice(0, MOST_NAMES);
  const at = new Map(names.map((name, i) => [name, i]));
  return {
    field, text, axis: { range: { min: -0.5, max: Math.max(0, names.length - 1) + 0.5 }, isLog: false, kind: "number", title, names },
    place: (row) => at.get(wordOf(valueOf(row, field))) ?? null,
  };
}

const wordOf = (value: Value): string => formatValue(value);
