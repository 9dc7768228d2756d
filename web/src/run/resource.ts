/** What a tab shows of the server: fetched, fetched again when it grew, and kept on the screen meanwhile. */

import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ApiError } from "../api/client";
import { onChange } from "../state/changes";
import { noteAnswer, noteFailure } from "../state/store";

export interface Resource<T> {
  readonly data: T | null;
  readonly error: ApiError | null;
  readonly isLoading: boolean;
  refresh: () => void;
}

export interface Following { project: string; run?: string; kinds: readonly string[] }

const PAUSE_MS = 1200;

/**
 * Fetches when `key` changes (null: nothing to fetch), and when an event names one of `follow.kinds`, at most about
 * once a second. A failed fetch leaves the last data and adds the error.
 */
export function useResource<T>(key: string | null, fetcher: (signal: AbortSignal) => Promise<T>, follow?: Following): Resource<T> {
  const state = useSignal<{ key: string | null; data: T | null; error: ApiError | null; isLoading: boolean }>(
    { key: null, data: null, error: null, isLoading: key !== null });
  const latest = useRef({ key, fetcher });
  latest.current = { key, fetcher };
  const control = useRef<AbortController | null>(null);
  const load = (): void => {
    const asked = latest.current.key;
    control.current?.abort();
    if (asked === null) {
      state.value = { key: null, data: null, error: null, isLoading: false };
      return;
    }
    const own = (control.current = new AbortController());
    const isSame = state.peek().key === asked;
    state.value = { ...state.peek(), key: asked, data: isSame ? state.peek().data : null, isLoading: true };
    latest.current.fetcher(own.signal).then(
      (data) => {
        if (own.signal.aborted) return;
        noteAnswer();
        state.value = { key: asked, data, error: null, isLoading: false };
      },
      (failure) => {
        const error = noteFailure(failure);
        if (error && !own.signal.aborted) state.value = { ...state.peek(), error, isLoading: false };
      },
    );
  };
  useEffect(load, [key]);
  useEffect(() => () => control.current?.abort(), []);
  useGrowth(follow, load);
  const now: Signal<{ key: string | null; data: T | null; error: ApiError | null; isLoading: boolean }> = state;
  const isOld = now.value.key !== key;
  return {
    data: isOld ? null : now.value.data, error: isOld ? null : now.value.error,
    isLoading: isOld ? key !== null : now.value.isLoading, refresh: load,
  };
}

/** Calls `work` after an event of one of the kinds, and after a break of the connection. */
export function useGrowth(follow: Following | undefined, work: () => void): void {
  const latest = useRef(work);
  latest.current = work;
  const words = follow && JSON.stringify(follow);
  useEffect(() => {
    if (words === undefined) return;
    const { project, run, kinds } = JSON.parse(words) as Following;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = onChange((change) => {
      const isOurs = change === null || (change.project === project && (run === undefined || change.run === run)
        && change.kinds.some((kind) => kinds.includes(kind)));
      if (isOurs) timer ??= setTimeout(() => {
        timer = undefined;
        latest.current();
      }, PAUSE_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [words]);
}
