/** Scatter, bars and parallel coordinates of runs: plain values in, drawings out. */

import type { RunRow } from "../api/types";
import { paintAxes, tickLabel, ticksOf, type Area } from "../chart/axes";
import type { Pen } from "../chart/pen";
import { makeScale } from "../chart/scale";
import { formatNumber, plural } from "../format/number";
import type { Palette } from "../theme/theme";
import { dimension, type Dimension } from "./dimension";
import type { Drawing, Hit } from "./OwnCanvas";
import { runName } from "./rows";
import { inOrder, type Spot } from "./walk";

export interface Look { palette: Palette; colourOf: (row: RunRow) => string }

const REACH = 12;

const facts = (row: RunRow, dimensions: readonly Dimension[]): Hit =>
  ({ run: row.id, title: runName(row), facts: dimensions.map((one) => [one.axis.title.replace(/ \(log\)$/, ""), one.text(row)] as const) });

const cellsOf = (rows: readonly RunRow[], dimensions: readonly Dimension[]) => () => ({
  head: ["run", "id", ...dimensions.map((one) => one.field)],
  rows: rows.map((row) => [runName(row), row.id, ...dimensions.map((one) => (one.axis.names ? one.text(row) : (one.place(row) ?? one.text(row))))]),
});

/** A dot a run; `more` are shown on pointing and in the CSV. */
export function scatter(rows: readonly RunRow[], x: Dimension, y: Dimension, more: readonly Dimension[], look: Look): Drawing {
  const placed = rows.flatMap((row) => {
    const [px, py] = [x.place(row), y.place(row)];
    return px === null || py === null ? [] : [{ row, px, py }];
  });
  const areaOf = (width: number, height: number): Area => ghost(width, height, x, y, look);
  return {
    paint(pen, width, height, lit) {
      const area = paintAxes(pen, { width, height }, x.axis, y.axis, look.palette);
      const isCrowded = placed.length > 400;
      for (const { row, px, py } of placed) {
        const isLit = row.id === lit;
        if (isLit) continue;
        dot(pen, area.x(px), area.y(py), isCrowded ? 2.5 : 4, look.colourOf(row), lit !== null ? 0.35 : 0.85);
      }
      const one = placed.find(({ row }) => row.id === lit);
      if (one) {
        dot(pen, area.x(one.px), area.y(one.py), 7, look.palette.surface, 1);
        dot(pen, area.x(one.px), area.y(one.py), 5.5, look.colourOf(one.row), 1);
      }
    },
    hit(left, top, width, height) {
      const area = areaOf(width, height);
      let best: RunRow | null = null;
      let distance = REACH;
      for (const { row, px, py } of placed) {
        const far = Math.hypot(area.x(px) - left, area.y(py) - top);
        if (far < distance) [best, distance] = [row, far];
      }
      return best && facts(best, [x, y, ...more]);
    },
    spots(_at, width, height) {
      const area = areaOf(width, height);
      const all = placed.map(({ row, px, py }): Spot => ({ id: row.id, left: area.x(px), top: area.y(py), hit: facts(row, [x, y, ...more]) }));
      return { across: inOrder(all, "left"), down: inOrder(all, "top") };
    },
    cells: cellsOf(rows, [x, y, ...more]),
  };
}

/** The area that `paintAxes` would leave, without a trace. */
function ghost(width: number, height: number, x: Dimension, y: Dimension, look: Look): Area {
  return paintAxes(NOTHING, { width, height }, x.axis, y.axis, look.palette);
}
const NOTHING = new Proxy({} as Pen, { get: () => () => undefined, set: () => true });

function dot(pen: Pen, x: number, y: number, radius: number, colour: string, alpha: number): void {
  pen.globalAlpha = alpha;
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
  pen.globalAlpha = 1;
}

export interface Bar { id: string | null; name: string; value: number; low: number; high: number; count: number; colour: string }

