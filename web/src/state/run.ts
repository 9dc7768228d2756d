/** The run of the run page: its full record, and its system series. */

import { batch, computed, effect, signal } from "@preact/signals";
import { api, type ApiError } from "../api/client";
import type { Change, RunAnswer, SystemSeries } from "../api/types";
import { noteAnswer, noteFailure } from "./store";
import { replacePath, route, runPath, view, type Zoom } from "./url";

export const run = signal<RunAnswer | null>(null);
export const runTime = signal(Date.now());
export const runError = signal<ApiError | null>(null);
export const system = signal<SystemSeries[] | null>(null);

/** The window of wall time that the system charts show; null is all of it. */
export const systemWindow = signal<Zoom | null>(null);

const place = computed(() => (route.value.page === "run" ? JSON.stringify([route.value.project, route.value.run]) : null));

async function load(): Promise<void> {
  const at = place.peek();
  if (at === null) return;
  const [project, id] = JSON.parse(at) as [string, string];
  try {
    const answer = await api.run(project, id);
    if (at !== place.peek()) return;
    if (answer.project !== project) return void replacePath(runPath(answer.project, id)); // it was moved
    batch(() => {
      run.value = answer;
      runTime.value = Date.now();
      runError.value = null;
    });
    noteAnswer();
  } catch (error) {
    const shown = noteFailure(error);
    if (at === place.peek() && shown) runError.value = shown;
  }
}

async function loadSystem(): Promise<void> {
  const at = place.peek();
  if (at === null || view.peek().tab !== "system") return;
  const [project, id] = JSON.parse(at) as [string, string];
  const shown = systemWindow.peek();
  try {
    const answer = await api.system(project, id, { width: 800, min: shown?.min ?? null, max: shown?.max ?? null });
    if (at === place.peek() && shown === systemWindow.peek()) system.value = answer.series;
    noteAnswer();
  } catch (error) {
    noteFailure(error);
  }
}

let timer: ReturnType<typeof setTimeout> | null = null;

export function refreshRun(): void {
  timer ??= setTimeout(() => {
    timer = null;
    void load();
    void loadSystem();
  }, 1500);
}

export function noteRunChange(change: Change): void {
  const at = place.peek();
  if (at !== null && at === JSON.stringify([change.project, change.run])) refreshRun();
}

export function startRun(): void {
  effect(() => {
    place.value;
    batch(() => {
      run.value = null;
      runError.value = null;
      system.value = null;
    });
    void load();
  });
  const tab = computed(() => view.value.tab);
  effect(() => {
    place.value;
    systemWindow.value;
    if (tab.value === "system") void loadSystem();
  });
}
