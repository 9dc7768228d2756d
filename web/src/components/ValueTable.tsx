/** Config or summary: nested values flattened to dotted keys, searchable. */

import { useSignal } from "@preact/signals";
import type { Value } from "../api/types";
import { formatValue } from "../format/number";
import { SearchBox } from "./SearchBox";
import { Notice } from "./Notice";

export function flatten(values: Record<string, Value>, prefix = ""): [string, Value][] {
  return Object.entries(values).flatMap(([key, value]): [string, Value][] =>
    value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length > 0
      ? flatten(value, `${prefix}${key}.`)
      : [[prefix + key, value]],
  );
}

export function ValueTable({ label, values, empty }: { label: string; values: Record<string, Value>; empty: string }) {
  const search = useSignal("");
  const order = new Intl.Collator("en", { numeric: true });
  const all = flatten(values).sort(([a], [b]) => order.compare(a, b));
  if (all.length === 0) return <Notice title={empty} />;
  const words = search.value.toLowerCase();
  const found = all.filter(([key, value]) => `${key} ${formatValue(value)}`.toLowerCase().includes(words));
  return (
    <div class="values">
      {all.length > 8 && <SearchBox label={`Search ${label}`} placeholder={`Search ${label.toLowerCase()}`} value={search.value} isMain onValue={(next) => (search.value = next)} />}
      <table aria-label={label}>
        <tbody>{found.map(([key, value]) => <tr key={key}><th scope="row">{key}</th><td class={typeof value === "number" ? "is-number" : ""}>{exact(value)}</td></tr>)}</tbody>
      </table>
      {found.length === 0 && <p class="faint">Nothing matches.</p>}
    </div>
  );
}

/** Here nothing is rounded: a config is read to be repeated. */
const exact = (value: Value): string => (typeof value === "number" ? String(value) : formatValue(value));
