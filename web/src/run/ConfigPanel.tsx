/** Config and summary, alone or beside those of another run. */

import { api } from "../api/client";
import type { RunAnswer } from "../api/types";
import { Icon } from "../components/Icon";
import { ValueTable } from "../components/ValueTable";
import { comparePath } from "../state/url";
import { place, setPlace } from "./place";
import { useResource } from "./resource";
import { RunPicker } from "./RunPicker";

export function ConfigPanel({ record }: { record: RunAnswer }) {
  const { against, all } = place.value;
  const other = useResource(against && JSON.stringify([record.project, against]), (signal) => api.run(record.project, against!, signal),
    against === null ? undefined : { project: record.project, run: against, kinds: ["config", "summary", "run", "points"] });
  const otherName = other.data ? other.data.name || other.data.id : against ?? "";
  const beside = other.data && { name: otherName, values: other.data.config };
  const name = record.name || record.id;
  return (
    <>
      <section aria-label="Config">
        <header class="panel-head">
          <h2>Config</h2>
          {against !== null && (
            <>
              <span class="chip">against {otherName}
                <button aria-label="Compare no longer" onClick={() => setPlace({ against: null, all: false })}><Icon name="close" size={12} /></button>
              </span>
              <button class={`toggle ${all ? "" : "is-on"}`} aria-pressed={!all} onClick={() => setPlace({ all: !all })}>Only what differs</button>
              <a class="button button-quiet" href={comparePath(record.project, [record.id, against])}>Compare everything</a>
            </>
          )}
          <RunPicker project={record.project} label="Compare the config with another run" align="end" not={[record.id]}
            button={<span class="small">Compare with…</span>} onPick={(id) => setPlace({ against: id })} />
        </header>
        {other.error && <p class="stale" role="alert">{other.error.status === 404 ? "The other run is not here any more." : other.error.message}</p>}
        <ValueTable label="Config" values={record.config} name={name} against={beside} onlyDiffering={!all} isMain empty="This run logged no config." />
      </section>
      <section aria-label="Summary">
        <header class="panel-head"><h2>Summary</h2></header>
        <ValueTable label="Summary" values={record.summary} name={name} onlyDiffering={!all}
          against={other.data && { name: otherName, values: other.data.summary }} empty="Nothing in the summary yet." />
      </section>
    </>
  );
}