/** The bars of runs, or of groups of them with their mean and extremes, largest first. */
export function barsOf(rows: readonly RunRow[], value: Dimension, group: Dimension | null, colourOf: (row: RunRow) => string, groupColour: (i: number) => string): Bar[] {
  const known = rows.flatMap((row) => {
    const place = value.axis.names ? null : value.place(row);
    return place === null ? [] : [{ row, place }];
  });
  if (!group)
    return known.map(({ row, place }) => ({ id: row.id, name: runName(row), value: place, low: place, high: place, count: 1, colour: colourOf(row) }))
      .sort((a, b) => b.value - a.value);
  const groups = new Map<string, number[]>();
  for (const { row, place } of known) groups.set(group.text(row), [...(groups.get(group.text(row)) ?? []), place]);
  return [...groups].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true })).map(([name, values], i) => ({
    id: null, name: `${group.axis.title.replace(/ \(log\)$/, "")} ${name}`, value: values.reduce((sum, one) => sum + one, 0) / values.length,
    low: Math.min(...values), high: Math.max(...values), count: values.length, colour: groupColour(i),
  })).sort((a, b) => b.value - a.value);
}

const ROW = 16;

export function bars(all: readonly Bar[], value: Dimension, look: Look): Drawing {
  const shownIn = (height: number): readonly Bar[] => all.slice(0, Math.max(1, Math.floor((height - 46) / ROW)));
  const layout = (pen: Pen, width: number, height: number) => {
    const shown = shownIn(height);
    const names = shown.map((one) => one.name);
    if (shown.length < all.length) names.push(`… ${all.length - shown.length} more`);
    let [min, max] = [0, 0];
    for (const one of all) [min, max] = [Math.min(min, one.low), Math.max(max, one.high)];
    const room = (max - min) * 0.04 || 1;
    const x = { range: { min: min < 0 ? min - room : 0, max: max > 0 ? max + room : 0 }, isLog: false, kind: value.axis.kind, title: value.field.replace(/^(config|summary)\./, "") };
    const y = { range: { min: names.length - 0.4, max: -0.6 }, isLog: false, kind: "number" as const, title: "", names };
    return { shown, area: paintAxes(pen, { width, height }, x, y, look.palette) };
  };
  const hitOf = (one: Bar): Hit => {
    const range = one.count > 1 ? [[plural(one.count, "run"), `${formatNumber(one.low, 4)} … ${formatNumber(one.high, 4)}`] as const] : [];
    return { run: one.id, title: one.name, facts: [[value.axis.title, formatNumber(one.value, 5)], ...range] };
  };
  return {
    paint(pen, width, height, lit) {
      const { shown, area } = layout(pen, width, height);
      const half = Math.min(9, (Math.abs(area.y(1) - area.y(0)) * 0.72) / 2);
      shown.forEach((one, i) => {
        const [from, to] = [area.x(0), area.x(one.value)];
        pen.globalAlpha = lit !== null && one.id !== lit ? 0.35 : 0.9;
        pen.fillStyle = one.colour;
        pen.fillRect(Math.min(from, to), area.y(i) - half, Math.max(1, Math.abs(to - from)), 2 * half);
        if (one.high > one.low) {
          pen.strokeStyle = look.palette.text;
          pen.lineWidth = 1.2;
          pen.beginPath();
          pen.moveTo(area.x(one.low), area.y(i));
          pen.lineTo(area.x(one.high), area.y(i));
          pen.stroke();
        }
      });
      pen.globalAlpha = 1;
    },
    hit(_left, top, width, height) {
      const { shown, area } = layout(NOTHING, width, height);
      const i = Math.round((top - area.y(0)) / (area.y(1) - area.y(0)));
      const one = shown[i];
      return one ? hitOf(one) : null;
    },
    spots(_at, width, height) {
      const { shown, area } = layout(NOTHING, width, height);
      const list = shown.map((one, i): Spot => ({ id: one.id ?? one.name, left: area.x(one.value), top: area.y(i), hit: hitOf(one) }));
      return { across: list, down: list };
    },
    cells: () => ({ head: ["name", value.field, "min", "max", "runs"], rows: all.map((one) => [one.name, one.value, one.low, one.high, one.count]) }),
  };
}

