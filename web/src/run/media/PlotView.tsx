/**
 * A figure of plotly, drawn in a sandboxed frame: of no origin, without network. The frame is a document of its own
 * (`plot.html`) with the library in it, loaded when a figure is scrolled to; what it draws, it is sent as text.
 */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { isDark } from "../../theme/theme";

/** More is not drawn: a browser would stand still over it. */
const LONGEST = 32 << 20;

export function PlotView({ url, size, label }: { url: string; size: number; label: string }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const isReady = useSignal(false);
  const problem = useSignal<string | null>(null);
  const isDrawn = useSignal(false);
  const dark = isDark.value;

  useEffect(() => {
    const onMessage = (event: MessageEvent): void => {
      if (event.source !== frame.current?.contentWindow || event.source === null) return;
      const said = event.data as { ready?: boolean; drawn?: boolean; problem?: unknown };
      if (said.ready) isReady.value = true;
      if (said.drawn) isDrawn.value = true;
      if (typeof said.problem === "string") problem.value = said.problem;
    };
    addEventListener("message", onMessage);
    return () => removeEventListener("message", onMessage);
  }, []);

  const ready = isReady.value;
  useEffect(() => {
    if (!ready || size > LONGEST) return;
    const control = new AbortController();
    problem.value = null;
    fetch(url, { credentials: "same-origin", signal: control.signal })
      .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(`The server answered ${answer.status}.`))))
      .then((figure) => frame.current?.contentWindow?.postMessage({ figure, isDark: dark }, "*"))
      .catch((error: Error) => control.signal.aborted || (problem.value = error.message));
    return () => control.abort();
  }, [url, ready, dark]);

  return (
    <div class="plot-view">
      {size <= LONGEST && <iframe ref={frame} class={isDrawn.value ? "is-drawn" : ""} src="/plot.html" title={label} sandbox="allow-scripts" referrerpolicy="no-referrer" loading="lazy" />}
      {problem.value !== null && <p class="stale" role="alert">It cannot be drawn: {problem.value}</p>}
      <p class="faint small">{size > LONGEST && "This figure is too large to be drawn here. "}<a class="link" href={`${url}${url.includes("?") ? "&" : "?"}download=1&name=${encodeURIComponent(`${label}.json`)}`} download>Download</a></p>
    </div>
  );
}
