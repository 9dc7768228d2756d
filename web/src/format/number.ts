/** Numbers as people read them: short, aligned, and never rounded into a lie. */

import type { Value } from "../api/types";

const NONFINITE = new Set(["NaN", "Infinity", "-Infinity"]);

/** `0.00001234` → `1.234e-5`, `1234567` → `1.235M` when `short`, else up to `digits` significant digits. */
export function formatNumber(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e7) return minus(value.toLocaleString("en-US"));
  if (size >= 1e7 || size < 1e-4) return minus(trimExponent(value.toExponential(digits - 1)));
  return minus(trimZeros(value.toPrecision(Math.max(digits, size >= 1 ? Math.ceil(Math.log10(size)) : 0))));
}

const SUFFIXES: readonly [number, string][] = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

/** Axis labels: `1500` → `1.5k`; `step` is the distance between labels, so that neighbours never read alike. */
export function formatTick(value: number, step: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e15 || (size < 0.01 && Math.abs(step) < 1e-3)) return minus(trimExponent(value.toExponential(2)));
  const [unit, suffix] = SUFFIXES.find(([one]) => size >= one && size >= 1e4) ?? [1, ""];
  return minus(`${(value / unit).toFixed(placesOf(step / unit))}${suffix}`);
}

/** Decimal places that show multiples of `step` exactly: 0.25 → 2, 0.1 → 1, 500 → 0. */
function placesOf(step: number): number {
  for (let places = 0; places < 8; places++) {
    const scaled = Math.abs(step) * 10 ** places;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * Math.max(1, scaled) && scaled >= 0.5) return places;
  }
  return 8;
}

const trimZeros = (text: string): string => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
const trimExponent = (text: string): string => text.replace(/\.?0*e/, "e").replace("e+", "e");
const minus = (text: string): string => text.replace(/^-/, "−");

export const isNumberLike = (value: Value | undefined): boolean =>
  typeof value === "number" || (typeof value === "string" && NONFINITE.has(value));

/** Any config or summary value on one line. */
export function formatValue(value: Value | undefined): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return formatNumber(value);
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "true" : "false";
  return JSON.stringify(value);
}

export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;

/** Bytes and the like for system charts. */
export function formatShort(value: number): string {
  const size = Math.abs(value);
  const found = SUFFIXES.find(([one]) => size >= one);
  return found && size >= 1e4 ? minus(`${trimZeros((value / found[0]).toPrecision(4))}${found[1]}`) : formatNumber(value);
}
