/** One metric's chart: fetches what it shows while it is on the screen, and draws it. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { SeriesData } from "../api/types";
import { highlight } from "../state/store";
import { setView, type View, type Zoom } from "../state/url";
import { palette, slotColour, slotIsDashed } from "../theme/theme";
import { axisKind, cursorText } from "./axis";
import type { Line } from "./draw";
import { crosshair, hover, nearestRun, rowsAt, windowOfRows } from "./hover";
import { makePlot, type Plot } from "./plot";
import { xRange, yRange, type Range } from "./scale";

export interface ChartLine { run: string; name: string; slot: number; data: SeriesData }

export interface ChartProps {
  id: string;
  label: string;
  lines: readonly ChartLine[];
  view: Pick<View, "x" | "logX" | "logY" | "outliers" | "zoom">;
  height: number;
  onWidth?: (width: number) => void;
}

/** Zoomed windows are whole steps, or ten digits: short in the URL, exact enough for the eye. */
export function tidyZoom(range: Range, x: string): Zoom {
  if (x === "step" && range.max - range.min > 4) return { min: Math.floor(range.min), max: Math.ceil(range.max) };
  return { min: Number(range.min.toPrecision(12)), max: Number(range.max.toPrecision(12)) };
}

export function Chart(props: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const drawnLines = useRef<Line[]>([]);
  const window_ = useRef<Range>({ min: 0, max: 1 });
  const width = useSignal(0);
  const { x, logX, logY } = props.view;
  const colours = palette.value;

  useEffect(() => {
    const element = host.current!;
    const observer = new ResizeObserver(([entry]) => {
      const next = Math.round(entry!.contentRect.width);
      if (next < 40 || next === width.peek()) return;
      width.value = next;
      latest.current.onWidth?.(next);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (width.value === 0) return;
    const made = makePlot(host.current!, width.value, props.height, {
      kind: axisKind(x), logX, logY, colours,
      onZoom: (range) => setView({ zoom: tidyZoom(range, x) }, { push: true }),
      onReset: () => setView({ zoom: null }, { push: true }),
      onPoint: (at) => point(at),
    });
    plot.current = made;
    draw();
    return () => {
      if (hover.peek()?.chart === props.id) point(null);
      made.destroy();
      plot.current = null;
    };
  }, [width.value > 0, x, logX, logY, colours]);

  useEffect(() => {
    if (width.value > 0) plot.current?.resize(width.value, props.height);
  }, [width.value, props.height]);

  useEffect(draw, [props.lines, props.view.zoom, props.view.outliers]);

  // the highlighted run and the shared crosshair change often: they redraw without rendering
  useSignalEffect(() => {
    const run = highlight.value; // read before the plot is there too, or nothing would be followed
    plot.current?.stress(run);
  });
  useSignalEffect(() => {
    const at = crosshair.value;
    if (at?.chart === props.id) return;
    plot.current?.point(at !== null && at.axis === latest.current.view.x ? at.x : null);
  });

  function draw(): void {
    if (!plot.current) return;
    const { lines, view } = latest.current;
    const data = lines.map((line) => line.data);
    const xs = view.zoom ?? xRange(data, view.logX) ?? { min: 0, max: 1 };
    const window = view.logX && xs.min <= 0 ? { min: Math.max(xs.max * 1e-6, 1e-9), max: xs.max } : xs;
    const y = yRange(data, window, { isLog: view.logY, cutOutliers: view.outliers })
      ?? (view.logY ? { min: 0.1, max: 10 } : { min: 0, max: 1 });
    drawnLines.current = lines.map(({ run, name, slot, data }) =>
      ({ run, name, data, colour: slotColour(slot), isDashed: slotIsDashed(slot) }));
    window_.current = window;
    plot.current.show({ lines: drawnLines.current, x: window, y });
    plot.current.stress(highlight.peek());
  }

  function point(at: { x: number; left: number; top: number } | null): void {
    if (!at || !plot.current) {
      if (crosshair.peek()?.chart === props.id) crosshair.value = null;
      if (hover.peek()?.chart === props.id) {
        hover.value = null;
        highlight.value = null;
      }
      return;
    }
    const all = rowsAt(drawnLines.current, at.x, window_.current);
    const near = nearestRun(all, at.top, plot.current.scales().y);
    const area = plot.current.element.getBoundingClientRect();
    crosshair.value = { chart: props.id, axis: latest.current.view.x, x: at.x };
    highlight.value = near;
    hover.value = {
      chart: props.id, heading: cursorText(latest.current.view.x, at.x), near, ...windowOfRows(all, near),
      left: area.left + at.left, top: area.top, bottom: area.bottom,
    };
  }

  return <div class="chart" ref={host} role="img" aria-label={props.label} style={{ height: `${props.height}px` }} />;
}
