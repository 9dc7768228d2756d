/** A histogram over steps: one column a record, lighter or darker by the share of values in each bin. */

import { rampColour } from "../theme/ramp";
import { cursorText } from "../chart/axis";
import { paintAxes, type Area } from "../chart/axes";
import type { Pen } from "../chart/pen";
import { formatNumber } from "../format/number";
import type { Palette } from "../theme/theme";
import type { Drawing, Hit } from "./OwnCanvas";
import type { Spot } from "./walk";

export interface Column { step: number; counts: readonly number[]; edges: readonly number[] }

/** Of a media record's value; null where that is no histogram. */
export function columnOf(step: unknown, value: unknown): Column | null {
  if (typeof step !== "number" || typeof value !== "object" || value === null) return null;
  const { counts, edges } = value as { counts?: unknown; edges?: unknown };
  const isNumbers = (list: unknown): list is number[] => Array.isArray(list) && list.every((one) => typeof one === "number" && Number.isFinite(one));
  return isNumbers(counts) && isNumbers(edges) && counts.length > 0 && edges.length === counts.length + 1 ? { step, counts, edges } : null;
}

const shares = ({ counts }: Column): number[] => {
  const total = counts.reduce((sum, one) => sum + one, 0) || 1;
  return counts.map((one) => one / total);
};

export function histogram(columns: readonly Column[], run: { id: string; name: string }, title: string, look: { palette: Palette; ramp: readonly string[] }): Drawing {
  const sorted = [...columns].sort((a, b) => a.step - b.step);
  const each = sorted.map(shares);
  const most = Math.max(1e-12, ...each.flat());
  let [low, high] = [Infinity, -Infinity];
  for (const one of sorted) [low, high] = [Math.min(low, one.edges[0]!), Math.max(high, one.edges.at(-1)!)];
  // a column reaches half way to its neighbours
  const bounds = sorted.map((one, i) => {
    const before = sorted[i - 1] ?? { step: one.step - ((sorted[i + 1]?.step ?? one.step + 1) - one.step) };
    const after = sorted[i + 1] ?? { step: one.step + (one.step - before.step) };
    return [(before.step + one.step) / 2, (one.step + after.step) / 2] as const;
  });
  const x = { range: { min: bounds[0]?.[0] ?? 0, max: bounds.at(-1)?.[1] ?? 1 }, isLog: false, kind: "number" as const, title: "step" };
  const y = { range: low < high ? { min: low, max: high } : { min: low - 0.5, max: low + 0.5 }, isLog: false, kind: "number" as const, title };
  const areaOf = (pen: Pen, width: number, height: number): Area => paintAxes(pen, { width, height }, x, y, look.palette);
  const hitOf = (i: number, bin: number): Hit => {
    const one = sorted[i]!;
    const title = `${run.name} · ${cursorText("step", one.step)}`;
    if (bin < 0) return { run: run.id, title, facts: [] };
    const range = `${formatNumber(one.edges[bin]!)} … ${formatNumber(one.edges[bin + 1]!)}`;
    return { run: run.id, title, facts: [[range, `${formatNumber(one.counts[bin]!)} (${(100 * each[i]![bin]!).toFixed(1)} %)`]] };
  };
  return {
    paint(pen, width, height) {
      const area = areaOf(pen, width, height);
      sorted.forEach((one, i) => {
        const [from, to] = bounds[i]!;
        const left = Math.round(area.x(from));
        const right = Math.round(area.x(to));
        one.counts.forEach((count, bin) => {
          if (count <= 0) return;
          const [bottom, top] = [Math.round(area.y(one.edges[bin]!)), Math.round(area.y(one.edges[bin + 1]!))];
          const share = each[i]![bin]! / most;
          pen.fillStyle = rampColour(look.ramp, Math.sqrt(share));
          pen.globalAlpha = 0.25 + 0.75 * Math.sqrt(share);
          pen.fillRect(left, top, Math.max(1, right - left), Math.max(1, bottom - top));
        });
      });
      pen.globalAlpha = 1;
    },
    hit(left, top, width, height) {
      const area = areaOf(QUIET, width, height);
      const i = bounds.findIndex(([from, to]) => left >= area.x(from) && left < area.x(to));
      const one = sorted[i];
      return one ? hitOf(i, one.counts.findIndex((_count, at) => top <= area.y(one.edges[at]!) && top > area.y(one.edges[at + 1]!))) : null;
    },
    // from column to column at one height, and through the bins of a column; from outside, to the fullest bin
    spots(at, width, height) {
      const area = areaOf(QUIET, width, height);
      const spot = (i: number, bin: number): Spot => {
        const { edges } = sorted[i]!;
        const [from, to] = bounds[i]!;
        return { id: `${i} ${bin}`, left: (area.x(from) + area.x(to)) / 2, top: (area.y(edges[bin]!) + area.y(edges[bin + 1]!)) / 2, hit: hitOf(i, bin) };
      };
      const [before = -1, beside = -1] = at === null ? [] : at.split(" ").map(Number);
      const isThere = sorted[before]?.counts[beside] !== undefined;
      const [column, bin] = isThere ? [before, beside] : [0, each[0]!.indexOf(Math.max(...each[0]!))];
      const { edges } = sorted[column]!;
      const value = (edges[bin]! + edges[bin + 1]!) / 2;
      const binAt = (i: number): number => {
        if (i === column) return bin;
        const above = sorted[i]!.edges.findIndex((edge) => edge > value);
        return above < 0 ? sorted[i]!.counts.length - 1 : Math.max(0, above - 1);
      };
      return { across: sorted.map((_one, i) => spot(i, binAt(i))), down: sorted[column]!.counts.map((_count, i) => spot(column, i)).reverse() };
    },
    cells: () => ({
      head: ["run", "step", "from", "to", "count"],
      rows: sorted.flatMap((one) => one.counts.map((count, bin) => [run.name, one.step, one.edges[bin]!, one.edges[bin + 1]!, count])),
    }),
  };
}

const QUIET = new Proxy({} as Pen, { get: () => () => undefined, set: () => true });
