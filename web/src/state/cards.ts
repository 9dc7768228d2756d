/** What a user set on single charts, and the charts that they made: plain values, kept in the address. */

export interface Window { min: number; max: number }

/** One chart's own settings. Null means: as the others. */
export interface CardSetting {
  key: string;
  low: number | null;
  high: number | null;
  logY: boolean | null;
  height: number | null;
  /** How many columns of the grid it is wide. */
  span: number | null;
  /** Zooms alone: `zoom` then is its own window. */
  isAlone: boolean;
  zoom: Window | null;
}

export const OWN_KINDS = ["lines", "expression", "scatter", "bar", "parallel", "histogram"] as const;
export type OwnKind = (typeof OWN_KINDS)[number];

/** A chart that a user made. `fields` are metrics (lines), columns such as `config.lr`, or a histogram's key. */
export interface OwnChart {
  id: string;
  kind: OwnKind;
  title: string;
  fields: string[];
  expression: string;
  colour: string;
}

/** `[key, before]`: the chart stands before another one of its section; "" is the end. */
export type Move = readonly [string, string];

const OWN = "own:";
export const ownKey = (id: string): string => OWN + id;
export const ownId = (key: string): string | null => (key.startsWith(OWN) ? key.slice(OWN.length) : null);

const NOTHING: Omit<CardSetting, "key"> = { low: null, high: null, logY: null, height: null, span: null, isAlone: false, zoom: null };
export const MOST_SPAN = 4;
export const HEIGHTS = { least: 100, most: 1200 };

export const settingOf = (cards: readonly CardSetting[], key: string): CardSetting =>
  cards.find((one) => one.key === key) ?? { key, ...NOTHING };

/** The settings with one chart's changed; what equals the defaults is left out. */
export function withSetting(cards: readonly CardSetting[], key: string, change: Partial<CardSetting>): CardSetting[] {
  const next = { ...settingOf(cards, key), ...change, key };
  const others = cards.filter((one) => one.key !== key);
  return formatCard(next) === JSON.stringify({ k: key }) ? others : [...others, next];
}

const record = (text: string): Record<string, unknown> | null => {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as Record<string, unknown>) : null;
  } catch {
    return null;
  }
};
const finite = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);
const within = (value: number | null, low: number, high: number): number | null =>
  value === null ? null : Math.round(Math.min(high, Math.max(low, value)));
const words = (value: unknown): string => (typeof value === "string" ? value : "");
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : []);

export function formatCard(card: CardSetting): string {
  const { key: k, low, high, logY, height: h, span: w, isAlone, zoom } = card;
  return JSON.stringify({
    k, ...(low !== null || high !== null ? { y: [low, high] } : {}), ...(logY !== null ? { l: logY ? 1 : 0 } : {}),
    ...(h !== null ? { h } : {}), ...(w !== null ? { w } : {}),
    ...(isAlone ? { z: zoom ? [zoom.min, zoom.max] : [] } : {}),
  });
}

export function parseCard(text: string): CardSetting | null {
  const found = record(text);
  if (!found || words(found.k) === "") return null;
  const [low, high] = (Array.isArray(found.y) ? found.y : []).map(finite);
  const [min, max] = (Array.isArray(found.z) ? found.z : []).map(finite);
  const isWindow = min !== undefined && min !== null && max !== undefined && max !== null && min < max;
  const isOrdered = low === undefined || low === null || high === undefined || high === null || low < high;
  return {
    key: words(found.k), low: isOrdered ? (low ?? null) : null, high: isOrdered ? (high ?? null) : null,
    logY: found.l === 1 ? true : found.l === 0 ? false : null,
    height: within(finite(found.h), HEIGHTS.least, HEIGHTS.most), span: within(finite(found.w), 1, MOST_SPAN),
    isAlone: Array.isArray(found.z), zoom: isWindow ? { min, max } : null,
  };
}

export function formatOwn({ id, kind, title, fields, expression, colour }: OwnChart): string {
  return JSON.stringify({
    i: id, k: kind, ...(title ? { t: title } : {}), ...(fields.length > 0 ? { f: fields } : {}),
    ...(expression ? { e: expression } : {}), ...(colour ? { c: colour } : {}),
  });
}

export function parseOwn(text: string): OwnChart | null {
  const found = record(text);
  const kind = OWN_KINDS.find((one) => one === found?.k);
  if (!found || !kind || words(found.i) === "") return null;
  return { id: words(found.i), kind, title: words(found.t), fields: texts(found.f), expression: words(found.e), colour: words(found.c) };
}

export const formatMove = (move: Move): string => JSON.stringify(move);

export function parseMove(text: string): Move | null {
  try {
    const found: unknown = JSON.parse(text);
    return Array.isArray(found) && found.length === 2 && found.every((one) => typeof one === "string") && found[0] !== found[1]
      ? [found[0] as string, found[1] as string] : null;
  } catch {
    return null;
  }
}

/** The keys with the moves done one after the other; a move of or to what is not there does nothing. */
export function moved(keys: readonly string[], moves: readonly Move[]): string[] {
  const result = [...keys];
  for (const [key, before] of moves) {
    const from = result.indexOf(key);
    const to = before === "" ? result.length : result.indexOf(before);
    if (from < 0 || to < 0) continue;
    result.splice(from, 1);
    result.splice(to > from ? to - 1 : to, 0, key);
  }
  return result;
}

/** The moves with one more; an older move of the same chart has no meaning any more. */
export const withMove = (moves: readonly Move[], move: Move): Move[] => [...moves.filter(([key]) => key !== move[0]), move];

/** The title of a chart that a user made and did not name. */
export function ownTitle(chart: OwnChart): string {
  if (chart.title) return chart.title;
  if (chart.kind === "expression") return chart.expression || "Expression";
  const fields = chart.fields.map((one) => one.replace(/^(config|summary)\./, ""));
  if (chart.kind === "scatter") return `${fields[1] ?? "?"} by ${fields[0] ?? "?"}`;
  return fields.join(", ") || "New chart";
}
