/** Chooses another run of the project: found by its name, the newest first. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { api } from "../api/client";
import { Menu } from "../components/Menu";
import { StateMark } from "../components/StateMark";
import { searchFilter } from "../state/runs";
import { formatAgo } from "../format/time";
import { useResource } from "./resource";

interface Props { project: string; label: string; button: ComponentChildren; not: readonly string[]; onPick: (id: string) => void; align?: "start" | "end" }

const SHOWN = 50;

export function RunPicker({ label, button, align = "start", ...rest }: Props) {
  return <Menu label={label} align={align} button={button}><Choices {...rest} /></Menu>;
}

function Choices({ project, not, onPick }: Omit<Props, "label" | "button" | "align">) {
  const search = useSignal("");
  const filter = searchFilter(search.value);
  const found = useResource(JSON.stringify([project, filter]), (signal) =>
    api.runs(project, { filter: filter || null, sort: "-created", limit: SHOWN + not.length }, signal));
  const rows = found.data?.runs.filter((one) => !not.includes(one.id)).slice(0, SHOWN);
  const pick = (event: MouseEvent, id: string): void => {
    onPick(id);
    // the menu closes as by a press elsewhere
    (event.currentTarget as HTMLElement).ownerDocument.body.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
  };
  return (
    <>
      <input class="field" aria-label="Search runs by name" placeholder="Search runs" value={search.value}
        onInput={(event) => (search.value = event.currentTarget.value)} />
      <div class="menu-scroll">
        {rows?.map((row) => (
          <button key={row.id} class="menu-item" title={row.id} onClick={(event) => pick(event, row.id)}>
            <StateMark state={row.state} /><span class="clip">{row.name || row.id}</span>
            <span class="menu-kind">{formatAgo(row.started ?? row.created)}</span>
          </button>
        ))}
        {rows?.length === 0 && <p class="menu-note">{search.value ? "No run of this name." : "This project has no other run."}</p>}
        {found.error && <p class="menu-note" role="alert">{found.error.message}</p>}
        {found.data && found.data.total > SHOWN + not.length && <p class="menu-note">{found.data.total - SHOWN} more: search for them</p>}
      </div>
    </>
  );
}
