/** Filters by clicking: conditions as chips, and a row of fields that writes one more. */

import { useSignal } from "@preact/signals";
import { Icon } from "../components/Icon";
import { columns, rows } from "../state/runs";
import { columnValue } from "./columns";
import { conditionText, splitConditions, withCondition, type Operator } from "./conditions";

const RUN_FIELDS = ["state", "name", "tags", "group", "job_type", "notes", "host", "duration", "created", "gaps", "archived"];
const OPERATORS: readonly [Operator, string][] = [
  ["=", "="], ["!=", "≠"], ["<", "<"], ["<=", "≤"], [">", ">"], [">=", "≥"], ["~", "matches"], ["!~", "does not match"],
  ["is there", "is there"], ["is empty", "is not there"],
];
const TAG_OPERATORS: readonly [Operator, string][] = [["has", "has"], ["has not", "has not"]];
const STATES = ["running", "finished", "failed", "killed", "preempted", "oom", "lost", "crashed"];
const MOST = 500;

interface Props { filter: string; onFilter: (filter: string) => void }

export default function FilterBuilder({ filter, onFilter }: Props) {
  const field = useSignal("");
  const operator = useSignal<Operator>("=");
  const value = useSignal("");
  const have = columns.value;
  const names = [
    ...RUN_FIELDS,
    ...(have?.config ?? []).map((one) => `config.${one.key}`),
    ...(have?.summary ?? []).map((one) => `summary.${one.key}`),
    ...(have?.metrics ?? []).flatMap((one) => [`metric.${one.key}.min`, `metric.${one.key}.max`]),
  ];
  const isTags = field.value === "tags";
  const operators = isTags ? TAG_OPERATORS : OPERATORS;
  const shownOperator = operators.some(([one]) => one === operator.value) ? operator.value : operators[0]![0];
  const needsValue = shownOperator !== "is empty" && shownOperator !== "is there";
  const isKnown = names.includes(field.value) || /^(config|summary|metric)\../.test(field.value);
  const conditions = filter.trim() ? splitConditions(filter) : [];
  const add = (): void => {
    if (!isKnown || (needsValue && value.value.trim() === "")) return;
    onFilter(withCondition(filter, conditionText(field.value, shownOperator, value.value)));
    value.value = "";
  };
  return (
    <div class="builder" role="group" aria-label="Filter builder">
      {conditions === null && <p class="menu-note">This filter is written by hand; what you add holds as well.</p>}
      {conditions !== null && conditions.length > 0 && (
        <ul class="chips" aria-label="Conditions">
          {conditions.map((text, i) => (
            <li class="chip" key={`${i}${text}`}>
              <code class="clip" title={text}>{text}</code>
              <button aria-label={`Take away ${text}`} title="Take away" onClick={() => onFilter(conditions.filter((_, at) => at !== i).join(" and "))}>
                <Icon name="close" size={11} />
              </button>
            </li>
          ))}
        </ul>
      )}
      <form class="builder-line" onSubmit={(event) => (event.preventDefault(), add())}>
        <input class={`field ${field.value && !isKnown ? "is-wrong" : ""}`} list="builder-fields" aria-label="Field" placeholder="Field" value={field.value} autocomplete="off" spellcheck={false}
          onInput={(event) => (field.value = event.currentTarget.value)} />
        <datalist id="builder-fields">{names.slice(0, MOST).map((one) => <option key={one} value={one} />)}</datalist>
        <select class="field" aria-label="Operator" value={shownOperator} onChange={(event) => (operator.value = event.currentTarget.value as Operator)}>
          {operators.map(([one, word]) => <option key={one} value={one}>{word}</option>)}
        </select>
        {needsValue && (
          <>
            <input class="field" list="builder-values" aria-label="Value" placeholder="Value" value={value.value} autocomplete="off" spellcheck={false}
              onInput={(event) => (value.value = event.currentTarget.value)} />
            <datalist id="builder-values">{suggestions(field.value).map((one) => <option key={one} value={one} />)}</datalist>
          </>
        )}
        <button class="button" type="submit" disabled={!isKnown || (needsValue && value.value.trim() === "")}>Add</button>
      </form>
    </div>
  );
}

/** Values that the loaded rows have. */
function suggestions(field: string): string[] {
  if (field === "state") return STATES;
  if (field === "archived") return ["true", "false"];
  const all = [...rows.value.values()];
  if (field === "tags") return [...new Set(all.flatMap((row) => row.tags))].sort().slice(0, MOST);
  const found = all.map((row) => columnValue(row, field)).filter((one) => one !== null && one !== undefined && typeof one !== "object");
  return [...new Set(found.map(String))].sort().slice(0, 100);
}
