/** A chart of lines as something that can be exported: drawn anew with its axes, and as a table. */

import { palette } from "../theme/theme";
import { axisKind, axisName } from "./axis";
import { paintAxes } from "./axes";
import type { ChartView } from "./Chart";
import { drawLines, EDGE, type Line } from "./draw";
import type { Cells, Picture } from "./picture";
import { lowerBound, type Range } from "./scale";

interface Drawn { title: string; lines: readonly Line[]; x: Range; y: Range; view: ChartView; width: number; height: number }

export function linePicture({ title, lines, x, y, view, width, height }: Drawn): Picture {
  return {
    title, width, height,
    legend: lines.map(({ name, colour, isDashed }) => ({ name, colour, isDashed })),
    paint(pen, wide, high) {
      const xAxis = { range: x, isLog: view.logX, kind: axisKind(view.x), title: axisName(view.x) };
      const yAxis = { range: y, isLog: view.logY, kind: "number" as const, title: "" };
      const area = paintAxes(pen, { width: wide, height: high }, xAxis, yAxis, palette.peek());
      pen.save();
      pen.beginPath();
      pen.rect(area.left - EDGE, area.top, area.width + 2 * EDGE, area.height);
      pen.clip();
      drawLines(pen, lines, { ...area, ratio: 1 });
      pen.restore();
    },
    cells: () => lineCells(lines, x, view.x),
  };
}

/** One row a point or bucket of the shown window; NaN and infinities stand among them as marks do. */
export function lineCells(lines: readonly Line[], window: Range, x: string): Cells {
  const hasSmooth = lines.some(({ data }) => data.smooth);
  const head = ["run", x === "step" ? "x" : axisName(x), "step", "time", "value", "min", "max", "count", ...(hasSmooth ? ["smoothed"] : [])];
  const rows: (string | number | null)[][] = [];
  for (const { name, data } of lines) {
    const from = lowerBound(data.x, window.min);
    const to = lowerBound(data.x, window.max + Number.EPSILON * Math.abs(window.max));
    const own: (string | number | null)[][] = [];
    for (let i = from; i <= to && i < data.x.length; i++) {
      if (data.x[i]! > window.max) break;
      const value = data.exact ? data.last[i]! : (data.mean ?? data.last)[i]!;
      own.push([
        name, data.x[i]!, data.step[i] ?? null, data.time[i] ?? null, value, data.min?.[i] ?? value, data.max?.[i] ?? value,
        data.count?.[i] ?? 1, ...(hasSmooth ? [data.smooth?.[i] ?? null] : []),
      ]);
    }
    for (const mark of data.marks)
      if (mark.x >= window.min && mark.x <= window.max)
        own.push([name, mark.x, mark.step, null, mark.value, null, null, mark.count, ...(hasSmooth ? [null] : [])]);
    own.sort((a, b) => (a[1] as number) - (b[1] as number));
    rows.push(...own);
  }
  return { head, rows };
}
