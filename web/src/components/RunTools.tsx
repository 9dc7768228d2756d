/** Above the run list: search by name, filter in the server's language, columns, how many lines. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { plural } from "../format/number";
import { filterText, listError, shown, total } from "../state/runs";
import { setView, view } from "../state/url";
import { FilterError } from "../table/FilterError";
import { Part } from "../table/Part";
import { selected } from "../table/selection";
import { ColumnMenu } from "./ColumnMenu";
import { Icon } from "./Icon";
import { Menu } from "./Menu";
import { SearchBox } from "./SearchBox";

const loadBulk = () => import("../table/BulkBar");
const loadBuilder = () => import("../table/FilterBuilder");
const loadTable = () => import("../table/TableMenu");

export function RunTools() {
  const isOpen = useSignal(view.value.filter !== "");
  const typed = useSignal(view.value.filter);
  useEffect(() => {
    typed.value = view.value.filter;
    if (view.value.filter) isOpen.value = true;
  }, [view.value.filter]);
  const error = view.value.filter && listError.value && listError.value.status !== 0 ? listError.value : null;
  const field = useRef<HTMLInputElement>(null);
  const toggle = (): void => {
    isOpen.value = !isOpen.value;
    if (isOpen.value) setTimeout(() => field.current?.focus());
  };
  const commit = (): void => setView({ filter: typed.value.trim() }, { push: true });
  return (
    <div class="run-tools">
      <div class="run-tools-line">
        <SearchBox label="Search runs by name" placeholder="Search runs (text or regex)" value={view.value.search} onValue={(search) => setView({ search })} />
        <button class={`button button-quiet ${view.value.filter ? "is-active" : ""}`} aria-label="Filter" aria-expanded={isOpen.value}
          title="Filter" onClick={toggle}>
          <Icon name="filter" />
        </button>
        <ColumnMenu />
        <Menu label="The table" align="end" button={<Icon name="more" />} isActive={view.value.by !== null || view.value.differ}>
          <Part load={loadTable} />
        </Menu>
      </div>
      {isOpen.value && (
        <form class="filter" onSubmit={(event) => (event.preventDefault(), commit())}>
          <input ref={field} class={`field mono ${error ? "is-wrong" : ""}`} value={typed.value} aria-label="Filter" aria-invalid={error !== null}
            aria-describedby="filter-help" spellcheck={false} autocomplete="off"
            placeholder={'config.lr < 0.01 and state = "running"'}
            onInput={(event) => (typed.value = event.currentTarget.value)} onBlur={commit} />
          <p id="filter-help" class={error ? "filter-error" : "filter-hint"} role={error ? "alert" : undefined}>
            {error ? <FilterError error={error} typed={view.value.filter} shift={filterText.value === view.value.filter.trim() ? 0 : 1} /> : <>
              <code>config.lr</code> <code>summary."val/acc"</code> <code>state</code> <code>name ~ "re"</code> <code>tags has "x"</code> · and, or, not</>}
          </p>
        </form>
      )}
      {isOpen.value && <Part load={loadBuilder} filter={view.value.filter} onFilter={(filter: string) => setView({ filter }, { push: true })} />}
      {selected.value.size > 0 && <Part load={loadBulk} />}
      <div class="run-count" hidden={selected.value.size > 0}>
        <span>{total.value === null ? "…" : plural(total.value, "run")}</span>
        <span class="faint">{plural(shown.value.length, "line")} shown</span>
        <Menu label="How many runs the charts show" align="end" button={<><span class="small">first {view.value.lines}</span><span class="turn is-open"><Icon name="chevron" size={10} /></span></>}>
          {[5, 10, 20, 50, 100].map((n) => (
            <button key={n} class="menu-item" aria-pressed={view.value.lines === n} onClick={() => setView({ lines: n })}>
              first {n}{view.value.lines === n && <span class="menu-tick"><Icon name="check" size={14} /></span>}
            </button>
          ))}
        </Menu>
      </div>
    </div>
  );
}
