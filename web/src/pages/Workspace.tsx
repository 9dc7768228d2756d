/** A project: its runs beside their charts. */

import { useEffect, useRef } from "preact/hooks";
import { ChartGrid } from "../components/ChartGrid";
import { ChartTools } from "../components/ChartTools";
import { FullChart } from "../components/FullChart";
import { HoverPanel } from "../components/HoverPanel";
import { Icon, type IconName } from "../components/Icon";
import { FIRST_RUN, Notice, Snippet } from "../components/Notice";
import { RunList } from "../components/RunList";
import { RunTools } from "../components/RunTools";
import { Splitter } from "../components/Splitter";
import { TopBar } from "../components/TopBar";
import { useKeptScroll } from "../components/useKeptScroll";
import { edited } from "../own/editing";
import { Lazy } from "../run/Lazy";
import { columns, listError, shown, total } from "../state/runs";
import { setView, view, type Pane } from "../state/url";
import { Toasts } from "../table/Toasts";

const loadLegend = () => import("../components/LinesLegend");
const loadEditor = () => import("../own/OwnEditor");

const PANES: { value: Pane; word: string; icon: IconName }[] = [
  { value: "runs", word: "Runs", icon: "table" },
  { value: "both", word: "Runs and charts", icon: "split" },
  { value: "charts", word: "Charts", icon: "chart" },
];

export function Workspace({ project }: { project: string }) {
  useEffect(() => {
    document.title = `${project} · Outrider`;
  }, [project]);
  const charts = useRef<HTMLDivElement>(null);
  useKeptScroll(charts, `charts:${project}`);
  const { pane, group, colour } = view.value;
  const metrics = columns.value?.metrics.filter((one) => !one.hidden).map((one) => one.key);
  return (
    <>
      <TopBar crumbs={[{ text: project }]}>
        <span class="segments" role="group" aria-label="Layout">
          {PANES.map((one) => (
            <button key={one.value} class={`segment segment-${one.value}`} aria-pressed={pane === one.value} aria-label={one.word} title={`${one.word} (s)`}
              onClick={() => setView({ pane: one.value })}><Icon name={one.icon} /></button>
          ))}
        </span>
      </TopBar>
      <main class={`workspace pane-${pane}`}>
        <aside class="list-area" aria-label="Runs">
          <RunTools />
          <RunList />
          <Toasts />
        </aside>
        <Splitter />
        <section class="charts-area" aria-label="Charts">
          {metrics && metrics.length > 0 && <ChartTools metrics={metrics} />}
          {(group !== null || colour !== null) && <div class="legend-line"><Lazy load={loadLegend} /></div>}
          <div class="charts-scroll" ref={charts}>
            {!metrics && listError.value?.status === 404 && <NoMetrics project={project} />}
            {!metrics && listError.value?.status !== 404 && <div class="skeleton-cards" role="status" aria-label="Loading metrics" />}
            {metrics && metrics.length === 0 && <NoMetrics project={project} />}
            {metrics && metrics.length > 0 && <ChartGrid project={project} keys={metrics} runs={shown.value} />}
          </div>
        </section>
      </main>
      <FullChart project={project} runs={shown.value} />
      {edited.value && <Lazy load={loadEditor} metrics={metrics ?? []} />}
      <HoverPanel />
    </>
  );
}

function NoMetrics({ project }: { project: string }) {
  return (
    <Notice title={total.value ? "These runs have logged no metric yet" : "No charts yet"}>
      <p>A chart appears by itself with the first <code>log()</code> of a number.</p>
      <Snippet label="Python that logs a first metric" code={FIRST_RUN(project)} />
    </Notice>
  );
}
