/** How a run ended and what is known of the cause, on top of its page. */

import type { EndRecord, Evidence, MemorySample, Value } from "../api/types";
import { endReason } from "../components/RunHead";
import { stateTone } from "../components/StateMark";
import { formatValue, plural } from "../format/number";
import { AnsiLine } from "./console/ansi";

/** What the sentence says already, or what is shown in another way. */
const TOLD = new Set(["oom_kills", "machine_oom_kills", "xid", "last_console", "memory", "signal_from"]);

export function EndStory({ end }: { end: EndRecord }) {
  const reason = endReason(end);
  const evidence = end.evidence ? facts(end.evidence) : [];
  const lines = end.evidence?.last_console ?? [];
  const trace = end.why?.traceback;
  if (!reason && evidence.length === 0 && lines.length === 0) return null;
  const tone = stateTone(end.state);
  return (
    <section class={`end-story is-${tone}`} aria-label="How it ended">
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
  const memory = trend(evidence.memory);
  if (memory) found.push(memory);
  for (const [name, value] of Object.entries(evidence))
    if (!TOLD.has(name) && value !== null && value !== undefined) found.push(`${name.replaceAll("_", " ")}: ${formatValue(value as Value)}`);
  return found;
}

/** From what to what memory went in the last samples, and how much of it was the training's. */
function trend(memory: MemorySample[] | null | undefined): string | null {
  const first = memory?.[0], last = memory?.[memory.length - 1];
  if (!first || !last) return null;
  const limit = last.limit ? ` of ${gib(last.limit)}` : "";
  const own = last.process ? `; the training's processes had ${gib(last.process)}` : "";
  const rise = memory.length > 1 ? `went from ${gib(first.used)} to ${gib(last.used)}${limit} within ${Math.round(first.ago - last.ago)} s` : `was at ${gib(last.used)}${limit}`;
  return `Memory in use ${rise}${own}.`;
}

const gib = (n: number): string => `${(n / 2 ** 30).toFixed(1)} GiB`;

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
