/** How a run ended and what is known of the cause, on top of its page. */

import type { EndRecord, Evidence, Value } from "../api/types";
import { endReason } from "../components/RunHead";
import { stateTone } from "../components/StateMark";
import { formatValue, plural } from "../format/number";
import { AnsiLine } from "./console/ansi";

const KNOWN = new Set(["oom_kills", "xid", "last_console", "memory", "signal_from"]);

export function EndStory({ end }: { end: EndRecord }) {
  const reason = endReason(end);
  const evidence = end.evidence ? facts(end.evidence) : [];
  const lines = end.evidence?.last_console ?? [];
  const trace = end.why?.traceback;
  if (!reason && evidence.length === 0 && lines.length === 0) return null;
  const tone = stateTone(end.state);
  return (
    <section class={`end-story state-${tone}`} aria-label="How it ended">
      {reason && <p class="run-reason">{reason}</p>}
      {evidence.length > 0 && <ul class="evidence">{evidence.map((one) => <li key={one}>{one}</li>)}</ul>}
      {trace && <details><summary>Traceback</summary><pre tabIndex={0}>{trace}</pre></details>}
      {lines.length > 0 && (
        <details>
          <summary>The last {plural(lines.length, "line")} of the console</summary>
          <pre tabIndex={0}>{lines.map((line, i) => <div key={i}><AnsiLine text={String(line)} /></div>)}</pre>
        </details>
      )}
    </section>
  );
}

function facts(evidence: Evidence): string[] {
  const found: string[] = [];
  if (evidence.oom_kills) found.push(`The kernel killed ${plural(evidence.oom_kills, "process", "processes")} of its memory group for memory.`);
  if (evidence.xid && evidence.xid.length > 0) found.push(`The GPU driver reported Xid ${evidence.xid.map(formatValue).join(", ")}.`);
  if (evidence.signal_from !== undefined && evidence.signal_from !== null) found.push(`The signal came from ${formatValue(evidence.signal_from)}.`);
  const memory = trend(evidence.memory);
  if (memory) found.push(memory);
  for (const [name, value] of Object.entries(evidence))
    if (!KNOWN.has(name) && value !== null && value !== undefined) found.push(`${name.replaceAll("_", " ")}: ${formatValue(value)}`);
  return found;
}

/** `[[t, bytes], …]` or `[bytes, …]` → from what to what its memory went. */
function trend(memory: Value[] | null | undefined): string | null {
  const values = (memory ?? []).map((one) => (Array.isArray(one) ? one[one.length - 1] : one)).filter((one): one is number => typeof one === "number");
  if (values.length === 0) return null;
  return `Its memory went from ${bytes(values[0]!)} to ${bytes(values[values.length - 1]!)}${values.length > 2 ? `, at most ${bytes(Math.max(...values))}` : ""}.`;
}

export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = n;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}
