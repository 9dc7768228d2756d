/** Deleting with a way back: runs leave the page at once and the server eight seconds later. */

import { signal } from "@preact/signals";
import { api } from "../api/client";
import { plural } from "../format/number";
import { going, refreshSoon } from "../state/runs";
import { noteFailure } from "../state/store";
import { dropFromSelection } from "./selection";

export const HELD_MS = 8000;
const TOGETHER = 200;

export interface Held { project: string; ids: readonly string[]; until: number; timer: ReturnType<typeof setTimeout> }

export const held = signal<readonly Held[]>([]);
/** What went wrong, or was done, with some rows: told until the next thing is. */
export const told = signal<{ text: string; isBad: boolean; undo?: () => void } | null>(null);

/** Tells why something was not done, with the server's words. */
export function tellFailure(what: string, error: unknown): void {
  const shown = noteFailure(error);
  if (shown) told.value = { text: [`${what}: ${shown.message}`, shown.hint].filter(Boolean).join(" "), isBad: true };
}

export function remove(project: string, ids: readonly string[]): void {
  told.value = null;
  const batch: Held = { project, ids, until: Date.now() + HELD_MS, timer: setTimeout(() => void send(batch), HELD_MS) };
  held.value = [...held.value, batch];
  going.value = new Set([...going.value, ...ids]);
}

function release(batch: Held): void {
  clearTimeout(batch.timer);
  held.value = held.value.filter((one) => one !== batch);
}

const comeBack = (ids: readonly string[]): void => {
  const back = new Set(ids);
  going.value = new Set([...going.value].filter((id) => !back.has(id)));
};

export function undo(batch: Held): void {
  release(batch);
  comeBack(batch.ids);
}

/** Tells the server now. */
export async function send(batch: Held, isLeaving = false): Promise<void> {
  if (!held.value.includes(batch)) return;
  release(batch);
  let done = 0;
  try {
    for (; done < batch.ids.length; done += TOGETHER) {
      const some = batch.ids.slice(done, done + TOGETHER);
      await api.deleteRuns(batch.project, some, isLeaving);
      dropFromSelection(some);
    }
  } catch (error) {
    comeBack(batch.ids.slice(done));
    tellFailure(`${plural(batch.ids.length - done, "run")} not deleted`, error);
  }
  refreshSoon(0);
}

/** What waits is sent when the page is left: it was asked for, and there is nobody left to undo it. */
export function startGoing(): void {
  addEventListener("pagehide", () => held.value.forEach((batch) => void send(batch, true)));
}
