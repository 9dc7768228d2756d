/** uPlot as the frame of a chart: axes, cursor and drag-zoom. The lines are drawn by `draw.ts` in its draw hook. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { logTick, tickText, TIME_STEPS, type AxisKind } from "./axis";
import type { Line } from "./draw";
import { makeLayers, type Layers } from "./layers";
import { makeScale, type Range } from "./scale";

export interface PlotSetup {
  kind: AxisKind;
  logX: boolean;
  logY: boolean;
  colours: { axis: string; grid: string; font: string };
  onZoom: (range: Range) => void;
  onReset: () => void;
  /** The pointer in data x, with its place over the plot in CSS pixels; null when it leaves. */
  onPoint: (at: { x: number; left: number; top: number } | null) => void;
}

export interface PlotContent { lines: readonly Line[]; x: Range; y: Range }

export interface Plot {
  readonly element: HTMLElement;
  show(content: PlotContent): void;
  /** Makes one run's line stand out and the others step back; null ends it. */
  stress(run: string | null): void;
  resize(width: number, height: number): void;
  /** Puts the crosshair at a data x that another chart points at; null takes it away. */
  point(x: number | null): void;
  /** The data x at a share of the plot's width, and that place in CSS pixels. */
  at(share: number): { x: number; left: number };
  /** CSS pixels within the plotting area, for hit tests. */
  scales(): { x: (v: number) => number; y: (v: number) => number };
  destroy(): void;
}

export function makePlot(host: HTMLElement, width: number, height: number, setup: PlotSetup): Plot {
  let content: PlotContent = { lines: [], x: { min: 0, max: 1 }, y: { min: 0, max: 1 } };

  const axis = {
    stroke: setup.colours.axis,
    font: `11px ${setup.colours.font}`,
    ticks: { show: false },
    border: { show: false },
  };
  const labels = (_u: uPlot, splits: number[], _axis: number, _space: number, step: number): string[] =>
    splits.map((v) => (v === null ? "" : setup.logY ? logTick(v) : tickText("number", v, step || v)));
  // a log axis has a line a decade; within one decade, all of them
  const decades = (splits: number[]): (number | null)[] => {
    const whole = splits.filter((v) => v !== null && Math.abs(Math.log10(v) % 1) < 1e-9);
    return whole.length >= 2 ? splits.map((v) => (whole.includes(v) ? v : null)) : splits;
  };

  let layers: Layers | null = null;
  const u = new uPlot(
    {
      width,
      height,
      legend: { show: false },
      padding: [8, 16, 0, 0],
      series: [{}, { paths: () => null, points: { show: false } }],
      scales: {
        x: { time: false, distr: setup.logX ? 3 : 1, range: () => [content.x.min, content.x.max] },
        y: { distr: setup.logY ? 3 : 1, range: () => [content.y.min, content.y.max] },
      },
      axes: [
        {
          ...axis, size: 24, gap: 4, space: setup.kind === "number" ? 52 : 70, grid: { show: false },
          ...(setup.kind === "number" ? {} : { incrs: TIME_STEPS }),
          values: (_u, splits, _i, _space, step) =>
            splits.map((v) => (v === null ? "" : setup.logX && setup.kind === "number" ? logTick(v) : tickText(setup.kind, v, step || v))),
        },
        {
          ...axis, gap: 6, space: 34,
          grid: { stroke: setup.colours.grid, width: 1, ...(setup.logY ? { filter: (_u, splits) => decades(splits) } : {}) },
          ...(setup.logY ? { filter: (_u: uPlot, splits: number[]) => decades(splits) } : {}),
          values: labels,
          size: (_u, values) => 14 + 6.3 * Math.max(3, ...(values ?? []).map((one) => one.length)),
        },
      ],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 5 },
        bind: { dblclick: () => () => (setup.onReset(), null) },
      },
      hooks: {
        draw: [(self) => layers?.draw(content, self.bbox)],
        setSelect: [
          (self) => {
            if (self.select.width < 3) return;
            const min = self.posToVal(self.select.left, "x");
            const max = self.posToVal(self.select.left + self.select.width, "x");
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            setup.onZoom({ min, max });
          },
        ],
        setCursor: [
          (self) => {
            const { left = -10, top = -10 } = self.cursor;
            // uPlot also calls this, later, for a crosshair that `point` placed: only the pointer itself counts
            if (left >= 0 && !self.over.matches(":hover")) return;
            setup.onPoint(left < 0 ? null : { x: self.posToVal(left, "x"), left, top });
          },
        ],
      },
    },
    [[0, 1], [null, null]],
    host,
  );
  layers = makeLayers(u.over, setup);
  layers.draw(content, u.bbox);

  // what arrives in the middle of a drag waits for its end: new scales would take the selection away
  let isHeld = false;
  let waiting: PlotContent | null = null;
  const hold = (): void => void (isHeld = true);
  const release = (): void => {
    isHeld = false;
    const next = waiting;
    waiting = null;
    if (next) show(next);
  };
  u.over.addEventListener("mousedown", hold);
  addEventListener("mouseup", release); // behind uPlot's own, which is the document's
  function show(next: PlotContent): void {
    if (isHeld) return void (waiting = next);
    const isSameFrame = next.x.min === content.x.min && next.x.max === content.x.max
      && next.y.min === content.y.min && next.y.max === content.y.max;
    content = next;
    if (isSameFrame) layers?.draw(content, u.bbox);
    else u.setData([[next.x.min, next.x.max], [null, null]], true);
  }

  return {
    element: u.over,
    show,
    stress: (run) => layers?.stress(run),
    resize: (w, h) => u.setSize({ width: w, height: h }),
    point(x) {
      if (isHeld) return; // a drag that leaves the plot takes the crosshair from all charts, and would lose its own end
      const left = x === null ? -10 : u.valToPos(x, "x");
      const isOutside = left < 0 || left > u.over.clientWidth;
      u.setCursor({ left: isOutside ? -10 : left, top: isOutside ? -10 : 0 });
    },
    at: (share) => ({ x: u.posToVal(share * u.over.clientWidth, "x"), left: share * u.over.clientWidth }),
    scales: () => ({
      x: makeScale(content.x, 0, u.over.clientWidth, setup.logX),
      y: makeScale(content.y, u.over.clientHeight, 0, setup.logY),
    }),
    destroy() {
      removeEventListener("mouseup", release);
      u.destroy();
    },
  };
}
