/** What the machine did during the run, on the clock. */

import { useMemo } from "preact/hooks";
import { Chart } from "../chart/Chart";
import { run, system } from "../state/run";
import { view } from "../state/url";
import { Notice } from "./Notice";
import { metricMatcher, sections, sectionTitle } from "./sections";

/** `system/gpu/0/use` belongs to `gpu`: the first part says only that it is a system series. */
export const systemLabel = (key: string): string => key.replace(/^system\//, "");

export function SystemCharts({ slot }: { slot: number }) {
  const series = system.value;
  if (series === null) return <div class="skeleton-cards" role="status" aria-label="Loading system charts" />;
  if (series.length === 0)
    return run.value?.ended
      ? <Notice title="No system data"><p>The run ended before the first average, or its host was not sampled.</p></Notice>
      : <Notice title="No system data yet"><p>The first averages come about half a minute after the start.</p></Notice>;
  const { matches } = metricMatcher(view.value.metric);
  const keys = series.map((one) => one.key).filter(matches);
  const labels = new Map(keys.map((key) => [systemLabel(key), key]));
  return (
    <div class={`sections size-${view.value.size}`}>
      {sections([...labels.keys()], []).map((section) => (
        <section class="section" key={section.name} aria-label={sectionTitle(section.name)}>
          <h2><span class="section-head is-still">{section.name === "" ? "Machine" : sectionTitle(section.name)}<span class="section-count">{section.keys.length}</span></span></h2>
          <div class="cards">{section.keys.map((label) => <SystemCard key={label} label={label} metric={labels.get(label)!} slot={slot} />)}</div>
        </section>
      ))}
    </div>
  );
}

function SystemCard({ label, metric, slot }: { label: string; metric: string; slot: number }) {
  const series = system.value?.find((one) => one.key === metric);
  const name = run.value?.name || run.value?.id || "";
  const lines = useMemo(
    () => (series ? [{ run: run.value?.id ?? "", name, slot, data: { ...series, run: run.value?.id ?? "", step: [] } }] : []),
    [series, name, slot],
  );
  const { zoom } = view.value;
  return (
    <article class="card" aria-label={label} data-metric={metric}>
      <header class="card-head"><h3 class="clip" title={metric}>{label}</h3></header>
      <Chart id={`system:${metric}`} label={label} lines={lines} height={160} view={{ x: "wall", zoom, logX: false, logY: false, outliers: false }} />
    </article>
  );
}
