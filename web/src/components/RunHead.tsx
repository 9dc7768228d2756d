/** The head of a run's page: colour, name, state and how it ended. */

import type { EndRecord, RunAnswer } from "../api/types";
import { formatAgo, formatDuration, formatTime } from "../format/time";
import { plural } from "../format/number";
import { runTime } from "../state/run";
import { now } from "../state/store";
import { liveDuration } from "./RunRow";
import { StateMark, stateTone } from "./StateMark";
import { Swatch } from "./Swatch";

/** `ValueError: bad shape`, `killed by signal 9`, `exit code 2` — the reason in one line, or null. */
export function endReason(end: EndRecord | null): string | null {
  if (!end) return null;
  if (end.why) return end.why.message ? `${end.why.type}: ${end.why.message}` : end.why.type;
  if (end.signal) return `ended by signal ${end.signal}${SIGNALS[end.signal] ? ` (${SIGNALS[end.signal]})` : ""}`;
  if (end.code) return `exit code ${end.code}`;
  return null;
}

const SIGNALS: Record<number, string> = { 2: "SIGINT", 6: "SIGABRT", 9: "SIGKILL", 11: "SIGSEGV", 15: "SIGTERM" };

export function RunHead({ record, slot }: { record: RunAnswer; slot: number }) {
  const reason = endReason(record.end);
  const at = record.started ?? record.created;
  return (
    <header class="run-title">
      <h1><Swatch slot={slot} /><span class="clip" title={record.name || record.id}>{record.name || record.id}</span></h1>
      <div class="run-facts">
        <StateMark state={record.state} hasWord />
        <span title={formatTime(at)}>started {formatAgo(at, now.value / 1000)}</span>
        <span>{stateTone(record.state) === "live" ? "for" : "took"} {formatDuration(liveDuration(record, runTime.value))}</span>
        {record.host && <span>on {record.host}</span>}
        {record.attempt > 1 && <span>attempt {record.attempt}</span>}
        {record.gaps > 0 && <span class="badge badge-warn">{plural(record.gaps, "record")} could not be kept</span>}
        {record.tags.map((tag) => <span class="tag" key={tag}>{tag}</span>)}
      </div>
      {reason && <p class={`run-reason state-${stateTone(record.state)}`}>{reason}</p>}
      {record.notes && <p class="run-notes">{record.notes}</p>}
    </header>
  );
}
