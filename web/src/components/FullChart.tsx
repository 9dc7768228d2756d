/** One chart over the whole page. */

import { useEffect, useRef } from "preact/hooks";
import { ownId, ownTitle } from "../state/cards";
import type { Shown } from "../state/runs";
import { setView, view } from "../state/url";
import { ChartCard } from "./ChartCard";

export function FullChart({ project, runs }: { project: string; runs: readonly Shown[] }) {
  const metric = view.value.full;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (metric !== null && !dialog.current?.open) {
      dialog.current?.showModal();
      dialog.current?.focus();
    }
  }, [metric]);
  if (metric === null) return null;
  const own = view.value.own.find((one) => one.id === ownId(metric));
  const close = (): void => setView({ full: null });
  return (
    <dialog class="full" tabIndex={-1} ref={dialog} aria-label={own ? ownTitle(own) : metric} onClose={close} onClick={(event) => event.target === dialog.current && close()}>
      <ChartCard project={project} metric={metric} runs={runs} inSection="" height={Math.max(240, Math.round(innerHeight * 0.72))} />
    </dialog>
  );
}
