/** The run list: pages of rows as the server sorts and filters them, and which of them the charts show. */

import { batch, computed, effect, signal } from "@preact/signals";
import { api, type ApiError } from "../api/client";
import type { ColumnsAnswer, RowGroup, RunRow } from "../api/types";
import { slotsFor } from "./colours";
import { noteAnswer, noteFailure } from "./store";
import { route, setView, view } from "./url";

export const PAGE = 100;

/** The project of the page that is shown, whichever page it is. */
export const project = computed<string | null>(() =>
  route.value.page === "workspace" || route.value.page === "run" || route.value.page === "compare" ? route.value.project : null,
);

const SPECIAL = /[.*+?^${}()|[\]\\]/g;
/** What a browser and the server (Python's `re`) read alike; anything else is searched for as it stands. */
const isPattern = (text: string): boolean => {
  if (!/[.*+?^$()|[\]\\]/.test(text) || /\(\?|\\[pPuxckAZzGbB]|[*+?}]{2}/.test(text)) return false;
  try {
    return new RegExp(text, "u") instanceof RegExp;
  } catch {
    return false;
  }
};

/** `lr (1e-3)`, `seed [12]$` → a filter that finds runs whose name has the text, or matches it as a pattern, letter case aside. */
export function searchFilter(text: string): string {
  const words = text.trim();
  const matches = (pattern: string): string => `name ~ "(?i)${pattern.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;
  if (!words) return "";
  const plain = matches(words.replace(SPECIAL, "\\$&"));
  return isPattern(words) ? `(${plain} or ${matches(words)})` : plain;
}

/** Archived runs are left out unless the filter itself speaks of them. */
export const asksArchived = (filter: string): boolean => /\barchived\b/.test(filter.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, ""));

/** What is asked of the server; the typed filter begins at character 1 of it, or is all of it. */
export const filterText = computed(() => {
  const typed = view.value.filter.trim();
  const more = [searchFilter(view.value.search), asksArchived(typed) ? "" : "archived = false"].filter(Boolean);
  return typed && more.length > 0 ? `(${typed}) and ${more.join(" and ")}` : typed || more.join(" and ");
});

const MOST_CONFIG = 200;
const isData = (key: string): boolean => /^(config|summary|metric)\./.test(key);
/** The columns whose values are asked for: the chosen ones, and all config when those that differ are wanted. */
export const asked = computed<string[]>(() => {
  const chosen = view.value.columns.filter(isData);
  if (!view.value.differ) return chosen;
  const config = (columns.value?.config ?? []).slice(0, MOST_CONFIG).map((one) => `config.${one.key}`);
  return [...new Set([...chosen, ...config])];
});
const columnsKey = computed(() => asked.value.join("\n"));
export const listKey = computed(() => JSON.stringify([project.value, filterText.value, view.value.sort, view.value.by, columnsKey.value]));

/** The groups of rows in the list's order, when it is grouped. */
export const rowGroups = signal<readonly RowGroup[] | null>(null);
export const total = signal<number | null>(null);
export const rows = signal<ReadonlyMap<number, RunRow>>(new Map());
export const listError = signal<ApiError | null>(null);
export const listIsLoading = signal(false);
/** When the rows came, in browser ms: a running run's duration goes on from there. */
export const rowsTime = signal(Date.now());
/** Rows that were seen at any time, by id: names of runs that a filter hides. */
export const known = signal<ReadonlyMap<string, RunRow>>(new Map());
export const columns = signal<ColumnsAnswer | null>(null);

/** Runs that were deleted here and that the server will hear of soon: see going.ts. */
export const going = signal<ReadonlySet<string>>(new Set());

let loaded = new Set<number>();
let loading = new Map<number, AbortController>();
let knownProject: string | null = null;

function forget(keepRows: boolean): void {
  loading.forEach((one) => one.abort());
  loading = new Map();
  loaded = new Set();
  if (!keepRows) {
    total.value = null;
    rows.value = new Map();
  }
}

/** What the list asks for, without which page of it. */
export const question = () => ({ filter: filterText.value || null, sort: view.value.sort, columns: asked.value, by: view.value.by });

async function load(page: number): Promise<void> {
  const name = project.value;
  if (name === null || loading.has(page)) return;
  const control = new AbortController();
  loading.set(page, control);
  listIsLoading.value = true;
  const key = listKey.value;
  try {
    const query = { ...question(), limit: PAGE, offset: page * PAGE };
    const answer = await api.runs(name, query, control.signal);
    if (key !== listKey.value) return;
    batch(() => {
      rowGroups.value = answer.groups ?? null;
      place(page, answer.total, answer.runs);
    });
  } catch (error) {
    const shown = noteFailure(error);
    if (shown && key === listKey.value) listError.value = shown;
  } finally {
    if (loading.get(page) === control) loading.delete(page);
    listIsLoading.value = loading.size > 0;
  }
}

function place(page: number, count: number, answer: RunRow[]): void {
  // the first answer to a new question replaces what was shown; later ones only their own page
  const next = new Map(loaded.size === 0 ? [] : rows.value);
  answer.forEach((row, i) => next.set(page * PAGE + i, row));
  for (const index of next.keys()) if (index >= count) next.delete(index);
  loaded.add(page);
  rows.value = next;
  total.value = count;
  rowsTime.value = Date.now();
  listError.value = null;
  known.value = new Map([...known.value, ...answer.map((row) => [row.id, row] as const)]);
  noteAnswer();
}

/** Loads what is missing of the rows `from` to `to` (as the list scrolls). */
export function need(from: number, to: number): void {
  const last = total.value === null ? 0 : Math.max(0, Math.min(to, total.value - 1));
  for (let page = Math.floor(from / PAGE); page <= Math.floor(last / PAGE); page++)
    if (!loaded.has(page)) void load(page);
}

let refreshTimer: ReturnType<typeof setTimeout> | null = null;
let refreshed = 0;

/** Who shows rows that are not pages of the list. */
export const refreshListeners = new Set<() => void>();

/** Asks again for what is shown, soon, and at most every three seconds however often it is called. */
export function refreshSoon(wait = 3000): void {
  if (refreshTimer !== null) return;
  refreshTimer = setTimeout(() => {
    refreshTimer = null;
    refreshed = Date.now();
    for (const page of new Set([0, ...seenPages])) void load(page);
    refreshListeners.forEach((one) => one());
  }, Math.max(100, refreshed + wait - Date.now()));
}

let seenPages: number[] = [0];
/** Loads the pages that hold these rows, and keeps them fresh. */
export function needRows(indices: readonly number[]): void {
  seenPages = [...new Set(indices.map((index) => Math.floor(index / PAGE)))];
  loaded = new Set([...loaded].filter((page) => Math.abs(page - (seenPages[0] ?? 0)) < 20));
  for (const page of seenPages) if (!loaded.has(page)) void load(page);
}

/** Shows a change of a row before the server has said yes. */
export function changeRow(id: string, change: Partial<RunRow>): void {
  const next = new Map(rows.value);
  for (const [index, row] of next) if (row.id === id) next.set(index, { ...row, ...change });
  rows.value = next;
  const row = known.value.get(id);
  if (row) known.value = new Map([...known.value, [id, { ...row, ...change }]]);
}

export async function refreshColumns(): Promise<void> {
  const name = project.value;
  if (name === null) return;
  try {
    const answer = await api.columns(name);
    if (name === project.value) columns.value = answer;
  } catch (error) {
    noteFailure(error);
  }
}

/** Rows for runs that the view names but the list has not brought (a shared link, a filter that hides them). */
async function learn(name: string, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    try {
      const row: RunRow = await api.run(name, id);
      if (row.project === name && name === project.value) known.value = new Map([...known.value, [id, row]]);
    } catch (error) {
      if (noteFailure(error)?.status === 404 && name === project.value) forgetRun(id);
    }
  }
}

/** A run was deleted, or moved away: nothing that was set speaks of it any more. */
export function forgetRun(id: string): void {
  const { only, show, hide, top, baseline } = view.peek();
  const others = (ids: readonly string[]): string[] => ids.filter((one) => one !== id);
  if ([...show, ...hide, ...top, only, baseline].includes(id))
    setView({ show: others(show), hide: others(hide), top: others(top), only: only === id ? null : only, baseline: baseline === id ? null : baseline });
  if (!known.peek().has(id)) return;
  const left = new Map(known.peek());
  left.delete(id);
  known.value = left;
}

export interface Shown { id: string; name: string; slot: number; row: RunRow | null }

/** The runs whose lines the charts draw: `only`, or the first of the list that are not hidden and those asked for. */
const shownIds = computed<string[]>(() => {
  const { only, hide, show, lines, top, baseline } = view.value;
  if (only !== null) return [only];
  const hidden = new Set(hide);
  const above = [...top, ...(baseline === null ? [] : [baseline])].filter((id) => !hidden.has(id) && !going.value.has(id));
  const first: string[] = [];
  for (let i = 0; i < Math.min(lines, rows.value.size); i++) {
    const row = rows.value.get(i);
    if (row && !hidden.has(row.id) && !going.value.has(row.id)) first.push(row.id);
  }
  return [...new Set([...above, ...first, ...show])];
});

let lastShown: Shown[] = [];
export const shown = computed<Shown[]>(() => {
  if (project.value === null) return [];
  const slots = slotsFor(project.value, shownIds.value);
  const names = shownIds.value.map((id) => known.value.get(id)?.name || id);
  const next = shownIds.value.map((id, i) => {
    // runs of one name are told apart by the start of their ids
    const name = names.indexOf(names[i]!) === names.lastIndexOf(names[i]!) ? names[i]! : `${names[i]} · ${id.slice(0, 5)}`;
    return { id, name, slot: slots.get(id) ?? 0, row: known.value.get(id) ?? null };
  });
  // the same array as before when no line would change: charts then have nothing to do
  const isSame = next.length === lastShown.length
    && next.every((one, i) => one.id === lastShown[i]!.id && one.name === lastShown[i]!.name && one.slot === lastShown[i]!.slot);
  if (!isSame) lastShown = next;
  return lastShown;
});
export const shownSlots = computed(() => new Map(shown.value.map((one) => [one.id, one.slot])));

/** Follows the URL: a new project or question starts a new list. Called once. */
export function startRuns(): void {
  effect(() => {
    listKey.value;
    const name = project.value;
    const isWorkspace = route.value.page === "workspace";
    batch(() => {
      const sameProject = name === knownProject;
      forget(sameProject);
      if (!sameProject) {
        knownProject = name;
        columns.value = null;
        known.value = new Map();
        listError.value = null;
        if (name !== null) void refreshColumns();
      }
      if (name !== null && isWorkspace) void load(0);
    });
  });
  effect(() => {
    const name = project.value;
    const missing = shownIds.value.filter((id) => !known.peek().has(id));
    if (name !== null && missing.length > 0 && total.value !== null) void learn(name, missing);
  });
}
