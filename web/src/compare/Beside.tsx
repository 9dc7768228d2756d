/** A table with a column for each compared run; the names stay while it is scrolled sideways. */

import type { ComponentChild } from "preact";
import { Swatch } from "../components/Swatch";
import { highlight } from "../state/store";
import type { Compared } from "./ComparePage";

export interface BesideRow { key: string; cells: ComponentChild[]; differs: boolean }

export function Beside({ label, compared, rows }: { label: string; compared: Compared[]; rows: BesideRow[] }) {
  return (
    <div class="beside table-scroll" tabIndex={0} role="group" aria-label={label}>
      <table aria-label={label}>
        <thead>
          <tr>
            <th scope="col">Key</th>
            {compared.map(({ run }) => (
              <th key={run.id} scope="col" onPointerEnter={() => (highlight.value = run.id)} onPointerLeave={() => (highlight.value = null)}>
                <span class="beside-name"><Swatch slot={run.slot} /><span class="clip" title={run.name}>{run.name}</span></span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key} class={row.differs ? "differs" : ""}>
              <th scope="row"><span class="clip" title={row.key}>{row.key}</span></th>
              {row.cells.map((cell, i) => <td key={i}>{cell}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
