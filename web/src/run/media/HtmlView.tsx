/** A logged page in a sandboxed frame: no origin, no network; its scripts run only when that is asked for. */

import { useSignal } from "@preact/signals";

export function HtmlView({ url, label }: { url: string; label: string }) {
  const hasScripts = useSignal(false);
  const source = `${url}${url.includes("?") ? "&" : "?"}framed=1`;
  return (
    <div class="html-view">
      <iframe key={String(hasScripts.value)} src={source} title={label} sandbox={hasScripts.value ? "allow-scripts" : ""} referrerpolicy="no-referrer" loading="lazy" />
      <button class={`toggle ${hasScripts.value ? "is-on" : ""}`} aria-pressed={hasScripts.value} title="They run shut in: without network and without access to this page"
        onClick={() => (hasScripts.value = !hasScripts.value)}>{hasScripts.value ? "Scripts run" : "Let its scripts run"}</button>
    </div>
  );
}
