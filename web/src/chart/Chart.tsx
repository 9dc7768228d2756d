/** One metric's chart: fetches what it shows while it is on the screen, and draws it. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { SeriesData } from "../api/types";
import { highlight } from "../state/store";
import type { View, Zoom } from "../state/url";
import { zoomTo } from "../state/zoom";
import { palette, slotColour, slotIsDashed } from "../theme/theme";
import { axisKind, cursorText } from "./axis";
import type { Line } from "./draw";
import { crosshair, hover, nearestRun, rowsAt, rowWords, windowOfRows } from "./hover";
import { keyed } from "./keyboard";
import { offerPicture } from "./picture";
import { makePlot, type Plot } from "./plot";
import { givenRange, xRange, yRange, type Range } from "./scale";

/** A line of a chart; its colour is its slot's unless it has one of its own. */
export interface ChartLine {
  run: string;
  name: string;
  slot: number;
  data: SeriesData;
  colour?: string;
  isDashed?: boolean;
  isThin?: boolean;
  isBase?: boolean;
  dash?: readonly number[];
  members?: ReadonlySet<string>;
}

export interface ChartView extends Pick<View, "x" | "logX" | "logY" | "outliers" | "zoom"> {
  /** Ends of the y axis that the user gave. */
  low?: number | null;
  high?: number | null;
}

export interface ChartProps {
  id: string;
  label: string;
  lines: readonly ChartLine[];
  view: ChartView;
  height: number;
  onWidth?: (width: number) => void;
  /** Where a zoom goes; without it, to all charts. */
  onZoom?: (zoom: Zoom | null) => void;
  /** The key and title under which the chart can be exported. */
  exported?: { key: string; title: string };
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
  const yWindow = useRef<Range>({ min: 0, max: 1 });
  const byKeys = useRef<number | null>(null);
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
      onZoom: (range) => (latest.current.onZoom ?? zoomTo)(tidyZoom(range, x)),
      onReset: () => (latest.current.onZoom ?? zoomTo)(null),
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

  useEffect(draw, [props.lines, props.view.zoom, props.view.outliers, props.view.low, props.view.high]);

  const { key = "", title = "" } = props.exported ?? {};
  useEffect(() => (key === "" ? undefined : offerPicture(props.id, key, async () => {
    const { linePicture } = await import("./linePicture");
    return linePicture({ title, lines: drawnLines.current, x: window_.current, y: yWindow.current, view: latest.current.view, width: width.peek(), height: latest.current.height });
  })), [props.id, key, title]);

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
    const found = yRange(data, window, { isLog: view.logY, cutOutliers: view.outliers })
      ?? (view.logY ? { min: 0.1, max: 10 } : { min: 0, max: 1 });
    const y = givenRange(found, view.low ?? null, view.high ?? null, view.logY);
    drawnLines.current = lines.map(({ slot, colour, isDashed, isBase = false, ...line }) =>
      ({ ...line, isBase, colour: isBase ? palette.peek().text : (colour ?? slotColour(slot)), isDashed: isDashed ?? slotIsDashed(slot) }));
    window_.current = window;
    yWindow.current = y;
    plot.current.show({ lines: drawnLines.current, x: window, y });
    plot.current.stress(highlight.peek());
    say(byKeys.current === null ? window.max : plot.current.at(byKeys.current).x);
  }

  /** What a screen reader hears of the crosshair. */
  function say(at: number): void {
    const { min, max } = window_.current;
    const words = { valuemin: min, valuemax: max, valuenow: at, valuetext: rowWords(cursorText(latest.current.view.x, at), rowsAt(drawnLines.current, at, window_.current)) };
    for (const [name, value] of Object.entries(words)) host.current?.setAttribute(`aria-${name}`, String(value));
  }

  function typed(event: KeyboardEvent): void {
    const made = plot.current;
    if (!made || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = keyed(event, byKeys.current);
    if (event.key === "Escape" && byKeys.current !== null) leave();
    else if (next === null) return;
    else if ("at" in next) {
      byKeys.current = next.at;
      const { x: place, left } = made.at(next.at);
      point({ x: place, left, top: -Infinity });
      made.point(place);
      say(place);
    } else {
      const { zoom } = latest.current.view;
      if (next.window[0] < 0 && zoom === null) return; // all of it is shown
      const [from, to] = next.window.map((share) => made.at(share).x);
      (latest.current.onZoom ?? zoomTo)(tidyZoom({ min: x === "step" || x === "relative" ? Math.max(0, from!) : from!, max: to! }, x));
    }
    event.preventDefault();
  }

  function leave(): void {
    if (byKeys.current === null) return;
    byKeys.current = null;
    point(null);
    plot.current?.point(null);
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

  return (
    <div class="chart" ref={host} role="slider" tabIndex={0} aria-label={props.label} aria-valuenow={0} onKeyDown={typed} onBlur={leave}
      style={{ height: `${props.height}px` }} />
  );
}
