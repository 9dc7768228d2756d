/** What can be done with the selected runs. */

import { useSignal } from "@preact/signals";
import type { ManyChange } from "../api/types";
import { Icon } from "../components/Icon";
import { Menu } from "../components/Menu";
import { known, project, total } from "../state/runs";
import { comparePath } from "../state/url";
import { change } from "./changing";
import { remove } from "./going";
import { MoveMenu } from "./MoveMenu";
import { clearSelection, selectAll, selected } from "./selection";

const MOST_COMPARED = 50;

export default function BulkBar() {
  const ids = [...selected.value];
  const name = project.value ?? "";
  const rows = ids.map((id) => known.value.get(id)).filter((row) => row !== undefined);
  const areArchived = rows.length > 0 && rows.every((row) => row.archived);
  const changed = (what: string, said: ManyChange): void => void change(name, ids, what, said);
  return (
    <div class="bulk" role="toolbar" aria-label="Selected runs">
      <span class="bulk-count">{ids.length.toLocaleString("en-US")} selected</span>
      {total.value !== null && ids.length < total.value && (
        <button class="button button-quiet button-small" onClick={() => void selectAll()}>all {total.value.toLocaleString("en-US")}</button>
      )}
      <span class="bulk-tools">
        {ids.length > 1 && (ids.length <= MOST_COMPARED
          ? <a class="button button-small" href={comparePath(name, ids)}>Compare</a>
          : <span class="faint small" title={`At most ${MOST_COMPARED} runs are compared`}>Compare: too many</span>)}
        <TagMenu tags={[...new Set(rows.flatMap((row) => row.tags))].sort()} onChange={changed} />
        <MoveMenu project={name} ids={ids} />
        <button class="button button-quiet button-small" onClick={() => changed(areArchived ? "Taken back from the archive" : "Archived", { archived: !areArchived })}>
          {areArchived ? "Unarchive" : "Archive"}
        </button>
        <button class="button button-quiet button-small is-bad" onClick={() => {
          remove(name, ids);
          clearSelection();
        }}>Delete</button>
        <button class="button button-quiet button-small" aria-label="Leave the selection" title="Leave the selection (esc)" onClick={clearSelection}>
          <Icon name="close" size={13} />
        </button>
      </span>
    </div>
  );
}

function TagMenu({ tags, onChange }: { tags: readonly string[]; onChange: (what: string, said: ManyChange) => void }) {
  const typed = useSignal("");
  const add = (): void => {
    const all = [...new Set(typed.value.split(",").map((one) => one.trim()).filter(Boolean))];
    typed.value = "";
    if (all.length > 0) onChange(`Tagged ${all.join(", ")}`, { add_tags: all });
  };
  return (
    <Menu label="Tag the selected runs" align="end" isSmall button={<span class="small">Tag</span>}>
      <form class="menu-line" onSubmit={(event) => (event.preventDefault(), add())}>
        <input class="field" aria-label="Tag to add" placeholder="Add a tag" maxLength={256} value={typed.value}
          onInput={(event) => (typed.value = event.currentTarget.value)} />
        <button class="button" type="submit" disabled={!typed.value.trim()}>Add</button>
      </form>
      <div class="menu-scroll">
        {tags.map((tag) => (
          <button key={tag} class="menu-item" aria-label={`Take the tag ${tag} away`} onClick={() => onChange(`Took ${tag} away`, { remove_tags: [tag] })}>
            <span class="clip">{tag}</span><span class="menu-kind">take away</span>
          </button>
        ))}
      </div>
      {tags.length === 0 && <p class="menu-note">The selected runs have no tags.</p>}
    </Menu>
  );
}
