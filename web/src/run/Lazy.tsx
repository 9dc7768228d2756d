/** A part of the page that is fetched when it is first shown, and says so when it cannot be. */

import type { FunctionComponent } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Notice } from "../components/Notice";

type Loader<P> = () => Promise<{ default: FunctionComponent<P> }>;
type Loaded = FunctionComponent<Record<string, unknown>>;

const kept = new Map<unknown, Loaded>();

/** `load` must be the same function each time: it is the name under which the part is kept. */
export function Lazy<P extends object>({ load, ...props }: P & { load: Loader<P> }) {
  const hasFailed = useSignal(false);
  const tries = useSignal(0);
  const part = useSignal<{ is: Loaded | null }>({ is: kept.get(load) ?? null });
  useEffect(() => {
    if (part.value.is) return;
    let isHere = true;
    hasFailed.value = false;
    load().then(
      (found) => {
        kept.set(load, found.default as unknown as Loaded);
        if (isHere) part.value = { is: kept.get(load)! };
      },
      () => isHere && (hasFailed.value = true),
    );
    return () => void (isHere = false);
  }, [load, tries.value]);
  const Part = part.value.is;
  if (Part) return <Part {...(props as Record<string, unknown>)} />;
  if (!hasFailed.value) return <div class="skeleton-cards" role="status" aria-label="Loading" />;
  return (
    <Notice title="This part of the page could not be loaded" tone="bad">
      <p>The server may be away, or it was updated since this page was opened.</p>
      <p class="notice-buttons">
        <button class="button" onClick={() => (tries.value += 1)}>Try again</button>
        <button class="button" onClick={() => location.reload()}>Reload the page</button>
      </p>
    </Notice>
  );
}
