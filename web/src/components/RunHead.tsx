/** The head of a run's page: colour, name, tags and notes to edit in place, state. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { EndRecord, RunAnswer } from "../api/types";
import { formatAgo, formatDuration, formatTime } from "../format/time";
import { plural } from "../format/number";
import { editError, editRun } from "../run/edit";
import { runTime } from "../state/run";
import { now } from "../state/store";
import { Icon } from "./Icon";
import { liveDuration } from "./RunRow";
import { StateMark, stateTone } from "./StateMark";
import { Swatch } from "./Swatch";

/** How a run ended in the server's sentence; null while it runs and where it simply finished. */
export const endReason = (end: EndRecord | null): string | null => (end && end.state !== "finished" && end.sentence) || null;

export function RunHead({ record, slot }: { record: RunAnswer; slot: number }) {
  const at = record.started ?? record.created;
  const title = record.name || record.id;
  useEffect(() => () => void (editError.value = null), [record.id]);
  return (
    <header class="run-title">
      <EditedText label="name" value={title} onSave={(name) => editRun(record, { name })}
        shown={(edit) => (
          <div class="run-name-line"><h1><Swatch slot={slot} /><span class="clip" title={title}>{title}</span></h1>{edit}</div>
        )} />
      <div class="run-facts">
        <StateMark state={record.state} hasWord />
        <span title={formatTime(at)}>started {formatAgo(at, now.value / 1000)}</span>
        <span>{stateTone(record.state) === "live" ? "for" : "took"} {formatDuration(liveDuration(record, runTime.value))}</span>
        {record.host && <span>on {record.host}</span>}
        {record.attempt > 1 && <span>attempt {record.attempt}</span>}
        {record.gaps > 0 && <span class="badge badge-warn">{plural(record.gaps, "record")} could not be kept</span>}
        <Tags record={record} />
      </div>
      <EditedText label="notes" value={record.notes ?? ""} isLong onSave={(notes) => editRun(record, { notes })}
        shown={(edit) => (record.notes ? <p class="run-notes">{record.notes}{edit}</p> : <p class="run-notes">{edit}</p>)} />
      {editError.value && <p class="stale" role="alert">{editError.value}</p>}
    </header>
  );
}

function Tags({ record }: { record: RunAnswer }) {
  const isAdding = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (isAdding.value) field.current?.focus();
  }, [isAdding.value]);
  const add = (): void => {
    const tag = field.current?.value.trim() ?? "";
    isAdding.value = false;
    if (tag && !record.tags.includes(tag)) void editRun(record, { tags: [...record.tags, tag] });
  };
  return (
    <span class="tags" role="group" aria-label="Tags">
      {record.tags.map((tag) => (
        <span class="tag" key={tag}>
          {tag}
          <button class="tag-remove" aria-label={`Remove the tag ${tag}`} onClick={() => void editRun(record, { tags: record.tags.filter((one) => one !== tag) })}>
            <Icon name="close" size={10} />
          </button>
        </span>
      ))}
      {isAdding.value
        ? <input ref={field} class="field tag-field" aria-label="New tag" maxLength={256} onBlur={add}
            onKeyDown={(event) => {
              if (event.key === "Enter") add();
              if (event.key === "Escape") (event.stopPropagation(), event.preventDefault(), (isAdding.value = false));
            }} />
        : <button class="tag tag-add" onClick={() => (isAdding.value = true)}>+ tag</button>}
    </span>
  );
}

interface EditedProps {
  label: string;
  value: string;
  isLong?: boolean;
  onSave: (value: string) => Promise<boolean>;
  shown: (edit: preact.ComponentChild) => preact.ComponentChild;
}

/** A text with a button that turns it into a field; enter saves, escape leaves it. */
function EditedText({ label, value, isLong = false, onSave, shown }: EditedProps) {
  const isOpen = useSignal(false);
  const field = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  useEffect(() => {
    if (!isOpen.value) return;
    field.current?.focus();
    field.current?.select();
  }, [isOpen.value]);
  const word = isLong && value === "" ? `Add ${label}` : `Edit the ${label}`;
  if (!isOpen.value)
    return <>{shown(
      <button class="edit" aria-label={word} title={word} onClick={() => (isOpen.value = true)}>
        {isLong && value === "" ? "+ notes" : <Icon name="pencil" size={13} />}
      </button>,
    )}</>;
  const save = (): void => {
    const next = field.current?.value.trim() ?? "";
    isOpen.value = false;
    if (next !== value && (isLong || next !== "")) void onSave(next);
  };
  const typed = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && (!isLong || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      save();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      isOpen.value = false;
    }
  };
  const words = { "aria-label": label === "name" ? "Name" : "Notes", onKeyDown: typed, defaultValue: value };
  return (
    <form class="edit-form" onSubmit={(event) => (event.preventDefault(), save())}>
      {isLong ? <textarea ref={field} class="field" rows={5} maxLength={65536} {...words} /> : <input ref={field} class="field" maxLength={256} {...words} />}
      <button class="button button-main" type="submit">Save</button>
      <button class="button" type="button" onClick={() => (isOpen.value = false)}>Cancel</button>
    </form>
  );
}
