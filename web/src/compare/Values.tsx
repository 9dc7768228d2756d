/** The metrics of several runs: their last values, or those at a step. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Numbers } from "../api/columns";
import { api } from "../api/client";
import type { MetricFacts } from "../api/types";
import { Notice } from "../components/Notice";
import { SearchBox } from "../components/SearchBox";
import { metricMatcher } from "../components/sections";
import { formatNumber } from "../format/number";
import { place, setPlace } from "../run/place";
import { StepSlider } from "../run/StepSlider";
import { noteAnswer, noteFailure } from "../state/store";
import { Beside } from "./Beside";
import type { Compared } from "./ComparePage";

type Last = MetricFacts["last"];

const SHOWN = 60;
const WIDTH = 64;
const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

type Facts = MetricFacts & { last_step?: number | null };

export function Values({ project, compared }: { project: string; compared: Compared[] }) {
  const { find, step } = place.value;
  const more = useSignal(1);
  const facts = compared.map(({ record }) => new Map((record.metrics as Facts[]).filter((one) => !one.hidden).map((one) => [one.key, one])));
  const { matches } = metricMatcher(find);
  const all = [...new Set(facts.flatMap((one) => [...one.keys()]))].sort(order.compare).filter(matches);
  const keys = all.slice(0, SHOWN * more.value);
  const lastStep = Math.max(0, ...facts.flatMap((one) => [...one.values()].map((metric) => metric.last_step ?? 0)));
  const at = useValuesAt(project, compared.map((one) => one.run.id), step === null ? [] : keys, step);
  const rows = keys.map((key) => {
    const goal = facts.map((one) => one.get(key)?.goal).find(Boolean) ?? null;
    const values = compared.map(({ run }, i) => (step === null ? facts[i]!.get(key)?.last : at.values.get(key)?.get(run.id)) ?? null);
    const best = bestOf(values, goal);
    const isWaiting = step !== null && !at.values.has(key);
    return {
      key, differs: false,
      cells: values.map((value, i) => isWaiting ? <span class="faint">…</span> : <Cell key={i} value={value} base={i === 0 ? null : values[0]!} isBest={best === i} />),
    };
  });
  return (
    <>
      <header class="panel-head">
        <h2>{step === null ? "Last values" : `At step ${step.toLocaleString("en-US")}`}</h2>
        <SearchBox label="Search metrics (regular expression)" placeholder="Search metrics" value={find} isMain onValue={(next) => setPlace({ find: next })} />
        <StepSlider label="Step of the values" steps={{ first: 0, last: lastStep }} step={step} onStep={(next) => setPlace({ step: next })} />
      </header>
      {step !== null && <p class="faint small">The value of each metric at this step or, where it was not logged there, the last one before it.</p>}
      {at.error && <p class="stale" role="alert">{at.error}</p>}
      {rows.length > 0 ? <Beside label="Values" compared={compared} rows={rows} />
        : <Notice title={find ? "No metric matches" : "No metric logged yet"}>{find && <button class="button" onClick={() => setPlace({ find: "" })}>Show all metrics</button>}</Notice>}
      {all.length > keys.length && <button class="button" onClick={() => (more.value += 1)}>Show {Math.min(SHOWN, all.length - keys.length)} more of {all.length - keys.length}</button>}
    </>
  );
}

function Cell({ value, base, isBest }: { value: Last; base: Last; isBest: boolean }) {
  if (value === null) return <span class="faint">not logged</span>;
  if (typeof value !== "number") return <>{String(value)}</>;
  const change = typeof base === "number" ? value - base : null;
  return (
    <span class="is-number value-cell" title={String(value)}>
      <span class={isBest ? "best" : ""}>{formatNumber(value, 6)}{isBest && <span class="unseen"> best</span>}</span>
      {change !== null && change !== 0 && <span class="faint">{change > 0 ? "+" : ""}{formatNumber(change, 3)}</span>}
    </span>
  );
}

/** The place of the best value, when the metric has a goal and no other value is as good. */
export function bestOf(values: readonly Last[], goal: string | null): number | null {
  if (goal !== "minimize" && goal !== "maximize") return null;
  const sign = goal === "minimize" ? 1 : -1;
  const numbers = values.map((one) => (typeof one === "number" ? one * sign : Infinity));
  const least = Math.min(...numbers);
  return numbers.filter(Number.isFinite).length > 1 && numbers.filter((one) => one === least).length === 1 ? numbers.indexOf(least) : null;
}

/** The values at or before a step, metric by metric, a few metrics at a time. */
function useValuesAt(project: string, ids: readonly string[], keys: readonly string[], step: number | null) {
  const values = useSignal<ReadonlyMap<string, ReadonlyMap<string, Last>>>(new Map());
  const error = useSignal<string | null>(null);
  const asked = useRef("");
  const question = JSON.stringify([project, ids, step]);
  useEffect(() => {
    if (asked.current !== question) {
      asked.current = question;
      values.value = new Map();
    }
    if (step === null) return;
    const control = new AbortController();
    const queue = keys.filter((key) => !values.peek().has(key));
    const worker = async (): Promise<void> => {
      for (let key = queue.shift(); key !== undefined && !control.signal.aborted; key = queue.shift()) {
        try {
          const answer = await api.series(project, { key, run: ids, x: "step", max: step, width: WIDTH }, control.signal);
          const found = new Map(answer.series.map((one): [string, Last] => [one.run, lastOf(one)]));
          values.value = new Map([...values.peek(), [key, found]]);
          error.value = null;
          noteAnswer();
        } catch (failure) {
          const shown = noteFailure(failure);
          if (shown) error.value = shown.message;
          return;
        }
      }
    };
    void Promise.all([worker(), worker(), worker()]);
    return () => control.abort();
  }, [question, keys.join("\n")]);
  return { values: values.value, error: error.value };
}

/** The last value of a series: a number, or the word of a mark that stands behind it. */
function lastOf(one: { step: Numbers; last: Numbers; marks: { step: number; value: string }[] }): Last {
  const n = one.last.length - 1;
  const mark = one.marks[one.marks.length - 1];
  if (mark && (n < 0 || mark.step > (one.step[n] ?? -Infinity))) return mark.value;
  return n < 0 ? null : one.last[n]!;
}
