/** The runs behind the user's own charts: all that the list's filter lets through, with the chart's columns. */

import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, type ApiError } from "../api/client";
import type { RunRow, RunsAnswer } from "../api/types";
import { filterText, rowsTime } from "../state/runs";
import { noteAnswer, noteFailure } from "../state/store";

export const MOST_RUNS = 2000;

export interface OwnRows { answer: Signal<RunsAnswer | null>; error: Signal<ApiError | null> }

/** Follows the runs; they are asked for again when the list has been. */
export function useRows(project: string, fields: readonly string[]): OwnRows {
  const answer = useSignal<RunsAnswer | null>(null);
  const error = useSignal<ApiError | null>(null);
  const turn = useRef(0);
  const columns = [...new Set(fields)].filter((one) => /^(config|summary)\./.test(one));
  const filter = filterText.value || null;
  const time = rowsTime.value;
  useEffect(() => {
    const mine = ++turn.current;
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
  }, [project, columns.join("\n"), filter, time]);
  return { answer, error };
}

export const runName = (row: RunRow): string => row.name || row.id;
