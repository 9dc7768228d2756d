/** One run in the list. */

import type { RunRow as Row } from "../api/types";
import { formatValue, isNumberLike } from "../format/number";
import { formatAgo, formatDuration, formatTime } from "../format/time";
import { going, rowsTime, shownSlots } from "../state/runs";
import { highlight, now } from "../state/store";
import { runPath, view } from "../state/url";
import { columnValue, LEAD, type ListColumn } from "../table/columns";
import { edited, isEditable } from "../table/editing";
import { Part } from "../table/Part";
import { togglePin } from "../table/pins";
import { select, selected } from "../table/selection";
import { Icon } from "./Icon";
import { toggleRun } from "./RunList";
import { stateTone, StateMark } from "./StateMark";
import { Swatch } from "./Swatch";

/** A running run's duration goes on by the browser's own clock from the moment its row came. */
export function liveDuration(row: Row, since: number): number | null {
  if (row.duration === null) return null;
  return stateTone(row.state) === "live" ? row.duration + Math.max(0, (now.value - since) / 1000) : row.duration;
}

/** `index` is the row's place in the list, -1 for one that is pinned above it. */
interface Props { row: Row | null; index: number; columns: ListColumn[]; template: string; isActive: boolean; onPick: () => void }

const loadEditor = () => import("../table/CellEditor");

export function RunRow({ row, index, columns, template, isActive, onPick }: Props) {
  if (!row) return <div class="run-grid run-row is-loading" style={{ gridTemplateColumns: template }} />;
  const slot = shownSlots.value.get(row.id);
  const isShown = slot !== undefined;
  const isSelected = selected.value.has(row.id);
  const isGoing = going.value.has(row.id);
  const name = row.name || row.id;
  const word = isShown ? `Hide ${name}` : `Show ${name}`;
  const pressed = (event: MouseEvent): void => {
    if (!(event.ctrlKey || event.metaKey || event.shiftKey) || (event.target as Element).closest(".eye, .box, input, textarea")) return;
    event.preventDefault(); // nor does a link open
    void select(index, event.shiftKey, row.id);
  };
  const marks = [isShown ? "" : "is-off", isActive ? "is-active" : "", highlight.value === row.id ? "is-lit" : "", isSelected ? "is-selected" : "", isGoing ? "is-going" : ""];
  return (
    <div class={`run-grid run-row ${marks.join(" ")}`} data-run={row.id}
      style={{ gridTemplateColumns: template }} onPointerDown={onPick} onClick={pressed} onMouseDown={(event) => event.shiftKey && event.preventDefault()}
      onPointerEnter={() => isShown && (highlight.value = row.id)}
      onPointerLeave={() => highlight.peek() === row.id && (highlight.value = null)}>
      <span class="run-cell box is-stuck" role="gridcell" style={{ left: 0 }}>
        <input type="checkbox" checked={isSelected} aria-label={`Select ${name}`} title="Select (x); with shift: up to here" disabled={isGoing}
          onClick={(event) => {
            event.preventDefault();
            const isRange = event.shiftKey;
            setTimeout(() => void select(index, isRange, row.id)); // the browser puts the box back after a prevented click
          }} />
      </span>
      <span class="run-cell eye is-stuck" role="gridcell" style={{ left: `${LEAD - 30}px` }}>
        <button aria-pressed={isShown} aria-label={word} title={`${word} (space); with alt: only this one`}
          onClick={(event) => toggleRun(row.id, event.altKey || event.shiftKey)}>
          <Swatch slot={slot ?? 0} isOn={isShown} />
        </button>
      </span>
      {columns.map((column) => <Cell key={column.key} row={row} column={column} name={name} isWhole={columns} />)}
    </div>
  );
}

function Cell({ row, column, name, isWhole }: { row: Row; column: ListColumn; name: string; isWhole: ListColumn[] }) {
  const { key } = column;
  const stuck = column.left === undefined ? "" : "is-stuck";
  const style = column.left === undefined ? undefined : { left: `${column.left}px` };
  const what = edited.value?.id === row.id ? edited.value.what : null;
  // a text whose column is not shown is edited in the name's place
  if (what !== null && (what === key || (key === "name" && !isWhole.some((one) => one.key === what))))
    return <span class={`run-cell is-text is-edited ${stuck}`} role="gridcell" style={style}><Part load={loadEditor} row={row} what={what} /></span>;
  const edit = isEditable(key) ? () => (edited.value = { id: row.id, what: key }) : undefined;
  if (key === "name")
    return (
      <span class={`run-cell is-text run-name ${stuck}`} role="gridcell" style={style}>
        <StateMark state={row.state} />
        <a class="clip" href={runPath(row.project, row.id)} title={name === row.id ? name : `${name} (${row.id})`}>{name}</a>
        {row.gaps > 0 && <span class="badge badge-warn" title={`${row.gaps} records could not be kept`}>gap</span>}
        {row.archived && <span class="badge" title="Archived: lists leave it out">archived</span>}
        <span class={`row-tools ${view.value.only === row.id ? "is-kept" : ""}`}>
          <button class={`only ${view.value.top.includes(row.id) ? "is-on" : ""}`} aria-pressed={view.value.top.includes(row.id)}
            aria-label={`Pin ${name}`} title="Pin above the list (p)" onClick={() => togglePin(row.id)}><Icon name="pin" size={12} /></button>
          <button class="only" aria-label={`Rename ${name}`} title="Rename (e)" onClick={edit}><Icon name="pencil" size={12} /></button>
          <button class={`only ${view.value.only === row.id ? "is-on" : ""}`} aria-pressed={view.value.only === row.id}
            aria-label={`Show only ${name}`} onClick={() => toggleRun(row.id, true)}>only</button>
        </span>
      </span>
    );
  if (key === "created") {
    const at = row.started ?? row.created;
    return <span class={`run-cell faint ${stuck}`} role="gridcell" style={style} title={formatTime(at)}>{formatAgo(at, now.value / 1000)}</span>;
  }
  if (key === "duration")
    return <span class={`run-cell faint ${stuck}`} role="gridcell" style={style}>{formatDuration(liveDuration(row, rowsTime.value))}</span>;
  if (key === "tags")
    return (
      <span class={`run-cell is-text ${stuck}`} role="gridcell" style={style} title={row.tags.join(", ") || "Double-click to tag (t)"} onDblClick={edit}>
        {row.tags.map((tag) => <span class="tag clip" key={tag}>{tag}</span>)}
      </span>
    );
  const value = columnValue(row, key);
  const text = key === "notes" ? row.notes ?? "" : formatValue(value);
  return (
    <span class={`run-cell ${isNumberLike(value) ? "" : "is-words"} ${column.isText ? "is-text" : ""} ${stuck}`} role="gridcell" style={style}
      title={key === "notes" && !text ? "Double-click to write (n)" : text} onDblClick={edit}>
      <span class="clip">{text}</span>
    </span>
  );
}
