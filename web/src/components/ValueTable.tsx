/** Config or summary of one run, or of two beside each other: dotted keys, searchable. */

import { useSignal } from "@preact/signals";
import type { Value } from "../api/types";
import { exact, valueRows } from "../run/values";
import { Notice } from "./Notice";
import { SearchBox } from "./SearchBox";
import { metricMatcher } from "./sections";

export interface Against { name: string; values: Record<string, Value> }

interface Props {
  label: string;
  values: Record<string, Value>;
  empty: string;
  name?: string;
  against?: Against | null;
  onlyDiffering?: boolean;
  isMain?: boolean;
}

export function ValueTable({ label, values, empty, name = "", against = null, onlyDiffering = false, isMain = false }: Props) {
  const search = useSignal("");
  const all = valueRows(against ? [values, against.values] : [values]);
  if (all.length === 0) return <Notice title={empty} />;
  const { matches } = metricMatcher(search.value);
  const found = all.filter((row) => (!onlyDiffering || !against || row.differs) && matches(`${row.key} ${row.values.map(exact).join(" ")}`));
  return (
    <div class="values">
      {all.length > 8 && <SearchBox label={`Search ${label}`} placeholder={`Search ${label.toLowerCase()}`} value={search.value} isMain={isMain} onValue={(next) => (search.value = next)} />}
      <table aria-label={label}>
        {against && <thead><tr><th scope="col">Key</th><th scope="col">{name}</th><th scope="col">{against.name}</th></tr></thead>}
        <tbody>
          {found.map((row) => (
            <tr key={row.key} class={row.differs ? "differs" : ""}>
              <th scope="row">{row.key}</th>
              {row.values.map((value, i) => (
                <td key={i} class={typeof value === "number" ? "is-number" : ""}>{value === undefined ? <span class="faint">not set</span> : exact(value)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {found.length === 0 && <p class="faint">{search.value ? "Nothing matches." : "Nothing differs."}</p>}
    </div>
  );
}
