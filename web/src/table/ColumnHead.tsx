/** A column's head: sorts at a click, moves by dragging, is widened at its edge; all of it by keys too. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { sortDirection, sortPlace, toggleSort } from "../components/sorting";
import { Icon } from "../components/Icon";
import { setView, view } from "../state/url";
import { LEAST_WIDTH, moveColumn, NAME, setWidth, shownKeys, toggleFreeze, type ListColumn } from "./columns";

const KEYS_HELP = "click to sort, shift-click to sort by it too; drag to move, drag the edge to resize. Keys: alt ← → moves, alt shift ← → resizes, alt p pins";
const STEP = 16;
const UNSORTED = new Set(["tags"]);

/** The columns on the screen by their left edge, for dropping between them. */
function columnAt(x: number): string | null {
  for (const head of document.querySelectorAll<HTMLElement>(".runs [data-column]")) {
    const box = head.getBoundingClientRect();
    if (head.dataset.column !== NAME && x < box.left + box.width / 2) return head.dataset.column!;
  }
  return null;
}

export function ColumnHead({ column }: { column: ListColumn }) {
  const moved = useRef(false);
  const drop = useSignal<string | null | undefined>(undefined);
  const wide = useSignal<number | null>(null);
  const { key } = column;
  const { sort, freeze } = view.value;
  const direction = sortDirection(sort, key);
  const place = sortPlace(sort, key);
  const isPinned = freeze.includes(key);

  const drag = (event: PointerEvent): void => {
    if (event.button !== 0 || key === NAME) return;
    const start = event.clientX;
    const head = event.currentTarget as HTMLElement;
    moved.current = false;
    const move = (now: PointerEvent): void => {
      if (!moved.current && Math.abs(now.clientX - start) < 6) return;
      moved.current = true;
      drop.value = columnAt(now.clientX);
    };
    const end = (now: PointerEvent): void => {
      head.removeEventListener("pointermove", move);
      head.removeEventListener("pointerup", end);
      head.removeEventListener("pointercancel", end);
      if (moved.current && now.type === "pointerup" && drop.value !== key) moveColumn(key, { before: drop.value ?? null });
      drop.value = undefined;
    };
    head.setPointerCapture(event.pointerId);
    head.addEventListener("pointermove", move);
    head.addEventListener("pointerup", end);
    head.addEventListener("pointercancel", end);
  };

  const resize = (event: PointerEvent): void => {
    event.stopPropagation();
    event.preventDefault();
    const edge = event.currentTarget as HTMLElement;
    const start = event.clientX;
    const width = edge.parentElement!.getBoundingClientRect().width;
    const at = (now: PointerEvent): number => Math.max(LEAST_WIDTH, Math.round(width + now.clientX - start));
    const move = (now: PointerEvent): void => void (wide.value = at(now) - width);
    const end = (now: PointerEvent): void => {
      edge.removeEventListener("pointermove", move);
      edge.removeEventListener("pointerup", end);
      wide.value = null;
      if (Math.abs(now.clientX - start) > 2) setWidth(key, at(now));
    };
    edge.setPointerCapture(event.pointerId);
    edge.addEventListener("pointermove", move);
    edge.addEventListener("pointerup", end);
  };

  const typed = (event: KeyboardEvent): void => {
    if (!event.altKey) return;
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by !== 0 && event.shiftKey) setWidth(key, column.width + by * STEP);
    else if (by !== 0) moveColumn(key, { by });
    else if (event.code === "KeyP" && key !== NAME) toggleFreeze(key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const isLast = shownKeys.value[shownKeys.value.length - 1] === key;
  return (
    <div class={`run-cell ${column.isText ? "is-text" : ""} ${column.left !== undefined ? "is-stuck" : ""}`} role="columnheader" data-column={key}
      data-drop={drop.value === undefined ? undefined : drop.value ?? "end"}
      style={column.left === undefined ? undefined : { left: `${column.left}px` }}
      aria-sort={direction === "up" ? "ascending" : direction === "down" ? "descending" : "none"}>
      <button class={`column-head ${direction ? "is-sorted" : ""}`} title={`${key}: ${KEYS_HELP}`} onPointerDown={drag} onKeyDown={typed}
        onClick={(event) => {
          if (moved.current || UNSORTED.has(key)) moved.current = false;
          else setView({ sort: toggleSort(sort, key, event.shiftKey) });
        }}>
        {isPinned && <Icon name="pin" size={11} />}
        <span class="clip">{column.label}</span>
        {direction && <Icon name={direction} size={11} />}
        {place !== null && <span class="sort-place">{place}</span>}
      </button>
      <span class={`column-edge ${isLast ? "is-last" : ""}`} aria-hidden="true" onPointerDown={resize}
        style={wide.value === null ? undefined : { transform: `translateX(${wide.value}px)`, opacity: 1 }} />
      {drop.value !== undefined && <DropMark before={drop.value} />}
    </div>
  );
}

/** Where the column will stand. */
function DropMark({ before }: { before: string | null }) {
  const heads = [...document.querySelectorAll<HTMLElement>(".runs [data-column]")];
  const head = before === null ? heads[heads.length - 1] : heads.find((one) => one.dataset.column === before);
  const box = head?.getBoundingClientRect();
  if (!box) return null;
  return <span class="drop-mark" style={{ left: `${before === null ? box.right - 2 : box.left - 1}px`, top: `${box.top}px`, height: `${box.height}px` }} />;
}
