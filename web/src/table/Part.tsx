/** A small part that is fetched when it is first needed; nothing is shown until it is here. */

import type { FunctionComponent } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

type Loader<P> = () => Promise<{ default: FunctionComponent<P> }>;
type Loaded = FunctionComponent<Record<string, unknown>>;

const kept = new Map<unknown, Loaded>();

/** `load` must be the same function each time. */
export function Part<P extends object>({ load, ...props }: P & { load: Loader<P> }) {
  const state = useSignal<"waits" | "here" | "failed">(kept.has(load) ? "here" : "waits");
  useEffect(() => {
    if (kept.has(load)) return;
    load().then(
      (found) => {
        kept.set(load, found.default as unknown as Loaded);
        state.value = "here";
      },
      () => (state.value = "failed"),
    );
  }, [load]);
  if (state.value === "failed") return <p class="menu-note" role="alert">This part could not be loaded: reload the page.</p>;
  const Found = kept.get(load);
  return state.value === "here" && Found ? <Found {...(props as Record<string, unknown>)} /> : null;
}
