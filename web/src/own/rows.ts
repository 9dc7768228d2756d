/** The runs behind the user's own charts: all that the list's filter lets through, with the chart's columns. */

import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, type ApiError } from "../api/client";
import type { RunRow, RunsAnswer } from "../api/types";
import { filterText, rowsTime } from "../state/runs";
import { noteAnswer, noteFailure } from "../state/store";

export const MOST_RUNS = 2000;
const MANY = 300;
const PAUSE_MS = 15_000; // many runs are many bytes: they are asked for less often

export interface OwnRows { answer: Signal<RunsAnswer | null>; error: Signal<ApiError | null> }

/** Follows the runs; they are asked for again when the list has been. */
export function useRows(project: string, fields: readonly string[]): OwnRows {
  const answer = useSignal<RunsAnswer | null>(null);
  const error = useSignal<ApiError | null>(null);
  const turn = useRef(0);
  const columns = [...new Set(fields)].filter((one) => /^(config|summary)\./.test(one));
  const filter = filterText.value || null;
  const time = rowsTime.value;
  const asked = useRef({ key: "", at: 0 });
  const key = JSON.stringify([project, columns, filter]);
  const load = (): void => {
    const mine = ++turn.current;
    asked.current = { key, at: Date.now() };
    api.runs(project, { filter, columns, limit: MOST_RUNS, sort: "-created" }).then(
      (found) => {
        if (mine !== turn.current) return;
        answer.value = found;
        error.value = null;
        noteAnswer();
      },
      (failure) => {
        if (mine === turn.current) error.value = noteFailure(failure);
      },
    );
  };
  useEffect(() => {
    const isNew = asked.current.key !== key;
    const wait = isNew || (answer.peek()?.runs.length ?? 0) <= MANY ? 0 : asked.current.at + PAUSE_MS - Date.now();
    if (wait <= 0) return load();
    const timer = setTimeout(load, wait);
    return () => clearTimeout(timer);
  }, [key, time]);
  return { answer, error };
}

export const runName = (row: RunRow): string => row.name || row.id;
