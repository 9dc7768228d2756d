/** Axis labels for steps, values, durations and the clock. */

import { formatTick } from "../format/number";
import { formatDuration } from "../format/time";

export type AxisKind = "number" | "duration" | "clock";

export const axisKind = (x: string): AxisKind => (x === "relative" ? "duration" : x === "wall" ? "clock" : "number");

export const axisName = (x: string): string =>
  x.startsWith("metric:") ? x.slice(7) : x === "relative" ? "time since start" : x === "wall" ? "wall time" : "step";

export const TIME_STEPS = [
  0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
  2 * 86400, 5 * 86400, 10 * 86400, 30 * 86400, 90 * 86400, 365 * 86400,
];

const two = (n: number): string => String(n).padStart(2, "0");

/** `11:54`, with seconds when the labels are closer than a minute, the date where a day begins. */
export function clockTick(time: number, step: number): string {
  const date = new Date(time * 1000);
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  if (step >= 86400 || isMidnight) return date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  const text = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return step < 60 ? `${text}:${two(date.getSeconds())}` : text;
}

export function durationTick(seconds: number, step: number): string {
  if (seconds === 0) return "0";
  if (step >= 86400) return `${formatTick(seconds / 86400, step / 86400)}d`;
  if (step >= 3600) return `${formatTick(seconds / 3600, step / 3600)}h`;
  if (Math.abs(seconds) >= 3600) return formatDuration(seconds);
  if (step >= 60) return `${formatTick(seconds / 60, step / 60)}m`;
  if (Math.abs(seconds) >= 60) return formatDuration(seconds);
  return `${formatTick(seconds, step)}s`;
}

export function tickText(kind: AxisKind, value: number, step: number): string {
  if (kind === "clock") return clockTick(value, step);
  if (kind === "duration") return durationTick(value, step);
  return formatTick(value, step);
}

/** Labels of a log axis have no common distance: each is as long as it must be. */
export const logTick = (value: number): string =>
  Math.abs(value) >= 1e4 || Math.abs(value) < 1e-3 ? `1e${Math.round(Math.log10(value))}`.replace("-", "−") : String(Number(value.toPrecision(3)));

/** The heading of the hover panel. */
export function cursorText(x: string, value: number): string {
  const kind = axisKind(x);
  if (kind === "clock") return new Date(value * 1000).toLocaleString("en-GB");
  if (kind === "duration") return formatDuration(value);
  const name = axisName(x);
  return `${name} ${name === "step" ? Math.round(value).toLocaleString("en-US") : formatTick(value, value / 1000)}`;
}
