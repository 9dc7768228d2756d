/** The table's own menu: groups of rows, only what differs, the archive, saving. */

import { useSignal } from "@preact/signals";
import { Icon } from "../components/Icon";
import { asksArchived, columns, filterText, total } from "../state/runs";
import { setView, view } from "../state/url";
import { saveCsv, saveParquet } from "./saving";
import { withCondition } from "./conditions";

const OWN = ["group", "job_type", "tags", "state", "host"];

export default function TableMenu() {
  const isSaving = useSignal<string | null>(null);
  const { by, differ, filter } = view.value;
  const config = (columns.value?.config ?? []).map((one) => `config.${one.key}`);
  const isArchive = filter.trim() === "archived = true";
  const save = async (word: string, work: () => Promise<void>): Promise<void> => {
    isSaving.value = word;
    await work();
    isSaving.value = null;
  };
  return (
    <div class="table-menu">
      <label class="menu-field">
        <span>Group rows by</span>
        <select class="field" value={by ?? ""} onChange={(event) => setView({ by: event.currentTarget.value || null, fold: [] }, { push: true })}>
          <option value="">nothing</option>
          <optgroup label="Run">{OWN.map((one) => <option key={one} value={one}>{one}</option>)}</optgroup>
          {config.length > 0 && <optgroup label="Config">{config.map((one) => <option key={one} value={one}>{one.slice(7)}</option>)}</optgroup>}
          {by !== null && !OWN.includes(by) && !config.includes(by) && <option value={by}>{by}</option>}
        </select>
      </label>
      <Check word="Only config that differs" isOn={differ} onPress={() => setView({ differ: !differ })} />
      <Check word="The archive" isOn={isArchive} onPress={() =>
        setView({ filter: isArchive ? "" : asksArchived(filter) ? filter : "archived = true" }, { push: true })} />
      {filter && !asksArchived(filter) && (
        <Check word="Archived runs of this filter" isOn={false} onPress={() => setView({ filter: withCondition(filter, "archived = true") }, { push: true })} />
      )}
      <hr />
      <button class="menu-item" disabled={isSaving.value !== null || !total.value} onClick={() => void save("CSV", saveCsv)}>
        <Icon name="download" size={14} /><span>{isSaving.value === "CSV" ? "Saving…" : "Save the table as CSV"}</span>
      </button>
      <button class="menu-item" disabled={isSaving.value !== null || !total.value} onClick={() => void save("Parquet", saveParquet)}>
        <Icon name="download" size={14} /><span>{isSaving.value === "Parquet" ? "Saving…" : "Save the table as Parquet"}</span>
      </button>
      <p class="menu-note">{filterText.value && total.value !== null ? `${total.value.toLocaleString("en-US")} runs, the columns shown` : ""}</p>
    </div>
  );
}

function Check({ word, isOn, onPress }: { word: string; isOn: boolean; onPress: () => void }) {
  return (
    <button class="menu-item" aria-pressed={isOn} onClick={onPress}>
      <span class={`tick ${isOn ? "is-on" : ""}`}>{isOn && <Icon name="check" size={12} />}</span><span>{word}</span>
    </button>
  );
}
