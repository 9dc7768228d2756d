/** Moving runs to another project, and back again. */

import { api } from "../api/client";
import { plural } from "../format/number";
import { refreshColumns, refreshSoon } from "../state/runs";
import { tellFailure, told } from "./going";
import { dropFromSelection } from "./selection";

const TOGETHER = 1000;

/** Moves the runs that can be; tells what was done, with the way back. */
export async function move(from: string, ids: readonly string[], to: string): Promise<void> {
  if (to === "" || to === from || ids.length === 0) return;
  told.value = null;
  const left = new Set<string>();
  let asked = 0;
  try {
    for (; asked < ids.length; asked += TOGETHER) {
      const answer = await api.moveRuns(from, ids.slice(asked, asked + TOGETHER), to);
      for (const id of [...answer.missing, ...answer.taken]) left.add(id);
    }
    const moved = ids.filter((id) => !left.has(id));
    const text = [
      `Moved to ${to}: ${plural(moved.length, "run")}.`,
      left.size > 0 ? `${plural(left.size, "run")} stayed: gone meanwhile, or ${to} has their id.` : "",
    ].filter(Boolean).join(" ");
    told.value = { text, isBad: moved.length === 0, ...(moved.length > 0 ? { undo: () => void move(to, moved, from) } : {}) };
  } catch (error) {
    tellFailure(`${plural(ids.length - asked, "run")} not moved`, error);
  }
  dropFromSelection(ids);
  refreshSoon(0);
  void refreshColumns();
}
