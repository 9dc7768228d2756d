/** The runs of a project: a virtual table with the columns that were chosen, in groups if asked for. */

import { useSignal } from "@preact/signals";
import { formatValue, plural } from "../format/number";
import { known, listError, listIsLoading, need, needRows, rows, shown, shownSlots, total } from "../state/runs";
import { connection, highlight } from "../state/store";
import { go, route, runPath, setView, view } from "../state/url";
import { ColumnHead } from "../table/ColumnHead";
import { listColumns, LEAD, labelOf, minWidth, template } from "../table/columns";
import { edited } from "../table/editing";
import { groupKey, layout, toggleGroup, toggleGroups, type Place } from "../table/layout";
import { pinned, togglePin } from "../table/pins";
import { clearSelection, select, selectAll, selected } from "../table/selection";
import { ErrorNotice, FIRST_RUN, Notice, Snippet } from "./Notice";
import { RunRow } from "./RunRow";
import { Icon } from "./Icon";
import { VirtualRows } from "./VirtualRows";

export const ROW_HEIGHT = 34;

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
  const total_ = total.value;
  if (listError.value?.status === 404) return <NoRuns />;
  if (listError.value && total_ === null && !isQuestionError(listError.value.status))
    return <ErrorNotice error={listError.value} onRetry={() => need(0, 0)} />;
  if (listError.value && total_ === null) return null; // the filter box says what is wrong
  if (total_ === null) return <div class="skeleton-rows" role="status" aria-label="Loading runs" />;
  if (total_ === 0) return <NoRuns />;
  const { count, at } = layout.value;
  // a lost connection is told above all of the page, a filter that does not parse at its box
  const isOld = listError.value !== null && !isQuestionError(listError.value.status) && connection.value === "live";

  const typed = (event: KeyboardEvent): void => {
    if (event.target instanceof HTMLInputElement && event.target.type !== "checkbox") return;
    const project = route.value.page === "workspace" ? route.value.project : "";
    const place: Place | null = active.value >= 0 && active.value < count ? at(active.value) : null;
    const index = place && "row" in place ? place.row : -1;
    const row = rows.value.get(index);
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if ((event.key === "ArrowDown" || event.key === "j") && isPlain) move(1, event.shiftKey);
    else if ((event.key === "ArrowUp" || event.key === "k") && isPlain) move(-1, event.shiftKey);
    else if (event.key === "x" && isPlain && row) void select(index);
    else if (event.key === "p" && isPlain && row) togglePin(row.id);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) void selectAll();
    else if (event.key === "Escape" && selected.value.size > 0) clearSelection();
    else if (event.key === " " && row && !isButton(event.target)) toggleRun(row.id, event.shiftKey);
    else if (place && "group" in place && /^(Enter| |ArrowLeft|ArrowRight)$/.test(event.key) && !isButton(event.target)) toggleGroup(place.group);
    else if (isPlain && row && event.key in EDIT_KEYS) edited.value = { id: row.id, what: EDIT_KEYS[event.key as keyof typeof EDIT_KEYS] };
    else if (event.key === "Enter" && row && event.target === document.querySelector(".runs .vlist")) go(runPath(project, row.id));
    else return;
    event.preventDefault();
  };
  const move = (by: number, isRange: boolean): void => {
    const before = active.value;
    active.value = Math.max(0, Math.min(count - 1, before + by));
    const [old, place] = [before >= 0 && before < count ? at(before) : null, at(active.value)];
    if (isRange && old && "row" in old && !selected.value.has(rows.value.get(old.row)?.id ?? "")) void select(old.row);
    if ("row" in place) {
      highlight.value = rows.value.get(place.row)?.id ?? null;
      if (isRange) void select(place.row, true);
    }
    const list = document.querySelector(".runs .vlist");
    if (!list) return;
    const top = active.value * ROW_HEIGHT;
    const covered = ROW_HEIGHT * (2 + pinned.value.length); // the row itself, the head and what is pinned below it
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + covered > list.scrollTop + list.clientHeight) list.scrollTop = top + covered - list.clientHeight;
  };

  return (
    <>
    {isOld && <p class="stale" role="alert">{listError.value!.message} These are the runs of the last answer. <button class="button button-small" onClick={() => need(0, 0)}>Try again</button></p>}
    <div class={`runs ${listError.value ? "is-stale" : ""} ${selected.value.size > 0 ? "is-selecting" : ""}`} onKeyDown={typed} aria-busy={listIsLoading.value}>
      <VirtualRows
        count={count} rowHeight={ROW_HEIGHT} label="Runs" minWidth={minWidth.value} kept={`runs:${route.value.page === "workspace" ? route.value.project : ""}`}
        onRange={(from, to) => {
          const seen: number[] = [];
          for (let i = from; i <= to; i++) {
            const place = at(i);
            if ("row" in place) seen.push(place.row);
          }
          needRows(seen);
        }}
        rangeKey={layout.value}
        header={
          <div class="run-grid run-head" style={{ gridTemplateColumns: template.value }}>
            <SelectAll />
            <EyeAll />
            {listColumns.value.map((one) => <ColumnHead key={one.key} column={one} />)}
          </div>
        }
        above={pinned.value.map((id) => (
          <RunRow key={id} row={known.value.get(id) ?? null} index={-1} columns={listColumns.value} template={template.value} isActive={false} onPick={() => (active.value = -1)} />
        ))}
        row={(i) => {
          const place = at(i);
          if ("group" in place) return <GroupRow place={place} isActive={i === active.value} onPick={() => (active.value = i)} />;
          return (
            <RunRow row={rows.value.get(place.row) ?? null} index={place.row} columns={listColumns.value} template={template.value} isActive={i === active.value}
              onPick={() => (active.value = i)} />
          );
        }}
      />
    </div>
    </>
  );
}

