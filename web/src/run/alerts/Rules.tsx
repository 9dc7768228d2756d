/** The rules of a project: listed, made, removed. */

import { useSignal } from "@preact/signals";
import { records, type NewRule } from "../../api/records";
import { Icon } from "../../components/Icon";
import { noteFailure } from "../../state/store";
import { useResource } from "../resource";

type Need = "metric" | "value" | "minutes";

const KINDS: { value: string; word: string; needs: Need[] }[] = [
  { value: "nonfinite", word: "a metric is NaN or infinite", needs: ["metric"] },
  { value: "above", word: "a metric is above a value", needs: ["metric", "value"] },
  { value: "below", word: "a metric is below a value", needs: ["metric", "value"] },
  { value: "stalled", word: "a metric has not moved for some time", needs: ["metric", "minutes"] },
  { value: "died", word: "a run died", needs: [] },
  { value: "oom", word: "a run was killed for lack of memory", needs: [] },
  { value: "silent", word: "nothing is heard of a run", needs: ["minutes"] },
];

export function Rules({ project, metrics }: { project: string; metrics: readonly string[] }) {
  const found = useResource(JSON.stringify(["rules", project]), (signal) => records.rules(project, signal));
  const kind = useSignal(KINDS[0]!);
  const problem = useSignal<string | null>(null);
  const act = async (work: () => Promise<unknown>): Promise<boolean> => {
    problem.value = null;
    try {
      await work();
      found.refresh();
      return true;
    } catch (failure) {
      const shown = noteFailure(failure);
      problem.value = shown && [shown.message, shown.hint].filter(Boolean).join(" ");
      return false;
    }
  };
  const add = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const rule: NewRule = { kind: kind.value.value };
    for (const need of kind.value.needs) {
      const typed = String(data.get(need) ?? "").trim();
      if (need === "metric") rule.metric = typed;
      else rule[need] = Number(typed);
    }
    if (data.get("level")) rule.level = String(data.get("level"));
    void act(() => records.addRule(project, rule)).then((isDone) => isDone && form.reset());
  };
  return (
    <section class="facts" aria-label="Rules of the project">
      <h2>Rules of the project</h2>
      <p class="faint small">The server looks at what comes in from now on, in every run of {project}.</p>
      {found.error && <p class="stale" role="alert">{found.error.message}</p>}
      {found.data?.rules.length === 0 && <p class="rule-none">No rule yet.</p>}
      <ul class="rules">
        {found.data?.rules.map((rule) => (
          <li key={rule.id}>
            <span class={`alert-level is-${rule.level}`}>{rule.level}</span><span>{rule.says}</span>
            <button class="edit" aria-label={`Remove the rule: ${rule.says}`} title="Remove" onClick={() => void act(() => records.deleteRule(project, rule.id))}><Icon name="close" size={12} /></button>
          </li>
        ))}
      </ul>
      <form class="rule-form" onSubmit={add}>
        <label>Raise an alert when
          <select class="field" value={kind.value.value} onChange={(event) => (kind.value = KINDS.find((one) => one.value === event.currentTarget.value)!)}>
            {KINDS.map((one) => <option key={one.value} value={one.value}>{one.word}</option>)}
          </select>
        </label>
        {kind.value.needs.includes("metric") && (
          <label>Metric
            <input class="field" name="metric" required maxLength={256} list="rule-metrics" placeholder={kind.value.value === "stalled" ? "train/loss" : "train/loss or val/*"} autocomplete="off" spellcheck={false} />
            <datalist id="rule-metrics">{metrics.slice(0, 200).map((one) => <option key={one} value={one} />)}</datalist>
          </label>
        )}
        {kind.value.needs.includes("value") && <label>Value<input class="field" name="value" required type="number" step="any" /></label>}
        {kind.value.needs.includes("minutes") && <label>Minutes<input class="field" name="minutes" required type="number" min="0.1" step="any" /></label>}
        <label>Level
          <select class="field" name="level">
            <option value="">as usual</option><option value="info">info</option><option value="warn">warn</option><option value="error">error</option>
          </select>
        </label>
        <button class="button button-main" type="submit">Add the rule</button>
      </form>
      {problem.value && <p class="stale" role="alert">{problem.value}</p>}
    </section>
  );
}
