/** Chooses a step: by dragging, by arrow keys, by typing; the end of it is "the last one, whatever comes". */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  label: string;
  /** All steps there are, or the ends of a range. */
  steps: readonly number[] | { first: number; last: number };
  step: number | null;
  onStep: (step: number | null) => void;
}

export function StepSlider({ label, steps, step, onStep }: Props) {
  const known = Array.isArray(steps) ? (steps as number[]) : null;
  const { first, last } = known ? { first: 0, last: known.length - 1 } : (steps as { first: number; last: number });
  const stepAt = (at: number): number => (known ? known[at]! : at);
  const placeOf = (one: number | null): number => (one === null ? last : known ? nearest(known, one) : Math.min(last, Math.max(first, one)));
  const at = useSignal(placeOf(step));
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    at.value = placeOf(step);
  }, [step, last, first]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const move = (next: number, wait = 60): void => {
    at.value = next;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onStep(next >= last ? null : stepAt(next)), wait);
  };
  if (last <= first) return <span class="step-slider faint">{known && known.length === 1 ? `step ${known[0]!.toLocaleString("en-US")}` : ""}</span>;
  return (
    <span class="step-slider">
      <input type="range" min={first} max={last} step={1} value={at.value} aria-label={label}
        aria-valuetext={`step ${stepAt(at.value)}${at.value === last ? ", the last" : ""}`} data-step-slider
        onInput={(event) => move(Number(event.currentTarget.value))} />
      <input class="field step-field" inputMode="numeric" aria-label={`${label}, as a number`} value={String(stepAt(at.value))}
        onChange={(event) => {
          const typed = Number(event.currentTarget.value);
          if (Number.isSafeInteger(typed)) move(placeOf(typed), 0);
          else event.currentTarget.value = String(stepAt(at.value));
        }} />
      <button class={`toggle ${step === null ? "is-on" : ""}`} aria-pressed={step === null} title="Stay at the last step" onClick={() => move(last, 0)}>Last</button>
    </span>
  );
}

/** The place of the last step that is not after `step`; the first when all are. */
export function nearest(steps: readonly number[], step: number): number {
  let low = 0;
  let high = steps.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (steps[middle]! <= step) low = middle;
    else high = middle - 1;
  }
  return low;
}
