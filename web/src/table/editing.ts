/** Which cell is being edited, and what becomes of it. */

import { signal } from "@preact/signals";
import { api } from "../api/client";
import type { RunChange, RunRow } from "../api/types";
import { changeRow, refreshSoon } from "../state/runs";
import { tellFailure, told } from "./going";

export type Editable = "name" | "tags" | "notes";
export const edited = signal<{ id: string; what: Editable } | null>(null);

export const isEditable = (key: string): key is Editable => key === "name" || key === "tags" || key === "notes";

/** Shows the change at once and takes it back when the server refuses. */
export async function save(row: RunRow, change: RunChange): Promise<void> {
  const before = { name: row.name, tags: row.tags, notes: row.notes };
  changeRow(row.id, change);
  told.value = null;
  try {
    await api.updateRun(row.project, row.id, change);
  } catch (error) {
    changeRow(row.id, before);
    tellFailure("Not saved", error);
  }
  refreshSoon(0);
}
