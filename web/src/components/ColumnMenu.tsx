/** Chooses the columns of the run list, their order and which stay in sight. */

import { useSignal } from "@preact/signals";
import { columns } from "../state/runs";
import { view } from "../state/url";
import { labelOf, moveColumn, PLAIN_COLUMNS, shownKeys, toggleColumn, toggleFreeze } from "../table/columns";
import { Icon, type IconName } from "./Icon";
import { Menu } from "./Menu";

const SHOWN = 200;

const HOWS = ["last", "min", "max", "mean", "best"];

export function ColumnMenu() {
  const search = useSignal("");
  const have = columns.value;
  const metrics = have?.metrics.filter((one) => !one.hidden) ?? [];
  const all = have ? [
    ...PLAIN_COLUMNS, ...have.summary.map((one) => `summary.${one.key}`), ...have.config.map((one) => `config.${one.key}`),
    ...metrics.flatMap((one) => HOWS.map((how) => `metric.${one.key}.${how}`)),
  ] : [];
  const chosen = shownKeys.value;
  const words = search.value.toLowerCase();
  const found = all.filter((one) => one.toLowerCase().includes(words) && !chosen.includes(one));
  return (
    <Menu label="Columns" align="end" button={<Icon name="columns" />} isActive={view.value.columns.length > 0}>
      <input class="field" aria-label="Search columns" placeholder="Search columns" value={search.value}
        onInput={(event) => (search.value = event.currentTarget.value)} />
      <div class="menu-scroll">
        {chosen.map((key, i) => (
          <div class="menu-row" key={key}>
            <Choice name={key} isOn onPress={() => toggleColumn(key)} />
            <Small word={`Move ${labelOf(key)} left`} icon="up" isOff={i === 0} onPress={() => moveColumn(key, { by: -1 })} />
            <Small word={`Move ${labelOf(key)} right`} icon="down" isOff={i === chosen.length - 1} onPress={() => moveColumn(key, { by: 1 })} />
            <Small word={`Pin ${labelOf(key)}`} icon="pin" isOn={view.value.freeze.includes(key)} onPress={() => toggleFreeze(key)} />
          </div>
        ))}
        {chosen.length > 0 && <hr />}
        {found.slice(0, SHOWN).map((key) => <Choice key={key} name={key} isOn={false} onPress={() => toggleColumn(key)} />)}
        {found.length > SHOWN && <p class="menu-note">{found.length - SHOWN} more: search for them</p>}
      </div>
    </Menu>
  );
}

function Small({ word, icon, isOn, isOff, onPress }: { word: string; icon: IconName; isOn?: boolean; isOff?: boolean; onPress: () => void }) {
  return (
    <button class="button button-quiet button-small" aria-label={word} title={word} aria-pressed={isOn} disabled={isOff} onClick={onPress}>
      <Icon name={icon} size={12} />
    </button>
  );
}

function Choice({ name, isOn, onPress }: { name: string; isOn: boolean; onPress: () => void }) {
  const [, kind, label] = /^(config|summary|metric)\.(.*)$/s.exec(name) ?? [undefined, "run", labelOf(name)];
  return (
    <button class="menu-item" aria-pressed={isOn} onClick={onPress} title={name}>
      <span class={`tick ${isOn ? "is-on" : ""}`}>{isOn && <Icon name="check" size={12} />}</span>
      <span class="clip">{label}</span>
      <span class="menu-kind">{kind}</span>
    </button>
  );
}
