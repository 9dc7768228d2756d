/** Edits a run's name, tags or notes where they stand. Enter saves, escape leaves. */

import { useEffect, useRef } from "preact/hooks";
import type { RunRow } from "../api/types";
import { edited, save, type Editable } from "./editing";

const WORDS: Record<Editable, string> = { name: "Name", tags: "Tags, separated by commas", notes: "Notes" };

export default function CellEditor({ row, what }: { row: RunRow; what: Editable }) {
  const field = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const isDone = useRef(false);
  const before = what === "tags" ? row.tags.join(", ") : row[what] ?? "";
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  const close = (isKept: boolean): void => {
    if (isDone.current) return;
    isDone.current = true;
    const value = field.current?.value ?? before;
    const list = field.current?.closest<HTMLElement>(".vlist");
    edited.value = null;
    list?.focus();
    if (!isKept || value === before) return;
    if (what === "tags") void save(row, { tags: [...new Set(value.split(",").map((one) => one.trim()).filter(Boolean))] });
    else if (what === "notes" || value.trim()) void save(row, { [what]: what === "name" ? value.trim() : value });
  };
  const typed = (event: KeyboardEvent): void => {
    event.stopPropagation();
    if (event.key === "Escape") close(false);
    else if (event.key === "Enter" && !event.shiftKey) close(true);
    else return;
    event.preventDefault();
  };
  const common = {
    ref: field, class: "field cell-field", "aria-label": `${WORDS[what]} of ${row.name || row.id}`, placeholder: WORDS[what], spellcheck: false,
    defaultValue: before, onKeyDown: typed, onBlur: () => close(true), onPointerDown: (event: Event) => event.stopPropagation(),
  };
  return what === "notes" ? <textarea {...common} rows={4} /> : <input {...common} maxLength={what === "name" ? 256 : 4000} />;
}
