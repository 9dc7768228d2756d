/** The runs of a project: a virtual list with the built-in columns and those that were chosen. */

import { useSignal } from "@preact/signals";
import { listError, listIsLoading, need, noteSeen, rows, shown, shownSlots, total } from "../state/runs";
import { highlight } from "../state/store";
import { go, route, runPath, setView, view } from "../state/url";
import { ErrorNotice, FIRST_RUN, Notice, Snippet } from "./Notice";
import { RunRow } from "./RunRow";
import { sortDirection, toggleSort } from "./sorting";
import { Icon } from "./Icon";
import { VirtualRows } from "./VirtualRows";

export const ROW_HEIGHT = 34;

export interface ListColumn { key: string; label: string; width: number; isText?: boolean }

const NAME: ListColumn = { key: "name", label: "Run", width: 170, isText: true };
const TIMES: ListColumn[] = [
  { key: "created", label: "Started", width: 82 },
  { key: "duration", label: "Duration", width: 82 },
];

export function listColumns(chosen: readonly string[]): ListColumn[] {
  return [NAME, ...chosen.map((key) => ({ key, label: key.replace(/^(config|summary)\./, ""), width: 92 })), ...TIMES];
}

/** Shows or hides a run's lines; with `only`, shows it alone, or all again. */
export function toggleRun(id: string, only = false): void {
  const { hide, show, only: alone } = view.value;
  if (only) return setView({ only: alone === id ? null : id }, { push: true });
  const isShown = shownSlots.value.has(id);
  if (alone !== null) return setView({ only: null, show: [...new Set([...show, id])], hide: hide.filter((one) => one !== id) });
  setView(isShown
    ? { hide: [...new Set([...hide, id])], show: show.filter((one) => one !== id) }
    : { hide: hide.filter((one) => one !== id), show: isAmongFirst(id) ? show : [...show, id] });
}

function isAmongFirst(id: string): boolean {
  for (let i = 0; i < view.value.lines; i++) if (rows.value.get(i)?.id === id) return true;
  return false;
}

export function RunList() {
  const active = useSignal(-1);
  const columns = listColumns(view.value.columns);
  const template = `34px minmax(${columns[0]!.width}px, 1fr) ${columns.slice(1).map((one) => `${one.width}px`).join(" ")}`;
  const minWidth = 34 + columns.reduce((sum, one) => sum + one.width, 0);
  const count = total.value;
  if (listError.value?.status === 404) return <NoRuns />;
  if (listError.value && count === null && !isQuestionError(listError.value.status))
    return <ErrorNotice error={listError.value} onRetry={() => need(0, 0)} />;
  if (listError.value && count === null) return null; // the filter box says what is wrong
  if (count === null) return <div class="skeleton-rows" role="status" aria-label="Loading runs" />;
  if (count === 0) return <NoRuns />;

  const typed = (event: KeyboardEvent): void => {
    const project = route.value.page === "workspace" ? route.value.project : "";
    const row = rows.value.get(active.value);
    if (event.key === "ArrowDown" || event.key === "j") move(1);
    else if (event.key === "ArrowUp" || event.key === "k") move(-1);
    else if (event.key === " " && row) toggleRun(row.id, event.shiftKey);
    else if (event.key === "Enter" && row && event.target === event.currentTarget) go(runPath(project, row.id));
    else return;
    event.preventDefault();
  };
  const move = (by: number): void => {
    active.value = Math.max(0, Math.min(count - 1, active.value + by));
    highlight.value = rows.value.get(active.value)?.id ?? null;
    const list = document.querySelector(".runs .vlist");
    if (!list) return;
    const top = active.value * ROW_HEIGHT;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + ROW_HEIGHT * 2 > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW_HEIGHT * 2 - list.clientHeight;
  };

  return (
    <div class={`runs ${listError.value ? "is-stale" : ""}`} onKeyDown={typed} aria-busy={listIsLoading.value}>
      <VirtualRows
        count={count} rowHeight={ROW_HEIGHT} label="Runs" minWidth={minWidth}
        onRange={(from, to) => {
          noteSeen(from, to);
          need(from, to);
        }}
        header={
          <div class="run-grid run-head" style={{ gridTemplateColumns: template }}>
            <EyeAll />
            {columns.map((one) => <ColumnHead key={one.key} column={one} />)}
          </div>
        }
        row={(i) => (
          <RunRow row={rows.value.get(i) ?? null} columns={columns} template={template} isActive={i === active.value}
            onPick={() => (active.value = i)} />
        )}
      />
    </div>
  );
}

const isQuestionError = (status: number): boolean => status === 400 || status === 422;

function ColumnHead({ column }: { column: ListColumn }) {
  const direction = sortDirection(view.value.sort, column.key);
  return (
    <div class={`run-cell ${column.isText ? "is-text" : ""}`} role="columnheader"
      aria-sort={direction === "up" ? "ascending" : direction === "down" ? "descending" : "none"}>
    <button class={`column-head ${direction ? "is-sorted" : ""}`} title={`${column.key}: click to sort, shift-click to sort by it too`}
      onClick={(event) => setView({ sort: toggleSort(view.value.sort, column.key, event.shiftKey) })}>
      <span class="clip">{column.label}</span>
      {direction && <Icon name={direction} size={11} />}
    </button>
    </div>
  );
}

function EyeAll() {
  const none = shown.value.length === 0;
  const isChanged = view.value.hide.length > 0 || view.value.show.length > 0 || view.value.only !== null;
  const word = isChanged || none ? "Show the first runs again" : "Hide all runs";
  const press = (): void => {
    if (isChanged || none) setView({ hide: [], show: [], only: null });
    else setView({ hide: shown.value.map((one) => one.id), show: [] });
  };
  return (
    <div class="run-cell eye" role="columnheader">
      <button aria-label={word} title={word} onClick={press}><Icon name={none ? "eyeOff" : "eye"} size={15} /></button>
    </div>
  );
}

function NoRuns() {
  const { filter, search } = view.value;
  const project = route.value.page === "workspace" ? route.value.project : "";
  if (filter || search)
    return (
      <Notice title="No run matches">
        <p>Change the search or the filter, or</p>
        <button class="button" onClick={() => setView({ filter: "", search: "" })}>show all runs</button>
      </Notice>
    );
  return (
    <Notice title="No runs yet">
      <p>Three lines log the first one; it appears here as it happens.</p>
      <Snippet label="Python that logs a first run" code={FIRST_RUN(project)} />
    </Notice>
  );
}
