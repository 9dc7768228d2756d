/** Changes of a run's name, tags and notes: shown at once, taken back when the server refuses. */

import { signal } from "@preact/signals";
import { api } from "../api/client";
import type { RunAnswer } from "../api/types";
import { refreshRun, run } from "../state/run";
import { refreshSoon } from "../state/runs";
import { noteFailure } from "../state/store";

export type Edit = { name?: string; tags?: string[]; notes?: string };

/** What the server said to the last change, when it was no. */
export const editError = signal<string | null>(null);

export async function editRun(record: RunAnswer, change: Edit): Promise<boolean> {
  const before = run.peek();
  if (before?.id === record.id) run.value = { ...before, ...change };
  editError.value = null;
  try {
    await api.updateRun(record.project, record.id, change);
    refreshRun();
    refreshSoon(0);
    return true;
  } catch (error) {
    const shown = noteFailure(error);
    const now = run.peek();
    if (now?.id === record.id) run.value = { ...now, name: record.name, tags: record.tags, notes: record.notes };
    editError.value = shown ? [`Not saved: ${shown.message}`, shown.hint].filter(Boolean).join(" ") : null;
    return false;
  }
}
