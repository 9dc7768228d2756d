/** Draws lines, their envelopes, spikes and marks onto a canvas. Knows nothing of uPlot or the store. */

import type { Numbers } from "../api/columns";
import type { SeriesData } from "../api/types";
import type { Pen } from "./pen";
import { drawn, type Scale } from "./scale";

export interface Line {
  run: string;
  name: string;
  colour: string;
  isDashed: boolean;
  data: SeriesData;
  /** One of the runs behind a group's line. */
  isThin?: boolean;
  /** A pattern of dashes, in CSS pixels, instead of the usual one. */
  dash?: readonly number[];
  /** The run that the others are compared with. */
  isBase?: boolean;
  /** The runs of a group. */
  members?: ReadonlySet<string>;
}

/** The plotting area in canvas pixels and its scales; `ratio` is canvas pixels per CSS pixel. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
  ratio: number;
  x: Scale;
  y: Scale;
  /** How many points are stroked at a time; without it, a line is one path. */
  piece?: number;
}

const SPIKE = 6; // how many times the usual reach of an envelope makes an extreme a spike
// with more lines envelopes hide each other and cost a frame, as do wide strokes: one of a pixel is drawn many times as fast
const CROWD = 24;
export const EDGE = 4; // CSS pixels beside the plotting area: room for the dots of the first and last point

/** Draws all lines, in the order given, and then their marks. */
export function drawLines(ctx: Pen, lines: readonly Line[], frame: Frame): void {
  const isCrowd = lines.length > CROWD;
  for (const line of lines) drawLine(ctx, line, frame, { isLoud: false, isCrowd });
  for (const line of lines) {
    drawBeyond(ctx, line, frame);
    drawMarks(ctx, line, frame);
  }
}

/** Draws the one line that stands out. */
export function drawLoud(ctx: Pen, line: Line, frame: Frame): void {
  drawLine(ctx, line, frame, { isLoud: true, isCrowd: false });
  drawMarks(ctx, line, frame);
}

interface Manner { isLoud: boolean; isCrowd: boolean }

function drawLine(ctx: Pen, line: Line, frame: Frame, { isLoud, isCrowd }: Manner): void {
  const { data } = line;
  ctx.strokeStyle = line.colour;
  ctx.fillStyle = line.colour;
  ctx.setLineDash([]);
  ctx.lineCap = "round";
  ctx.lineJoin = data.x.length > 100 ? "bevel" : "round"; // round joins of dense lines cost most of a stroke
  const isSmooth = data.smooth !== undefined && data.smooth.length === data.x.length;
  if (!data.exact && data.min && data.max) {
    if (!isCrowd) {
      ctx.globalAlpha = isSmooth && !data.isGroup ? 0.1 : 0.18;
      traceEnvelope(ctx, data.x, data.min, data.max, frame);
      ctx.fill();
    }
    ctx.lineWidth = frame.ratio;
    ctx.globalAlpha = isSmooth ? 0.35 : 0.85;
    traceSpikes(ctx, data, frame);
    ctx.stroke();
  }
  const dash = line.dash ?? (line.isDashed ? [5, 3.5] : []);
  if (dash.length > 0) ctx.setLineDash(dash.map((one) => one * frame.ratio));
  const values = drawn(data);
  if (isSmooth) {
    ctx.globalAlpha = 0.28;
    ctx.lineWidth = frame.ratio;
    trace(ctx, data.x, values, frame);
    ctx.stroke();
  }
  ctx.globalAlpha = line.isThin && !isLoud ? 0.55 : 1;
  ctx.lineWidth = (isLoud || line.isBase ? 2.25 : line.isThin || isCrowd ? 1 : data.isGroup ? 2 : 1.5) * frame.ratio;
  // pieces would show where they meet if the line were dashed or shone through
  const isWhole = dash.length > 0 || ctx.globalAlpha < 1;
  const shown = isSmooth ? data.smooth! : values;
  const piece = isWhole ? shown.length : (frame.piece ?? shown.length);
  for (let first = 0; first < shown.length; first += piece) {
    trace(ctx, data.x, shown, frame, first, first + piece + 1);
    ctx.stroke();
  }
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
  if (data.x.length * 14 * frame.ratio <= frame.width || data.x.length === 1) drawDots(ctx, data.x, values, frame);
}

function trace(ctx: Pen, x: Numbers, y: Numbers, frame: Frame, first = 0, end = x.length): void {
  ctx.beginPath();
  let isDown = false;
  for (let i = first; i < Math.min(end, x.length); i++) {
    const px = frame.x(x[i]!);
    const py = frame.y(y[i]!);
    if (Number.isNaN(px) || Number.isNaN(py)) isDown = false;
    else if (isDown) ctx.lineTo(px, py);
    else {
      ctx.moveTo(px, py);
      isDown = true;
    }
  }
}

