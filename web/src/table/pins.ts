/** Runs that are pinned: they stand above the list whatever it is sorted and filtered by, and are drawn. */

import { computed, effect } from "@preact/signals";
import { api } from "../api/client";
import { asked, known, project, refreshListeners } from "../state/runs";
import { noteFailure } from "../state/store";
import { setView, view } from "../state/url";

const MOST = 50;

export const pinned = computed(() => view.value.top.slice(0, MOST));

export function togglePin(id: string): void {
  const { top, hide } = view.value;
  if (top.includes(id)) setView({ top: top.filter((one) => one !== id) });
  else setView({ top: [...top, id], hide: hide.filter((one) => one !== id) });
}

const quoted = (id: string): string => `"${id.replace(/["\\]/g, "\\$&")}"`;

/** The rows of the pinned runs, with the list's columns; they may stand far down in the list, or not in it. */
export async function refreshPins(): Promise<void> {
  const name = project.peek();
  const ids = pinned.peek();
  if (name === null || ids.length === 0) return;
  try {
    const filter = ids.map((id) => `id = ${quoted(id)}`).join(" or ");
    const answer = await api.runs(name, { filter, columns: asked.peek(), limit: MOST });
    if (name === project.peek()) known.value = new Map([...known.peek(), ...answer.runs.map((row) => [row.id, row] as const)]);
  } catch (error) {
    noteFailure(error);
  }
}

/** Called once. */
export function startPins(): void {
  const question = computed(() => JSON.stringify([project.value, pinned.value, asked.value]));
  refreshListeners.add(() => void refreshPins());
  effect(() => {
    question.value;
    void refreshPins();
  });
}
