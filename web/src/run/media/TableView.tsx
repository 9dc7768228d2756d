/** A logged table of any length: rows are fetched as they are scrolled to, sorted at the server. */

import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { ApiError } from "../../api/client";
import { records, type MediaPart, type TableAnswer } from "../../api/records";
import { Icon } from "../../components/Icon";
import { VirtualRows } from "../../components/VirtualRows";
import { formatNumber, formatValue, plural } from "../../format/number";
import type { Value } from "../../api/types";
import { noteAnswer, noteFailure } from "../../state/store";
import { Part } from "./Item";

type MediaCell = MediaPart & { media?: string };

const PAGE = 100;
const ROW = 32;
const MEDIA_ROW = 96;
const SEEN_ROWS = 14;

export function TableView({ project, run, seq, label }: { project: string; run: string; seq: number; label: string }) {
  const sort = useSignal<string | null>(null);
  const head = useSignal<TableAnswer | null>(null);
  const error = useSignal<ApiError | null>(null);
  const turn = useSignal(0);
  const pages = useMemo(() => new Map<number, unknown[][] | "asked">(), [project, run, seq, sort.value]);
  const fetch = async (page: number): Promise<void> => {
    if (pages.has(page)) return;
    pages.set(page, "asked");
    try {
      const answer = await records.table(project, run, seq, { offset: page * PAGE, limit: PAGE, sort: sort.peek() });
      pages.set(page, answer.rows);
      head.value = answer;
      error.value = null;
      turn.value += 1;
      noteAnswer();
    } catch (failure) {
      pages.delete(page);
      error.value = noteFailure(failure);
    }
  };
  useEffect(() => void fetch(0), [pages]);
  void turn.value;
  const table = head.value;
  if (!table)
    return error.value ? <p class="stale" role="alert">{error.value.message} <button class="button" onClick={() => void fetch(0)}>Try again</button></p>
      : <div class="media-wait" role="status" aria-label="Loading the table" />;
  const { columns, total } = table;
  const hasMedia = columns.some((one) => one.type === "media");
  const height = hasMedia ? MEDIA_ROW : ROW;
  const template = columns.map((one) => (one.type === "media" ? "150px" : one.type === "text" || one.type === "json" ? "minmax(140px, 1fr)" : "minmax(96px, 160px)")).join(" ");
  const width = columns.reduce((sum, one) => sum + (one.type === "media" ? 150 : one.type === "text" || one.type === "json" ? 140 : 96), 0);
  const turnSort = (name: string): void => {
    sort.value = sort.value === name ? `-${name}` : sort.value === `-${name}` ? null : name;
  };
  const direction = (name: string): "ascending" | "descending" | "none" => (sort.value === name ? "ascending" : sort.value === `-${name}` ? "descending" : "none");
  return (
    <div class="table-view">
      <div class="table-view-rows" style={{ height: `${Math.min(total, hasMedia ? 5 : SEEN_ROWS) * height + 46}px` }}>
        <VirtualRows count={total} rowHeight={height} label={`Table ${label}`} minWidth={width}
          onRange={(from, to) => {
            for (let page = Math.floor(from / PAGE); page <= Math.floor(to / PAGE); page++) void fetch(page);
          }}
          header={
            <div class="table-grid" style={{ gridTemplateColumns: template }}>
              {columns.map((one) => (
                <span key={one.name} role="columnheader" aria-sort={direction(one.name)} class={one.type === "number" ? "is-number" : ""}>
                  <button class="column-head" title={one.name} onClick={() => turnSort(one.name)}>
                    <span class="clip">{one.name}</span>
                    {direction(one.name) !== "none" && <Icon name={direction(one.name) === "ascending" ? "up" : "down"} size={11} />}
                  </button>
                </span>
              ))}
            </div>
          }
          row={(i) => {
            const page = pages.get(Math.floor(i / PAGE));
            const row = Array.isArray(page) ? page[i % PAGE] : undefined;
            return (
              <div class="table-grid" style={{ gridTemplateColumns: template, height: "100%" }}>
                {columns.map((one, c) => <span key={one.name} role="gridcell" class={`table-cell ${one.type === "number" ? "is-number" : ""}`}>{row ? <Cell project={project} run={run} type={one.type} value={row[c]} label={`${one.name}, row ${i + 1}`} /> : ""}</span>)}
              </div>
            );
          }} />
      </div>
      <p class="faint small table-foot">
        {plural(total, "row")}{table.left_out > 0 && `; ${plural(table.left_out, "more was", "more were")} left out when it was logged`}
        {error.value && <span role="alert"> · {error.value.message}</span>}
      </p>
    </div>
  );
}

function Cell({ project, run, type, value, label }: { project: string; run: string; type: string; value: unknown; label: string }) {
  if (value === null || value === undefined) return <span class="faint">–</span>;
  if (type === "media" && typeof value === "object") {
    const part = value as MediaCell;
    return <Part project={project} run={run} type={part.media ?? ""} part={part} label={label} />;
  }
  const text = typeof value === "number" ? formatNumber(value, 6) : formatValue(value as Value);
  return <span class="clip" title={typeof value === "number" ? String(value) : text}>{text}</span>;
}
