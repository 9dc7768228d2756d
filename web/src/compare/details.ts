/** The full records of the compared runs, kept while they are fetched anew. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, type ApiError } from "../api/client";
import type { RunAnswer } from "../api/types";
import { useGrowth } from "../run/resource";
import { noteAnswer, noteFailure } from "../state/store";

const TOGETHER = 4;

export interface Details { runs: ReadonlyMap<string, RunAnswer>; errors: ReadonlyMap<string, ApiError>; isLoading: boolean; refresh: () => void }

/** Fetches the runs that are not there yet, four at a time, and all of them again when one changed. */
export function useDetails(project: string, ids: readonly string[]): Details {
  const runs = useSignal<ReadonlyMap<string, RunAnswer>>(new Map());
  const errors = useSignal<ReadonlyMap<string, ApiError>>(new Map());
  const busy = useSignal(0);
  const isHere = useRef(true);
  useEffect(() => () => void (isHere.current = false), []);

  const load = async (wanted: readonly string[]): Promise<void> => {
    const queue = [...wanted];
    busy.value += 1;
    const worker = async (): Promise<void> => {
      for (let id = queue.shift(); id !== undefined && isHere.current; id = queue.shift()) {
        try {
          const answer = await api.run(project, id);
          runs.value = new Map([...runs.peek(), [id, answer]]);
          errors.value = new Map([...errors.peek()].filter(([one]) => one !== id));
          noteAnswer();
        } catch (failure) {
          const error = noteFailure(failure);
          if (error) errors.value = new Map([...errors.peek(), [id, error]]);
        }
      }
    };
    await Promise.all(Array.from({ length: TOGETHER }, worker));
    busy.value -= 1;
  };
  const all = (): void => void load(ids);
  useEffect(() => void load(ids.filter((id) => !runs.peek().has(id))), [project, ids.join("\n")]);
  useGrowth({ project, kinds: ["config", "summary", "run", "end", "points", "code", "media"] }, all);
  return { runs: runs.value, errors: errors.value, isLoading: busy.value > 0, refresh: all };
}
