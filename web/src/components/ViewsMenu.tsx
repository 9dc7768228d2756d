/** Named views of the project: keep what is shown now, and come back to it. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, type ApiError } from "../api/client";
import type { ViewRow } from "../api/types";
import { formatAgo } from "../format/time";
import { project } from "../state/runs";
import { noteAnswer, noteFailure } from "../state/store";
import { formatView, parseView, setView, view } from "../state/url";
import { Icon } from "./Icon";

const here = (): string => project.peek() ?? "";

export default function ViewsMenu() {
  const rows = useSignal<readonly ViewRow[] | null>(null);
  const failure = useSignal<ApiError | null>(null);
  const name = useSignal("");
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
      rows.value = (await api.views(here())).views;
      failure.value = null;
      noteAnswer();
    } catch (error) {
      failure.value = noteFailure(error);
    }
  };
  useEffect(() => void attempt(async () => undefined), []);
  const keep = (as: string): void => void attempt(async () => {
    // neither what is enlarged nor the run page's tab is part of a view
    const state = formatView({ ...view.peek(), full: null, tab: "charts" });
    await api.keepView(here(), as, state);
    name.value = "";
  });
  const open = (one: ViewRow): void => void attempt(async () => {
    const found = await api.view(here(), one.name);
    setView(parseView(found.state ?? ""), { push: true });
  });
  const typed = name.value.trim();
  const isThere = rows.value?.some((one) => one.name === typed);
  return (
    <div class="views-menu">
      <form class="menu-line" onSubmit={(event) => (event.preventDefault(), typed && keep(typed))}>
        <input class="field" aria-label="Name of the view" placeholder="Name this view" maxLength={128} value={name.value}
          onInput={(event) => (name.value = event.currentTarget.value)} />
        <button class="button" type="submit" disabled={!typed}>{isThere ? "Replace" : "Keep"}</button>
      </form>
      {failure.value && <p class="menu-note" role="alert">{failure.value.message}{failure.value.hint && ` ${failure.value.hint}`}</p>}
      <div class="menu-scroll">
        {rows.value?.map((one) => (
          <div class="menu-row" key={one.name}>
            <button class="menu-item" onClick={() => open(one)} title={`Kept ${formatAgo(one.updated)} by ${one.by}`}><span class="clip">{one.name}</span></button>
            <button class="button button-quiet button-small" aria-label={`Delete the view ${one.name}`} title="Delete"
              onClick={() => void attempt(() => api.deleteView(here(), one.name))}><Icon name="close" size={12} /></button>
          </div>
        ))}
      </div>
      {rows.value?.length === 0 && <p class="menu-note">No view is kept yet. A view is everything you set: filters, sort, zoom, charts. All who may see the project see it.</p>}
      {rows.value === null && !failure.value && <p class="menu-note" role="status">Loading…</p>}
    </div>
  );
}
