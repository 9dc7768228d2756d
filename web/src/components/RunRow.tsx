/** One run in the list. */

import type { RunRow as Row, Value } from "../api/types";
import { formatValue, isNumberLike } from "../format/number";
import { formatAgo, formatDuration, formatTime } from "../format/time";
import { rowsTime, shownSlots } from "../state/runs";
import { highlight, now } from "../state/store";
import { runPath, view } from "../state/url";
import { toggleRun, type ListColumn } from "./RunList";
import { stateTone, StateMark } from "./StateMark";
import { Swatch } from "./Swatch";

/** A running run's duration goes on by the browser's own clock from the moment its row came. */
export function liveDuration(row: Row, since: number): number | null {
  if (row.duration === null) return null;
  return stateTone(row.state) === "live" ? row.duration + Math.max(0, (now.value - since) / 1000) : row.duration;
}

export function columnValue(row: Row, key: string): Value | undefined {
  const [, kind, name] = /^(config|summary)\.(.*)$/s.exec(key) ?? [];
  if (kind === undefined || name === undefined) return undefined;
  const values = kind === "config" ? row.config : row.summary;
  return values[name] ?? values[key];
}

interface Props { row: Row | null; columns: ListColumn[]; template: string; isActive: boolean; onPick: () => void }

export function RunRow({ row, columns, template, isActive, onPick }: Props) {
  if (!row) return <div class="run-grid run-row is-loading" style={{ gridTemplateColumns: template }} />;
  const slot = shownSlots.value.get(row.id);
  const isShown = slot !== undefined;
  const name = row.name || row.id;
  const word = isShown ? `Hide ${name}` : `Show ${name}`;
  return (
    <div class={`run-grid run-row ${isShown ? "" : "is-off"} ${isActive ? "is-active" : ""} ${highlight.value === row.id ? "is-lit" : ""}`}
      style={{ gridTemplateColumns: template }} onPointerDown={onPick}
      onPointerEnter={() => isShown && (highlight.value = row.id)}
      onPointerLeave={() => highlight.peek() === row.id && (highlight.value = null)}>
      <span class="run-cell eye" role="gridcell">
        <button aria-pressed={isShown} aria-label={word} title={`${word} (space); with alt: only this one`}
          onClick={(event) => toggleRun(row.id, event.altKey || event.shiftKey)}>
          <Swatch slot={slot ?? 0} isOn={isShown} />
        </button>
      </span>
      {columns.map((column) => <Cell key={column.key} row={row} column={column} name={name} />)}
    </div>
  );
}

function Cell({ row, column, name }: { row: Row; column: ListColumn; name: string }) {
  if (column.key === "name")
    return (
      <span class="run-cell is-text run-name" role="gridcell">
        <StateMark state={row.state} />
        <a class="clip" href={runPath(row.project, row.id)} title={name === row.id ? name : `${name} (${row.id})`}>{name}</a>
        {row.gaps > 0 && <span class="badge badge-warn" title={`${row.gaps} records could not be kept`}>gap</span>}
        <button class={`only ${view.value.only === row.id ? "is-on" : ""}`} aria-pressed={view.value.only === row.id}
          aria-label={`Show only ${name}`} onClick={() => toggleRun(row.id, true)}>only</button>
      </span>
    );
  if (column.key === "created") {
    const at = row.started ?? row.created;
    return <span class="run-cell faint" role="gridcell" title={formatTime(at)}>{formatAgo(at, now.value / 1000)}</span>;
  }
  if (column.key === "duration")
    return <span class="run-cell faint" role="gridcell">{formatDuration(liveDuration(row, rowsTime.value))}</span>;
  const value = columnValue(row, column.key);
  const text = formatValue(value);
  return (
    <span class={`run-cell ${isNumberLike(value) ? "" : "is-words"}`} role="gridcell" title={text}>
      <span class="clip">{text}</span>
    </span>
  );
}
