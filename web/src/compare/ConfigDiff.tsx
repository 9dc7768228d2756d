/** The configs of several runs, by default only what differs. */

import type { Value } from "../api/types";
import { Notice } from "../components/Notice";
import { SearchBox } from "../components/SearchBox";
import { metricMatcher } from "../components/sections";
import { plural } from "../format/number";
import { formatDuration, formatTime } from "../format/time";
import { place, setPlace } from "../run/place";
import { exact, valueRows } from "../run/values";
import { Beside } from "./Beside";
import type { Compared } from "./ComparePage";

const cell = (value: Value | undefined) => (value === undefined ? <span class="faint">not set</span> : exact(value));

/** What a run is beside its config, in the same table. */
const facts = ({ record }: Compared): Record<string, Value> => ({
  state: record.state, started: formatTime(record.started ?? record.created), duration: formatDuration(record.duration),
  host: record.host, group: record.group, "job type": record.job_type, tags: record.tags.join(", "),
  command: record.argv?.join(" ") ?? null, python: record.python,
});

export function ConfigDiff({ compared }: { compared: Compared[] }) {
  const { find, all: isAll } = place.value;
  const all = valueRows(compared.map(({ record }) => record.config));
  const about = valueRows(compared.map(facts)).filter((row) => row.differs);
  const { matches } = metricMatcher(find);
  const found = all.filter((row) => (isAll || row.differs || compared.length < 2) && matches(`${row.key} ${row.values.map(exact).join(" ")}`));
  const differing = all.filter((row) => row.differs).length;
  return (
    <>
      <header class="panel-head">
        <h2>{compared.length < 2 ? plural(all.length, "config value") : `${differing} of ${plural(all.length, "config value")} ${differing === 1 ? "differs" : "differ"}`}</h2>
        <SearchBox label="Search config" placeholder="Search config" value={find} isMain onValue={(next) => setPlace({ find: next })} />
        {compared.length > 1 && <button class={`toggle ${isAll ? "" : "is-on"}`} aria-pressed={!isAll} onClick={() => setPlace({ all: !isAll })}>Only what differs</button>}
      </header>
      {found.length > 0 && <Beside label="Config" compared={compared} rows={found.map((row) => ({ ...row, differs: isAll && row.differs, cells: row.values.map(cell) }))} />}
      {found.length === 0 && (
        <Notice title={find ? "Nothing matches" : all.length === 0 ? "These runs logged no config" : "The configs are the same"}>
          {find ? <button class="button" onClick={() => setPlace({ find: "" })}>Clear the search</button> : null}
        </Notice>
      )}
      {about.length > 0 && <><header class="panel-head"><h2>What else differs</h2></header><Beside label="What else differs" compared={compared} rows={about.map((row) => ({ ...row, differs: false, cells: row.values.map(cell) }))} /></>}
    </>
  );
}
