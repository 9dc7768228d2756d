/** Tagging and archiving many runs at once, with the way back that the server names. */

import { api } from "../api/client";
import type { ManyChange, ManyChanged } from "../api/types";
import { plural } from "../format/number";
import { refreshSoon } from "../state/runs";
import { tellFailure, told } from "./going";

export async function change(project: string, ids: readonly string[], what: string, said: ManyChange): Promise<void> {
  told.value = null;
  try {
    const { runs, undo } = await api.updateRuns(project, ids, said);
    const back = undo.length > 0 ? { undo: () => void takeBack(project, what, undo) } : {};
    told.value = { text: `${what}: ${plural(runs, "run")}.`, isBad: false, ...back };
  } catch (error) {
    tellFailure(`${what}: not done`, error);
  }
  refreshSoon(0);
}

async function takeBack(project: string, what: string, undo: ManyChanged["undo"]): Promise<void> {
  told.value = null;
  try {
    for (const { runs, ...said } of undo) await api.updateRuns(project, runs, said);
    told.value = { text: `Undone: ${what}.`, isBad: false };
  } catch (error) {
    tellFailure(`${what}: not undone`, error);
  }
  refreshSoon(0);
}
