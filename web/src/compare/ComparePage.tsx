/** Any number of runs beside each other: charts, config, values at a step, code, media. */

import "../theme/run.css";
import "./compare.css";
import { useEffect, useMemo } from "preact/hooks";
import type { RunAnswer } from "../api/types";
import { ChartGrid } from "../components/ChartGrid";
import { ChartTools } from "../components/ChartTools";
import { FullChart } from "../components/FullChart";
import { HoverPanel } from "../components/HoverPanel";
import { Icon } from "../components/Icon";
import { Notice } from "../components/Notice";
import { StateMark } from "../components/StateMark";
import { Swatch } from "../components/Swatch";
import { TopBar } from "../components/TopBar";
import { plural } from "../format/number";
import { Lazy } from "../run/Lazy";
import { place, setPlace } from "../run/place";
import { RunPicker } from "../run/RunPicker";
import { Tabs, type TabWord } from "../run/Tabs";
import { slotsFor } from "../state/colours";
import type { Shown } from "../state/runs";
import { projectPath, runPath, view } from "../state/url";
import { ConfigDiff } from "./ConfigDiff";
import { useDetails } from "./details";
import { Values } from "./Values";

const PARTS = { code: () => import("./CodeDiff"), media: () => import("./MediaBeside") };

/** A run of the comparison, with its record. */
export interface Compared { run: Shown; record: RunAnswer }

export default function ComparePage({ project }: { project: string }) {
  const { runs: ids } = place.value;
  const details = useDetails(project, ids);
  useEffect(() => {
    document.title = `${plural(ids.length, "run")} compared · ${project} · Outrider`;
  }, [project, ids.length]);
  const shown = useMemo<Shown[]>(() => {
    const slots = slotsFor(project, ids);
    const names = ids.map((id) => details.runs.get(id)?.name || id);
    return ids.map((id, i) => ({
      id, slot: slots.get(id) ?? 0, row: details.runs.get(id) ?? null,
      name: names.indexOf(names[i]!) === names.lastIndexOf(names[i]!) ? names[i]! : `${names[i]} · ${id.slice(0, 5)}`,
    }));
  }, [ids.join("\n"), ids.map((id) => details.runs.get(id)?.name).join("\n")]);
  const compared = shown.flatMap<Compared>((run) => {
    const record = details.runs.get(run.id);
    return record ? [{ run, record }] : [];
  });
  return (
    <>
      <TopBar crumbs={[{ text: project, href: projectPath(project) }, { text: "Compare" }]} />
      <main class="run-page compare">
        <header class="run-title"><h1>{ids.length === 0 ? "Compare runs" : `${plural(ids.length, "run")} compared`}</h1></header>
        <ul class="compared" aria-label="Compared runs">
          {shown.map((one, i) => <Chip key={one.id} project={project} one={one} isFirst={i === 0} error={details.errors.get(one.id)?.status} />)}
          <li>
            <RunPicker project={project} label="Add a run" not={ids} button={<><Icon name="plus" size={13} /><span class="small">Add a run</span></>}
              onPick={(id) => setPlace({ runs: [...place.peek().runs, id] }, { push: true })} />
          </li>
        </ul>
        {ids.length === 0
          ? <Notice title="Choose runs to compare"><p>Add them here; the first is the baseline that the others are measured by.</p></Notice>
          : compared.length === 0 && details.isLoading
            ? <div class="skeleton-cards" role="status" aria-label="Loading the runs" />
            : compared.length === 0
              ? <Notice title="None of these runs could be read" tone="bad">
                  <p>They may have been deleted, or the server is away.</p><button class="button" onClick={details.refresh}>Try again</button>
                </Notice>
              : <Body project={project} compared={compared} />}
      </main>
      <HoverPanel />
    </>
  );
}

function Chip({ project, one, isFirst, error }: { project: string; one: Shown; isFirst: boolean; error: number | undefined }) {
  const runs = place.value.runs;
  return (
    <li class={`compared-run ${isFirst ? "is-first" : ""}`}>
      <Swatch slot={one.slot} />
      {one.row && <StateMark state={one.row.state} />}
      <a class="clip" href={runPath(project, one.id)} title={one.id}>{one.name}</a>
      {error !== undefined && <span class="badge badge-warn">{error === 404 ? "not here" : "not read"}</span>}
      {isFirst
        ? <span class="badge">baseline</span>
        : <button class="edit" aria-label={`Make ${one.name} the baseline`} title="Make it the baseline"
            onClick={() => setPlace({ runs: [one.id, ...runs.filter((id) => id !== one.id)] }, { push: true })}><Icon name="pin" size={13} /></button>}
      <button class="edit" aria-label={`Remove ${one.name}`} title="Remove" onClick={() => setPlace({ runs: runs.filter((id) => id !== one.id) }, { push: true })}>
        <Icon name="close" size={12} />
      </button>
    </li>
  );
}

function Body({ project, compared }: { project: string; compared: Compared[] }) {
  const runs = compared.map((one) => one.run);
  const stable = useMemo(() => runs, [JSON.stringify(runs.map((one) => [one.id, one.name, one.slot]))]);
  const keys = useMemo(
    () => [...new Set(compared.flatMap(({ record }) => record.metrics.filter((one) => !one.hidden).map((one) => one.key)))],
    [compared.map(({ record }) => record.metrics.length).join()],
  );
  const tabs: TabWord[] = [
    { value: "charts", word: "Charts" }, { value: "overview", word: "Config" }, { value: "values", word: "Values" },
    ...(compared.some(({ record }) => record.has?.code) ? [{ value: "code", word: "Code" } as const] : []),
    ...(compared.some(({ record }) => record.has?.media) ? [{ value: "media", word: "Media" } as const] : []),
  ];
  const tab = tabs.find((one) => one.value === view.value.tab)?.value ?? "charts";
  return (
    <>
      <div class="tab-line"><Tabs label="Comparison" tab={tab} tabs={tabs} /></div>
      <div class="tab-body" id="tab-body" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === "charts" && (keys.length > 0
          ? <><ChartTools metrics={keys} /><ChartGrid project={project} keys={keys} runs={stable} /></>
          : <Notice title="No metric logged yet"><p>The first <code>log()</code> of a number makes a chart here.</p></Notice>)}
        {tab === "overview" && <ConfigDiff compared={compared} />}
        {tab === "values" && <Values project={project} compared={compared} />}
        {tab === "code" && <Lazy load={PARTS.code} project={project} compared={compared} />}
        {tab === "media" && <Lazy load={PARTS.media} project={project} compared={compared} />}
      </div>
      <FullChart project={project} runs={stable} />
    </>
  );
}
