/** The columns of the run table: which, in which order, how wide, which of them stay in sight. */

import { computed } from "@preact/signals";
import type { RunRow, Value } from "../api/types";
import { asked, rows } from "../state/runs";
import { setView, view } from "../state/url";

export interface ListColumn { key: string; label: string; width: number; isText?: boolean; left?: number }

export const NAME = "name";
const BY_THEMSELVES = ["created", "duration"];
const PLAIN: Record<string, { label: string; width: number; isText?: boolean }> = {
  name: { label: "Run", width: 170, isText: true },
  created: { label: "Started", width: 82 },
  duration: { label: "Duration", width: 82 },
  state: { label: "State", width: 84, isText: true },
  tags: { label: "Tags", width: 130, isText: true },
  notes: { label: "Notes", width: 180, isText: true },
  group: { label: "Group", width: 96, isText: true },
  job_type: { label: "Job type", width: 96, isText: true },
  host: { label: "Host", width: 110, isText: true },
  attempt: { label: "Attempt", width: 74 },
};
/** What can be a column besides config, summary and metrics. */
export const PLAIN_COLUMNS = Object.keys(PLAIN).filter((key) => key !== NAME);
export const LEAST_WIDTH = 48;
export const LEAD = 58; // the box and the eye
const MOST_SHOWN = 60;
const FREE_NAME = 220;
const MOST_NAME = 460; // beyond it the eye loses the row on the way to the next column

/** What stands in a row under a column's key. */
export function columnValue(row: RunRow, key: string): Value | undefined {
  const [, kind, name] = /^(config|summary|metric)\.(.*)$/s.exec(key) ?? [];
  if (kind !== undefined && name !== undefined) {
    const values = kind === "config" ? row.config : kind === "summary" ? row.summary : row.metric ?? {};
    return values[name] ?? values[key];
  }
  return key in PLAIN ? (row as unknown as Record<string, Value>)[key] : undefined;
}

export const labelOf = (key: string): string => PLAIN[key]?.label ?? key.replace(/^(config|summary|metric)\./, "");

/** Config keys of which the loaded rows have more than one value; to lack it is a value too. */
const differing = computed<ReadonlySet<string>>(() => {
  const found = new Set<string>();
  if (!view.value.differ) return found;
  const all = [...rows.value.values()];
  for (const key of asked.value) {
    if (!key.startsWith("config.") || all.length === 0) continue;
    const first = JSON.stringify(columnValue(all[0]!, key));
    if (all.some((row) => JSON.stringify(columnValue(row, key)) !== first)) found.add(key);
  }
  return found;
});

/** The shown columns' keys after the name, in the user's order, those that stay in sight first. */
export const shownKeys = computed<string[]>(() => {
  const { columns, differ, freeze } = view.value;
  const away = new Set(columns.filter((one) => one.startsWith("-")).map((one) => one.slice(1)));
  const chosen = columns.filter((one) => !one.startsWith("-") && one !== NAME);
  const more = differ ? [...differing.value].filter((one) => !chosen.includes(one)) : [];
  const all = [...chosen, ...more, ...BY_THEMSELVES.filter((one) => !chosen.includes(one) && !away.has(one))];
  const seen = [...new Set(all)].filter((one) => !differ || !one.startsWith("config.") || differing.value.has(one)).slice(0, MOST_SHOWN);
  return [...seen.filter((one) => freeze.includes(one)), ...seen.filter((one) => !freeze.includes(one))];
});

const widths = computed(() => new Map(view.value.widths.map((one) => {
  const at = one.lastIndexOf(":");
  return [one.slice(0, at), Math.max(LEAST_WIDTH, Math.min(1000, Number(one.slice(at + 1)) || 0))] as const;
})));

export const listColumns = computed<ListColumn[]>(() => {
  const { freeze } = view.value;
  const keys = shownKeys.value;
  const isFixed = keys.some((key) => freeze.includes(key)) || widths.value.has(NAME);
  let left = LEAD;
  return [NAME, ...keys].map((key) => {
    const plain = PLAIN[key];
    const own = key === NAME && isFixed ? FREE_NAME : plain?.width ?? 92;
    const column: ListColumn = { key, label: labelOf(key), width: widths.value.get(key) ?? own, isText: plain?.isText ?? false };
    if (key === NAME || freeze.includes(key)) {
      column.left = left;
      left += column.width;
    }
    return column;
  });
});

/** The grid of a row; the name takes what is left, up to a width, unless something is pinned beside it or it was dragged. */
export const template = computed(() => {
  const [name, ...rest] = listColumns.value;
  const isFixed = rest.some((one) => one.left !== undefined) || widths.value.has(NAME);
  const first = isFixed ? `${name!.width}px` : `minmax(${name!.width}px, ${MOST_NAME}px)`;
  return `28px 30px ${first} ${rest.map((one) => `${one.width}px`).join(" ")} minmax(0, 1fr)`;
});
export const minWidth = computed(() => LEAD + listColumns.value.reduce((sum, one) => sum + one.width, 0));

/** Puts the shown columns into an order of the user's. */
function order(keys: readonly string[]): void {
  const away = view.value.columns.filter((one) => one.startsWith("-") && !keys.includes(one.slice(1)));
  setView({ columns: [...keys, ...away] });
}

export function toggleColumn(key: string): void {
  const { columns, freeze } = view.value;
  const rest = columns.filter((one) => one !== key && one !== `-${key}`);
  if (!shownKeys.value.includes(key)) setView({ columns: BY_THEMSELVES.includes(key) ? rest : [...rest, key] });
  else setView({ columns: BY_THEMSELVES.includes(key) ? [...rest, `-${key}`] : rest, freeze: freeze.filter((one) => one !== key) });
}

/** Moves a column before another (`null`: to the end), or by some places. */
export function moveColumn(key: string, to: { before: string | null } | { by: number }): void {
  const keys = shownKeys.value.filter((one) => one !== key);
  const at = "by" in to
    ? Math.max(0, Math.min(keys.length, shownKeys.value.indexOf(key) + to.by))
    : to.before === null ? keys.length : Math.max(0, keys.indexOf(to.before));
  if (key !== NAME) order([...keys.slice(0, at), key, ...keys.slice(at)]);
}

export function toggleFreeze(key: string): void {
  const { freeze } = view.value;
  setView({ freeze: freeze.includes(key) ? freeze.filter((one) => one !== key) : [...freeze, key] });
}

export function setWidth(key: string, width: number): void {
  const rest = view.value.widths.filter((one) => one.slice(0, one.lastIndexOf(":")) !== key);
  setView({ widths: [...rest, `${key}:${Math.round(Math.max(LEAST_WIDTH, width))}`] });
}
