/** Axes for charts that we draw wholly ourselves: ticks with round values, and their painting. */

import { logTick, tickText, TIME_STEPS, type AxisKind } from "./axis";
import type { Pen } from "./pen";
import { makeScale, type Range, type Scale } from "./scale";

export interface Axis { range: Range; isLog: boolean; kind: AxisKind; title: string; names?: readonly string[] }
export interface Colours { text: string; axis: string; grid: string; font: string }
export interface Area { left: number; top: number; width: number; height: number; x: Scale; y: Scale }

/** Round values within a range, about `count` of them, with the distance between them. */
export function ticksOf({ range, isLog, kind }: Pick<Axis, "range" | "isLog" | "kind">, count: number): { values: number[]; step: number } {
  if (isLog) return { values: decades(range), step: 0 };
  const wide = (range.max - range.min) / Math.max(1, count);
  const step = kind !== "number" ? (TIME_STEPS.find((one) => one >= wide) ?? wide) : roundUp(wide);
  const values: number[] = [];
  for (let n = Math.ceil(range.min / step - 1e-9); n * step <= range.max + step * 1e-9 && values.length < 200; n++) values.push(n * step);
  return { values, step };
}

function roundUp(wide: number): number {
  const unit = 10 ** Math.floor(Math.log10(wide));
  return unit * ([1, 2, 2.5, 5, 10].find((one) => one * unit >= wide * 0.999) ?? 10);
}

function decades({ min, max }: Range): number[] {
  const first = Math.floor(Math.log10(min));
  const last = Math.ceil(Math.log10(max));
  const stride = Math.max(1, Math.round((last - first) / 6));
  const values: number[] = [];
  for (let n = first; n <= last; n += stride)
    for (const part of last - first <= 2 ? [1, 2, 5] : [1]) {
      const value = Number((part * 10 ** n).toPrecision(3));
      if (value >= min * 0.9999 && value <= max * 1.0001) values.push(value);
    }
  return values;
}

export const tickLabel = (axis: Axis, value: number, step: number): string =>
  axis.names ? (axis.names[Math.round(value)] ?? "") : axis.isLog ? logTick(value) : tickText(axis.kind, value, step || value);

const short = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** Draws grid and labels, and returns the area that is left for the data. */
export function paintAxes(pen: Pen, size: { width: number; height: number }, x: Axis, y: Axis, colours: Colours): Area {
  const bottom = x.title ? 38 : 24;
  const top = 8;
  const height = Math.max(10, size.height - top - bottom);
  const yTicks = y.names ? { values: y.names.map((_n, i) => i), step: 1 } : ticksOf(y, height / 34);
  const yLabels = yTicks.values.map((v) => short(tickLabel(y, v, yTicks.step), 26));
  const left = 14 + 6.2 * Math.max(3, ...yLabels.map((one) => one.length)) + (y.title ? 14 : 0);
  const width = Math.max(10, size.width - left - 16);
  const area: Area = {
    left, top, width, height,
    x: makeScale(x.range, left, left + width, x.isLog), y: makeScale(y.range, top + height, top, y.isLog),
  };
  pen.font = `11px ${colours.font}`;
  pen.fillStyle = colours.axis;
  pen.strokeStyle = colours.grid;
  pen.lineWidth = 1;
  pen.globalAlpha = 1;
  pen.setLineDash([]);
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  yTicks.values.forEach((value, i) => {
    const at = Math.round(area.y(value)) + 0.5;
    if (!y.names) {
      pen.beginPath();
      pen.moveTo(left, at);
      pen.lineTo(left + width, at);
      pen.stroke();
    }
    pen.fillText(yLabels[i]!, left - 6, at);
  });
  pen.textBaseline = "top";
  pen.textAlign = "center";
  const xTicks = x.names ? { values: x.names.map((_n, i) => i), step: 1 } : ticksOf(x, width / (x.kind === "number" ? 64 : 84));
  for (const value of xTicks.values) pen.fillText(short(tickLabel(x, value, xTicks.step), 14), area.x(value), top + height + 7);
  if (x.title) pen.fillText(short(x.title, 80), left + width / 2, top + height + 23);
  if (y.title) {
    pen.textAlign = "left";
    pen.fillText(short(y.title, 60), left + 4, top - 6);
  }
  return area;
}