/** An axis a field and a line a run: which settings lead to which result. */
export function parallel(rows: readonly RunRow[], fields: readonly string[], look: Look): Drawing {
  const dimensions = fields.map((field) => dimension(field, rows));
  const layout = (width: number, height: number) => {
    const [left, right, top, bottom] = [60, width - 60, 30, height - 16];
    return dimensions.map((one, i) => ({
      one, x: dimensions.length === 1 ? width / 2 : left + ((right - left) * i) / (dimensions.length - 1),
      y: makeScale(one.axis.range, bottom, top, one.axis.isLog), top, bottom,
    }));
  };
  type Corner = { x: number; y: number };
  const path = (row: RunRow, axes: ReturnType<typeof layout>): Corner[] =>
    axes.flatMap(({ one, x, y }) => {
      const place = one.place(row);
      return place === null ? [] : [{ x, y: y(place) }];
    });
  const stroke = (pen: Pen, corners: readonly Corner[], colour: string, width: number, alpha: number): void => {
    pen.globalAlpha = alpha;
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    corners.forEach(({ x, y }, i) => {
      const before = corners[i - 1];
      if (!before) pen.moveTo(x, y);
      else pen.lineTo(x, y);
    });
    pen.stroke();
    pen.globalAlpha = 1;
  };
  return {
    paint(pen, width, height, lit) {
      const axes = layout(width, height);
      const alpha = rows.length > 200 ? 0.25 : 0.6;
      pen.setLineDash([]);
      pen.lineJoin = "round";
      for (const row of rows) if (row.id !== lit) stroke(pen, path(row, axes), look.colourOf(row), 1.2, lit !== null ? alpha / 3 : alpha);
      const room = Math.max(4, Math.floor((axes[1] ? axes[1].x - axes[0]!.x : 130) / 6.4));
      for (const { one, x, y, top, bottom } of axes) paintUpright(pen, one, x, y, top, bottom, look, room);
      const row = rows.find((one) => one.id === lit);
      if (row) stroke(pen, path(row, axes), look.colourOf(row), 2.6, 1);
    },
    hit(left, top, width, height) {
      const axes = layout(width, height);
      let best: RunRow | null = null;
      let distance = REACH;
      for (const row of rows) {
        const far = distanceTo(path(row, axes), left, top);
        if (far < distance) [best, distance] = [row, far];
      }
      return best && facts(best, dimensions);
    },
    // by the last axis, which is the result as a rule
    spots(_at, width, height) {
      const axes = layout(width, height);
      const all = rows.flatMap((row): Spot[] => {
        const corners = path(row, axes);
        const last = corners.at(-1);
        return last && corners.length > 1 ? [{ id: row.id, left: last.x, top: last.y, hit: facts(row, dimensions) }] : [];
      });
      const list = inOrder(all, "top");
      return { across: list, down: list };
    },
    cells: cellsOf(rows, dimensions),
  };
}

function paintUpright(pen: Pen, one: Dimension, x: number, y: (v: number) => number, top: number, bottom: number, look: Look, room: number): void {
  const { palette } = look;
  pen.strokeStyle = palette.axis;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(x, top);
  pen.lineTo(x, bottom);
  pen.stroke();
  pen.font = `11px ${palette.font}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = palette.text;
  const title = one.axis.title;
  pen.fillText(title.length > room ? `${title.slice(0, room - 1)}…` : title, x, top - 16);
  pen.textAlign = "left";
  const ticks = one.axis.names ? { values: one.axis.names.map((_n, i) => i), step: 1 } : ticksOf(one.axis, (bottom - top) / 30);
  for (const value of ticks.values) {
    const label = tickLabel(one.axis, value, ticks.step);
    const shown = label.length > 12 ? `${label.slice(0, 11)}…` : label;
    pen.fillStyle = palette.surface;
    pen.globalAlpha = 0.75;
    pen.fillRect(x + 3, y(value) - 7, 4 + 6.2 * shown.length, 14);
    pen.globalAlpha = 1;
    pen.fillStyle = palette.axis;
    pen.fillText(shown, x + 5, y(value));
  }
}

/** How far a point is from a line of straight pieces. */
export function distanceTo(spots: readonly { x: number; y: number }[], x: number, y: number): number {
  let best = Infinity;
  for (let i = 1; i < spots.length; i++) {
    const [a, b] = [spots[i - 1]!, spots[i]!];
    const length = (b.x - a.x) ** 2 + (b.y - a.y) ** 2 || 1;
    const t = Math.min(1, Math.max(0, ((x - a.x) * (b.x - a.x) + (y - a.y) * (b.y - a.y)) / length));
    best = Math.min(best, Math.hypot(a.x + t * (b.x - a.x) - x, a.y + t * (b.y - a.y) - y));
  }
  return best;
}
