/** One run: how it ended on top, then a tab for each kind of thing that it recorded. */

import "../theme/run.css";
import { useComputed } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { RunAnswer } from "../api/types";
import { ChartGrid } from "../components/ChartGrid";
import { ChartTools } from "../components/ChartTools";
import { FullChart } from "../components/FullChart";
import { HoverPanel } from "../components/HoverPanel";
import { ErrorNotice, Notice } from "../components/Notice";
import { RunHead } from "../components/RunHead";
import { SystemCharts } from "../components/SystemCharts";
import { TopBar } from "../components/TopBar";
import { useKeptScroll } from "../components/useKeptScroll";
import { EndStory } from "../run/EndStory";
import { Lazy } from "../run/Lazy";
import { RunPicker } from "../run/RunPicker";
import { Tabs, type TabWord } from "../run/Tabs";
import { refreshRun, run, runError } from "../state/run";
import type { Shown } from "../state/runs";
import { slotsFor } from "../state/colours";
import { comparePath, go, projectPath, view } from "../state/url";

const PARTS = {
  overview: () => import("../run/Overview"),
  console: () => import("../run/console/ConsoleTab"),
  code: () => import("../run/code/CodeTab"),
  files: () => import("../run/files/FilesTab"),
  artifacts: () => import("../run/artifacts/ArtifactsTab"),
  media: () => import("../run/media/MediaTab"),
  alerts: () => import("../run/alerts/AlertsTab"),
};

/** A tab is there when the run has something for it; alerts always are, as their rules can be made there. */
function tabsOf(record: RunAnswer, asked: string): TabWord[] {
  const { has } = record;
  const all: (TabWord & { isThere: boolean })[] = [
    { value: "charts", word: "Charts", isThere: true },
    { value: "overview", word: "Overview", isThere: true },
    { value: "system", word: "System", isThere: true },
    { value: "console", word: "Console", isThere: has.console },
    { value: "code", word: "Code", isThere: has.code },
    { value: "files", word: "Files", count: has.files, isThere: has.files > 0 },
    { value: "artifacts", word: "Artifacts", count: has.artifacts, isThere: has.artifacts > 0 },
    { value: "media", word: "Media", isThere: has.media },
    { value: "alerts", word: "Alerts", count: has.alerts, tone: "warn", isThere: true },
  ];
  return all.filter((one) => one.isThere || one.value === asked);
}

const isPart = (tab: string): tab is keyof typeof PARTS => tab in PARTS;

export default function RunPage({ project, id }: { project: string; id: string }) {
  const shownRun = run.value;
  useEffect(() => {
    document.title = `${shownRun?.name || id} · ${project} · Outrider`;
  }, [project, id, shownRun?.name]);
  return (
    <>
      <TopBar crumbs={[{ text: project, href: projectPath(project) }, { text: shownRun?.name || id }]} />
      {runError.value && (!shownRun || runError.value.status === 404)
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
  const tab = view.value.tab === "values" ? "overview" : view.value.tab;
  const runs = useComputed<Shown[]>(() => {
    const name = run.value?.name || record.id;
    return [{ id: record.id, name, slot: slotsFor(project, [record.id]).get(record.id) ?? 0, row: null }];
  });
  const keys = record.metrics.filter((one) => !one.hidden).map((one) => one.key);
  const isWhole = tab === "console";
  const main = useRef<HTMLElement>(null);
  useKeptScroll(main, isWhole ? "" : `run:${project}/${record.id}/${tab}`);
  return (
    <main ref={main} class={`run-page ${isWhole ? "is-whole" : ""}`}>
      <RunHead record={record} slot={runs.value[0]!.slot} />
      {record.end && <EndStory end={record.end} />}
      <div class="tab-line">
        <Tabs label="Run" tab={tab} tabs={tabsOf(record, tab)} />
        <RunPicker project={project} label="Compare with another run" align="end" not={[record.id]} button={<span class="small">Compare…</span>}
          onPick={(other) => go(comparePath(project, [record.id, other]))} />
      </div>
      <div class="tab-body" id="tab-body" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {runError.value && <p class="stale" role="alert">{runError.value.message} What you see is as of the last update.</p>}
        {tab === "charts" && (keys.length > 0
          ? <><ChartTools metrics={keys} /><ChartGrid project={project} keys={keys} runs={runs.value} /></>
          : <Notice title="No metric logged yet"><p>The first <code>log()</code> of a number makes a chart here.</p></Notice>)}
        {tab === "system" && <SystemCharts slot={runs.value[0]!.slot} />}
        {isPart(tab) && <Lazy key={tab} load={PARTS[tab]} record={record} />}
      </div>
      <FullChart project={project} runs={runs.value} />
    </main>
  );
}
