/** The rows that are selected: kept through updates, sorts and a reload of the tab. */

import { effect, signal } from "@preact/signals";
import { api } from "../api/client";
import { project, question, rows, total } from "../state/runs";
import { noteFailure } from "../state/store";

export const selected = signal<ReadonlySet<string>>(new Set());
const MOST = 10_000;
let anchor: { row: number; question: string } | null = null;
let ofProject: string | null = null;

const place = (name: string): string => `outrider.selected:${name}`;

/** Follows the project. Called once. */
export function startSelection(): void {
  effect(() => {
    const name = project.value;
    if (name !== null && name !== ofProject) {
      ofProject = name;
      anchor = null;
      selected.value = new Set(restored(name));
    }
  });
  effect(() => {
    const ids = [...selected.value];
    if (ofProject === null) return;
    try {
      if (ids.length === 0) sessionStorage.removeItem(place(ofProject));
      else sessionStorage.setItem(place(ofProject), JSON.stringify(ids));
    } catch {
      // a full or forbidden storage only costs the convenience
    }
  });
}

function restored(name: string): string[] {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(place(name)) ?? "[]");
    return Array.isArray(found) ? found.filter((one): one is string => typeof one === "string") : [];
  } catch {
    return [];
  }
}

export function clearSelection(): void {
  selected.value = new Set();
  anchor = null;
}

export function dropFromSelection(ids: Iterable<string>): void {
  const gone = new Set(ids);
  if ([...selected.value].some((id) => gone.has(id))) selected.value = new Set([...selected.value].filter((id) => !gone.has(id)));
}

/** Selects or leaves one row; with `isRange`, all from the last one that was pressed to this. */
export async function select(row: number, isRange = false, pinned?: string): Promise<void> {
  const id = rows.value.get(row)?.id ?? pinned;
  if (id === undefined) return;
  if (row < 0) {
    const next = new Set(selected.value);
    if (!next.delete(id)) next.add(id);
    selected.value = next;
    return;
  }
  const asked = JSON.stringify(question());
  if (isRange && anchor !== null && anchor.question === asked) {
    const [from, to] = [Math.min(anchor.row, row), Math.max(anchor.row, row)];
    const ids = await idsOf(from, to);
    selected.value = new Set([...selected.value, ...ids]);
    return;
  }
  anchor = { row, question: asked };
  const next = new Set(selected.value);
  if (!next.delete(id)) next.add(id);
  selected.value = next;
}

/** Selects every run that the list has, or as many as can be changed at once. */
export async function selectAll(): Promise<void> {
  selected.value = new Set(await idsOf(0, Math.min(MOST, total.value ?? 0) - 1));
}

/** The ids of the rows `from` to `to`, asked for where they are not loaded. */
async function idsOf(from: number, to: number): Promise<string[]> {
  const ids: string[] = [];
  for (let row = from; row <= to; row++) {
    const id = rows.value.get(row)?.id;
    if (id === undefined) break;
    ids.push(id);
  }
  const name = project.value;
  if (ids.length > to - from || name === null) return ids;
  try {
    const answer = await api.runs(name, { ...question(), columns: [], offset: from, limit: Math.min(MOST, to - from + 1) });
    return answer.runs.map((row) => row.id);
  } catch (error) {
    noteFailure(error);
    return ids;
  }
}
