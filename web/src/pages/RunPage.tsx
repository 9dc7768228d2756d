/** One run: what it is, how it ended, its charts, its machine, its config and summary. */

import { useComputed } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { RunAnswer } from "../api/types";
import { ChartGrid } from "../components/ChartGrid";
import { ChartTools } from "../components/ChartTools";
import { FullChart } from "../components/FullChart";
import { HoverPanel } from "../components/HoverPanel";
import { ErrorNotice, Notice } from "../components/Notice";
import { Overview } from "../components/Overview";
import { RunHead } from "../components/RunHead";
import { SystemCharts } from "../components/SystemCharts";
import { TopBar } from "../components/TopBar";
import { ValueTable } from "../components/ValueTable";
import { refreshRun, run, runError } from "../state/run";
import type { Shown } from "../state/runs";
import { slotsFor } from "../state/colours";
import { projectPath, setView, view, type RunTab } from "../state/url";

const TABS: { value: RunTab; word: string }[] = [
  { value: "charts", word: "Charts" }, { value: "overview", word: "Overview" }, { value: "system", word: "System" },
  { value: "config", word: "Config" }, { value: "summary", word: "Summary" },
];

export function RunPage({ project, id }: { project: string; id: string }) {
  const shownRun = run.value;
  useEffect(() => {
    document.title = `${shownRun?.name || id} · ${project} · Outrider`;
  }, [project, id, shownRun?.name]);
  return (
    <>
      <TopBar crumbs={[{ text: project, href: projectPath(project) }, { text: shownRun?.name || id }]} />
      {runError.value && !shownRun
        ? <main class="run-page"><RunGone project={project} /></main>
        : shownRun === null
          ? <main class="run-page"><div class="skeleton-cards" role="status" aria-label="Loading the run" /></main>
          : <RunBody project={project} record={shownRun} />}
      <HoverPanel />
    </>
  );
}

function RunGone({ project }: { project: string }) {
  const error = runError.value!;
  if (error.status !== 404) return <ErrorNotice error={error} onRetry={refreshRun} />;
  return (
    <Notice title="This run is not here">
      <p>It may have been deleted, or it has not been delivered yet.</p>
      <p><a class="button" href={projectPath(project)}>All runs of {project}</a></p>
    </Notice>
  );
}

function RunBody({ project, record }: { project: string; record: RunAnswer }) {
  const { tab } = view.value;
  const runs = useComputed<Shown[]>(() => {
    const name = run.value?.name || record.id;
    return [{ id: record.id, name, slot: slotsFor(project, [record.id]).get(record.id) ?? 0, row: null }];
  });
  const keys = record.metrics.filter((one) => !one.hidden).map((one) => one.key);
  return (
    <main class="run-page">
      <RunHead record={record} slot={runs.value[0]!.slot} />
      <div class="tabs" role="tablist" aria-label="Run">
        {TABS.map((one) => (
          <button key={one.value} class="tab" role="tab" aria-selected={tab === one.value} onClick={() => setView({ tab: one.value, zoom: null })}>
            {one.word}
          </button>
        ))}
      </div>
      <div class="tab-body" role="tabpanel" aria-label={tab}>
        {runError.value && <p class="stale" role="alert">{runError.value.message} What you see is as of the last update.</p>}
        {tab === "charts" && (keys.length > 0
          ? <><ChartTools metrics={keys} /><ChartGrid project={project} keys={keys} runs={runs.value} /></>
          : <Notice title="No metric logged yet"><p>The first <code>log()</code> of a number makes a chart here.</p></Notice>)}
        {tab === "overview" && <Overview record={record} />}
        {tab === "system" && <SystemCharts slot={runs.value[0]!.slot} />}
        {tab === "config" && <ValueTable label="Config" values={record.config} empty="This run logged no config." />}
        {tab === "summary" && <ValueTable label="Summary" values={record.summary} empty="Nothing in the summary yet." />}
      </div>
      <FullChart project={project} runs={runs.value} />
    </main>
  );
}
