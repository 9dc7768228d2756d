/** A run's state as a small mark: colour and shape and word, so that none of the three is needed alone. */

import type { RunState } from "../api/types";

const WORDS: Record<string, string> = {
  running: "running", finished: "finished", failed: "failed", crashed: "crashed", killed: "killed",
  preempted: "preempted", oom: "out of memory", lost: "lost",
};

export const stateWord = (state: RunState): string => WORDS[state] ?? state;

export function stateTone(state: RunState): "live" | "good" | "bad" | "warn" | "plain" {
  if (state === "running") return "live";
  if (state === "finished") return "good";
  if (state === "failed" || state === "crashed" || state === "oom") return "bad";
  if (state === "killed" || state === "preempted" || state === "lost") return "warn";
  return "plain";
}

const SHAPES = { live: "M8 8h.01", good: "M4.5 8.3 7 10.8l4.5-5.3", bad: "M5 5l6 6M11 5l-6 6", warn: "M8 4.5v4.2M8 11.2v.1", plain: "M5 8h6" };

export function StateMark({ state, hasWord = false }: { state: RunState; hasWord?: boolean }) {
  const tone = stateTone(state);
  return (
    <span class={`state state-${tone}`} title={stateWord(state)}>
      {tone === "live"
        ? <span class="dot-live" aria-hidden="true" />
        : <svg class="icon" width="14" height="14" viewBox="0 0 16 16" aria-hidden="true"><path d={SHAPES[tone]} /></svg>}
      {hasWord ? <span>{stateWord(state)}</span> : <span class="unseen">{stateWord(state)}</span>}
    </span>
  );
}