function traceEnvelope(
  ctx: Pen, x: Numbers, low: Numbers, high: Numbers, frame: Frame,
): void {
  const floor = frame.top + frame.height; // where a log scale has no place for a value
  ctx.beginPath();
  for (let i = 0; i < x.length; i++) {
    const py = frame.y(high[i]!);
    ctx.lineTo(frame.x(x[i]!), Number.isNaN(py) ? floor : py);
  }
  for (let i = x.length - 1; i >= 0; i--) {
    const py = frame.y(low[i]!);
    ctx.lineTo(frame.x(x[i]!), Number.isNaN(py) ? floor : py);
  }
  ctx.closePath();
}

/** The usual reach of a line's envelope: the median of (extreme − mean) over its buckets. */
function usualReach(data: SeriesData): number {
  const reach: number[] = [];
  const stride = Math.max(1, Math.floor(data.x.length / 200));
  for (let i = 0; i < data.x.length; i += stride) reach.push((data.max![i]! - data.min![i]!) / 2);
  reach.sort((a, b) => a - b);
  return reach[reach.length >> 1] ?? 0;
}

/** A single wild value in a bucket of thousands is a faint sliver of envelope: draw it as a line of its own. */
function traceSpikes(ctx: Pen, data: SeriesData, frame: Frame): void {
  const limit = SPIKE * usualReach(data);
  const values = drawn(data);
  ctx.beginPath();
  for (let i = 0; i < data.x.length; i++) {
    const value = values[i]!;
    for (const extreme of [data.max![i]!, data.min![i]!]) {
      if (Math.abs(extreme - value) <= limit) continue;
      const px = frame.x(data.x[i]!);
      const end = frame.y(extreme);
      const start = frame.y(value);
      if (Number.isNaN(px) || Number.isNaN(end) || Number.isNaN(start)) continue;
      ctx.moveTo(px, start);
      ctx.lineTo(px, end);
    }
  }
}

function drawDots(ctx: Pen, x: Numbers, y: Numbers, frame: Frame): void {
  const radius = (x.length === 1 ? 3 : 2) * frame.ratio;
  ctx.beginPath();
  for (let i = 0; i < x.length; i++) {
    const px = frame.x(x[i]!);
    const py = frame.y(y[i]!);
    if (Number.isNaN(px) || Number.isNaN(py)) continue;
    ctx.moveTo(px + radius, py);
    ctx.arc(px, py, radius, 0, 2 * Math.PI);
  }
  ctx.fill();
}

/** Values beyond the shown range of y are never silently gone: a small mark at the edge says that there are some. */
function drawBeyond(ctx: Pen, { data, colour }: Line, frame: Frame): void {
  const size = 2.6 * frame.ratio;
  const bottom = frame.top + frame.height;
  const drawnAt = { up: -Infinity, down: -Infinity };
  ctx.fillStyle = colour;
  ctx.globalAlpha = 1;
  ctx.beginPath();
  for (let i = 0; i < data.x.length; i++) {
    const px = frame.x(data.x[i]!);
    if (!(px >= frame.left && px <= frame.left + frame.width)) continue;
    const high = frame.y(data.exact ? data.last[i]! : (data.max?.[i] ?? NaN));
    const low = frame.y(data.exact ? data.last[i]! : (data.min?.[i] ?? NaN));
    if (high < frame.top - 0.5 && px - drawnAt.up > 3 * size) {
      triangle(ctx, px, frame.top + 1, size, 1);
      drawnAt.up = px;
    }
    if (low > bottom + 0.5 && px - drawnAt.down > 3 * size) {
      triangle(ctx, px, bottom - 1, size, -1);
      drawnAt.down = px;
    }
  }
  ctx.fill();
}

function triangle(ctx: Pen, px: number, tip: number, size: number, way: 1 | -1): void {
  ctx.moveTo(px, tip);
  ctx.lineTo(px - size, tip + way * 1.7 * size);
  ctx.lineTo(px + size, tip + way * 1.7 * size);
  ctx.closePath();
}

/** NaN is a cross and −∞ a triangle at the lower edge, +∞ a triangle at the upper edge. */
function drawMarks(ctx: Pen, line: Line, frame: Frame): void {
  const size = 3.5 * frame.ratio;
  ctx.strokeStyle = line.colour;
  ctx.fillStyle = line.colour;
  ctx.lineWidth = 1.5 * frame.ratio;
  for (const mark of line.data.marks) {
    const px = frame.x(mark.x);
    if (Number.isNaN(px)) continue;
    const isUp = mark.value === "Infinity";
    const py = isUp ? frame.top + size * 1.6 : frame.top + frame.height - size * 1.6;
    ctx.beginPath();
    if (mark.value === "NaN") {
      ctx.moveTo(px - size, py - size);
      ctx.lineTo(px + size, py + size);
      ctx.moveTo(px - size, py + size);
      ctx.lineTo(px + size, py - size);
      ctx.stroke();
    } else {
      const tip = isUp ? -size : size;
      ctx.moveTo(px, py + tip);
      ctx.lineTo(px - size, py - tip);
      ctx.lineTo(px + size, py - tip);
      ctx.closePath();
      ctx.fill();
    }
  }
}
