/** The run page's tabs: those that have something to show, moved through by the arrow keys. */

import { useEffect, useRef } from "preact/hooks";
import { setView } from "../state/url";
import type { RunTab } from "./words";

export interface TabWord { value: RunTab; word: string; count?: number | undefined; tone?: "warn" | undefined }

export function Tabs({ tabs, tab, label }: { tabs: readonly TabWord[]; tab: RunTab; label: string }) {
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => bar.current?.querySelector("[aria-selected=true]")?.scrollIntoView?.({ inline: "nearest", block: "nearest" }), [tab]);
  const open = (value: RunTab): void => setView({ tab: value, full: null });
  const typed = (event: KeyboardEvent): void => {
    const at = tabs.findIndex((one) => one.value === tab);
    const next = event.key === "ArrowRight" ? at + 1 : event.key === "ArrowLeft" ? at - 1
      : event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : null;
    if (next === null) return;
    event.preventDefault();
    open(tabs[(next + tabs.length) % tabs.length]!.value);
    bar.current?.querySelectorAll<HTMLElement>("[role=tab]")[(next + tabs.length) % tabs.length]?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} ref={bar} onKeyDown={typed}>
      {tabs.map((one) => (
        <button key={one.value} id={`tab-${one.value}`} class="tab" role="tab" aria-selected={tab === one.value} aria-controls="tab-body"
          tabIndex={tab === one.value ? 0 : -1} onClick={() => open(one.value)}>
          {one.word}
          {one.count !== undefined && one.count > 0 && <span class={`tab-count ${one.tone === "warn" ? "is-warn" : ""}`}>{one.count.toLocaleString("en-US")}</span>}
        </button>
      ))}
    </div>
  );
}