const EDIT_KEYS = { e: "name", t: "tags", n: "notes" } as const;
const isButton = (target: EventTarget | null): boolean => target instanceof HTMLElement && /^(BUTTON|A|INPUT)$/.test(target.tagName);
const isQuestionError = (status: number): boolean => status === 400 || status === 422;

function GroupRow({ place, isActive, onPick }: { place: Extract<Place, { group: unknown }>; isActive: boolean; onPick: () => void }) {
  const { group, isOpen } = place;
  const { value } = group;
  const by = labelOf(view.value.by ?? "");
  const text = group.rest ? "all other values" : value === null ? `no ${by}` : Array.isArray(value) ? value.join(", ") : formatValue(value);
  return (
    <div class={`group-row ${isActive ? "is-active" : ""}`} role="gridcell" onPointerDown={onPick} title={`${by}: ${text}`}>
      <button class="group-head" aria-expanded={isOpen} aria-label={`${by} ${text}, ${plural(group.runs, "run")}`} data-group={groupKey(group)}
        onClick={(event) => (event.altKey ? toggleGroups() : toggleGroup(group))}>
        <span class={`turn ${isOpen ? "is-open" : ""}`}><Icon name="chevron" size={11} /></span>
        {value !== null && !group.rest && <span class="faint">{by}</span>}<span class="clip">{text}</span><span class="badge">{group.runs.toLocaleString("en-US")}</span>
      </button>
    </div>
  );
}

function SelectAll() {
  const count = selected.value.size;
  const isAll = count > 0 && count >= (total.value ?? 0);
  return (
    <div class="run-cell box is-stuck" role="columnheader" style={{ left: 0 }}>
      <input type="checkbox" aria-label="Select all runs" title="Select all runs (ctrl a)" checked={isAll} indeterminate={count > 0 && !isAll}
        onClick={(event) => {
          event.preventDefault();
          if (count > 0) clearSelection();
          else void selectAll();
        }} />
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
    <div class="run-cell eye is-stuck" role="columnheader" style={{ left: `${LEAD - 30}px` }}>
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
      {listError.value === null && <button class="button" onClick={() => setView({ filter: "archived = true" })}>look into the archive</button>}
    </Notice>
  );
}
