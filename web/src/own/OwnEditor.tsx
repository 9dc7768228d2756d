/** The dialog in which a user makes a chart or changes one. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, ApiError } from "../api/client";
import { records } from "../api/records";
import { ownTitle, type OwnChart, type OwnKind } from "../state/cards";
import { columns, project, shown } from "../state/runs";
import { noteFailure } from "../state/store";
import { setView, view } from "../state/url";
import { Icon } from "../components/Icon";
import { edited } from "./editing";

const KINDS: { value: OwnKind; word: string; hint: string }[] = [
  { value: "lines", word: "Several metrics", hint: "Metrics over each other in one chart; each has its own pattern of dashes." },
  { value: "expression", word: "Expression", hint: "A formula of metrics, evaluated at every step: + - * / ^ and abs, sqrt, exp, log, log2, log10, sign, floor, ceil, round, min, max. To divide, put spaces round the /." },
  { value: "scatter", word: "Scatter", hint: "A dot a run: one value against another." },
  { value: "bar", word: "Bars", hint: "A bar a run; while runs are grouped, a bar a group with its mean and its extremes." },
  { value: "parallel", word: "Parallel coordinates", hint: "An axis a value and a line a run." },
  { value: "histogram", word: "Histogram over steps", hint: "Histograms that a run logged with outrider.Histogram." },
];
const RUN_FIELDS = ["duration", "created", "state", "group", "job_type", "host"];
const MOST_FIELDS: Record<OwnKind, number> = { lines: 8, expression: 0, scatter: 2, bar: 1, parallel: 12, histogram: 1 };
const LABELS: Record<OwnKind, readonly string[]> = { lines: ["Metric"], expression: [], scatter: ["x", "y"], bar: ["Value"], parallel: ["Axis"], histogram: ["Histogram"] };

export default function OwnEditor({ metrics }: { metrics: readonly string[] }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const draft = useSignal<OwnChart>(edited.value!);
  const failure = useSignal("");
  const histograms = useSignal<readonly string[]>([]);
  const chart = draft.value;
  const isNew = !view.value.own.some((one) => one.id === chart.id);
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  useEffect(() => {
    if (chart.kind !== "histogram") return;
    for (const run of shown.peek().slice(0, 5))
      records.mediaKeys(project.peek() ?? "", run.id).then(
        ({ keys }) => (histograms.value = [...new Set([...histograms.value, ...keys.filter((one) => one.type === "histogram").map((one) => one.key)])]),
        noteFailure,
      );
  }, [chart.kind]);
  const close = (): void => void (edited.value = null);
  const set = (change: Partial<OwnChart>): void => {
    draft.value = { ...draft.value, ...change };
    failure.value = "";
  };
  const values = [
    ...(columns.value?.config ?? []).map((one) => `config.${one.key}`), ...(columns.value?.summary ?? []).map((one) => `summary.${one.key}`), ...RUN_FIELDS,
  ];
  const choices = chart.kind === "lines" ? metrics : chart.kind === "histogram" ? histograms.value : values;
  const most = MOST_FIELDS[chart.kind];
  const isPair = chart.kind === "scatter";
  const fields = isPair ? [chart.fields[0] ?? "", chart.fields[1] ?? ""] : [...chart.fields, ...(chart.fields.length < most ? [""] : [])];
  const setField = (i: number, value: string): void => {
    const next = [...fields];
    next[i] = value;
    set({ fields: isPair ? next : next.filter(Boolean) });
  };
  const save = async (): Promise<void> => {
    const least = chart.kind === "expression" ? 0 : isPair ? 2 : chart.kind === "parallel" ? 2 : 1;
    if (chart.fields.filter(Boolean).length < least) return void (failure.value = least === 2 ? "Choose two values." : "Choose something to draw.");
    if (chart.kind === "expression") {
      try {
        // the server reads it: its word on what is wrong, and where, is shown here
        await api.series(project.peek() ?? "", { expression: chart.expression, run: shown.peek().slice(0, 1).map((one) => one.id), x: "step", width: 400 });
      } catch (error) {
        if (error instanceof ApiError && error.status === 400) return void (failure.value = `${error.message}${error.hint ? `. ${error.hint}` : ""}`);
        noteFailure(error);
      }
    }
    const made = { ...chart, title: chart.title.trim(), expression: chart.kind === "expression" ? chart.expression.trim() : "" };
    const { own } = view.peek();
    setView({ own: isNew ? [...own, made] : own.map((one) => (one.id === made.id ? made : one)) }, { push: true });
    close();
  };
  const at = /at character (\d+)/.exec(failure.value);
  return (
    <dialog class="own-editor" ref={dialog} aria-label={isNew ? "Make a chart" : "Change the chart"} onClose={close}
      onClick={(event) => event.target === dialog.current && close()}>
      <h2>{isNew ? "Make a chart" : "Change the chart"}</h2>
      <form onSubmit={(event) => (event.preventDefault(), void save())}>
        <div class="own-kinds" role="radiogroup" aria-label="Kind of chart">
          {KINDS.map((one) => (
            <label key={one.value} class={`own-kind ${chart.kind === one.value ? "is-on" : ""}`}>
              <input type="radio" name="kind" checked={chart.kind === one.value} onChange={() => set({ kind: one.value, fields: [] })} />{one.word}
            </label>
          ))}
        </div>
        <p class="faint">{KINDS.find((one) => one.value === chart.kind)!.hint}</p>
        {chart.kind === "expression" && (
          <label class="own-line"><span>Expression</span>
            <input class={`field mono ${failure.value ? "is-wrong" : ""}`} value={chart.expression} spellcheck={false} autocomplete="off" list="own-metrics"
              placeholder="train/loss - val/loss" aria-invalid={failure.value !== ""} onInput={(event) => set({ expression: event.currentTarget.value })} />
          </label>
        )}
        {fields.slice(0, most).map((field, i) => (
          <label class="own-line" key={i}><span>{LABELS[chart.kind][isPair ? i : 0]}{most > 2 ? ` ${i + 1}` : ""}</span>
            <input class="field" value={field} list={chart.kind === "lines" ? "own-metrics" : "own-values"} spellcheck={false} autocomplete="off"
              placeholder={i >= 1 && !isPair ? "another one" : "choose or type"} onChange={(event) => setField(i, event.currentTarget.value.trim())} />
          </label>
        ))}
        {(chart.kind === "scatter" || chart.kind === "parallel" || chart.kind === "bar") && (
          <label class="own-line"><span>Colour by</span>
            <input class="field" value={chart.colour} list="own-values" placeholder="run" spellcheck={false} autocomplete="off" onChange={(event) => set({ colour: event.currentTarget.value.trim() })} />
          </label>
        )}
        <label class="own-line"><span>Title</span>
          <input class="field" value={chart.title} maxLength={200} placeholder={ownTitle({ ...chart, title: "" })} onInput={(event) => set({ title: event.currentTarget.value })} />
        </label>
        <datalist id="own-metrics">{metrics.slice(0, 1000).map((one) => <option key={one} value={one} />)}</datalist>
        <datalist id="own-values">{choices.slice(0, 1000).map((one) => <option key={one} value={one} />)}</datalist>
        {failure.value && (
          <p class="own-failure" role="alert">
            {failure.value}
            {at && chart.kind === "expression" && <code class="own-where">{chart.expression}{"\n"}{" ".repeat(Number(at[1]) - 1)}^</code>}
          </p>
        )}
        <div class="own-buttons">
          <button class="button" type="button" onClick={close}>Cancel</button>
          <button class="button button-main" type="submit">{isNew && <Icon name="plus" size={14} />}{isNew ? "Make the chart" : "Change it"}</button>
        </div>
      </form>
    </dialog>
  );
}
