/** How a run ended and what is known of the cause, on top of its page. */

import type { EndRecord, Evidence, MemorySample } from "../api/types";
import { endReason } from "../components/RunHead";
import { stateTone } from "../components/StateMark";
import { plural } from "../format/number";
import { AnsiLine } from "./console/ansi";

export function EndStory({ end }: { end: EndRecord }) {
  const tone = stateTone(end.state);
  const evidence = end.evidence as Evidence | null | undefined;
  const reason = endReason(end);
  const lines = evidence?.last_console ?? [];
  const trace = end.why?.traceback;
  const memory = samples(evidence);
  if (!reason && lines.length === 0 && !trace) return null;
  return (
    <section class={`end-story is-${tone}`} aria-label="How it ended">
      {reason && <p class={`run-reason state-${tone}`}>{reason}</p>}
      {memory.length > 1 && <Memory samples={memory} />}
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

const samples = (evidence: Evidence | null | undefined): MemorySample[] =>
  (Array.isArray(evidence?.memory) ? evidence.memory : []).filter((one) => typeof one?.used === "number" && typeof one.ago === "number");

const gib = (n: number): string => `${(n / 2 ** 30).toFixed(1)} GiB`;

const WIDTH = 220;
const HEIGHT = 34;

/** The last memory samples as a line, below their limit where there is one. */
function Memory({ samples: all }: { samples: MemorySample[] }) {
  const last = all[all.length - 1]!;
  const top = Math.max(...all.map((one) => Math.max(one.used, one.limit ?? 0)));
  const longest = Math.max(...all.map((one) => one.ago), 1);
  const x = (ago: number): number => WIDTH * (1 - ago / longest);
  const y = (value: number): number => 2 + (HEIGHT - 4) * (1 - value / (top || 1));
  const words = `Memory before the end: ${gib(all[0]!.used)} to ${gib(last.used)}${last.limit ? ` of ${gib(last.limit)}` : ""}, in ${Math.round(longest)} seconds`;
  return (
    <p class="end-memory">
      <svg width={WIDTH} height={HEIGHT} role="img" aria-label={words}>
        {last.limit && <line class="end-limit" x1="0" x2={WIDTH} y1={y(last.limit)} y2={y(last.limit)} />}
        <polyline class="end-used" points={all.map((one) => `${x(one.ago).toFixed(1)},${y(one.used).toFixed(1)}`).join(" ")} />
      </svg>
      <span aria-hidden="true">{words}</span>
    </p>
  );
}
