/** Chooses the config and summary columns of the run list. */

import { useSignal } from "@preact/signals";
import { columns } from "../state/runs";
import { setView, view } from "../state/url";
import { Icon } from "./Icon";
import { Menu } from "./Menu";

const SHOWN = 200;

export function ColumnMenu() {
  const search = useSignal("");
  const have = columns.value;
  const all = have ? [...have.summary.map((one) => `summary.${one.key}`), ...have.config.map((one) => `config.${one.key}`)] : [];
  const chosen = view.value.columns;
  const words = search.value.toLowerCase();
  const found = all.filter((one) => one.toLowerCase().includes(words) && !chosen.includes(one));
  const toggle = (key: string): void =>
    setView({ columns: chosen.includes(key) ? chosen.filter((one) => one !== key) : [...chosen, key] });
  return (
    <Menu label="Columns" align="end" button={<Icon name="columns" />} isActive={chosen.length > 0}>
      <input class="field" aria-label="Search columns" placeholder="Search columns" value={search.value}
        onInput={(event) => (search.value = event.currentTarget.value)} />
      <div class="menu-scroll">
        {chosen.map((key) => <Choice key={key} name={key} isOn onPress={() => toggle(key)} />)}
        {chosen.length > 0 && <hr />}
        {found.slice(0, SHOWN).map((key) => <Choice key={key} name={key} isOn={false} onPress={() => toggle(key)} />)}
        {found.length > SHOWN && <p class="menu-note">{found.length - SHOWN} more: search for them</p>}
        {have && all.length === 0 && <p class="menu-note">Nothing in config or summary yet.</p>}
      </div>
    </Menu>
  );
}

function Choice({ name, isOn, onPress }: { name: string; isOn: boolean; onPress: () => void }) {
  const kind = name.startsWith("config.") ? "config" : "summary";
  return (
    <button class="menu-item" aria-pressed={isOn} onClick={onPress} title={name}>
      <span class={`tick ${isOn ? "is-on" : ""}`}>{isOn && <Icon name="check" size={12} />}</span>
      <span class="clip">{name.slice(kind.length + 1)}</span>
      <span class="menu-kind">{kind}</span>
    </button>
  );
}
