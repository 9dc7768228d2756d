/** What the machine did during the run, on the time axis of the run's other charts. */

import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Chart } from "../chart/Chart";
import { run, system, systemWindow } from "../state/run";
import { setView, view, type Zoom } from "../state/url";
import { pickX } from "./ChartTools";
import { Notice } from "./Notice";
import { SearchBox } from "./SearchBox";
import { metricMatcher, sections, sectionTitle, type Section } from "./sections";
import { ZoomChip } from "./ZoomChip";

/** `system/gpu/0/use` belongs to `gpu`: the first part says only that it is a system series. */
export const systemLabel = (key: string): string => key.replace(/^system\//, "");

const FEW = 3;

/** A row with a chart or two each would be mostly empty: small sections stand together. */
export function together(all: readonly Section[]): Section[] {
  const small = all.filter((one) => one.keys.length < FEW).flatMap((one) => one.keys);
  const others = all.filter((one) => one.keys.length >= FEW);
  return small.length > 0 ? [{ name: "", keys: small }, ...others] : [...others];
}

export function SystemCharts({ slot }: { slot: number }) {
  const series = system.value;
  const own = useSignal<Zoom | null>(null);
  const { x, zoom } = view.value;
  // the machine knows no step: where the other charts go by steps or a metric, these go by the clock and zoom by themselves
  const isShared = x === "wall" || x === "relative";
  const axis: Axis = isShared ? { x, zoom } : { x: "wall", zoom: own.value, onZoom: (next) => (own.value = next) };
  const began = axis.x === "relative" ? (run.value?.created ?? 0) : 0;
  useEffect(() => {
    systemWindow.value = axis.zoom && { min: axis.zoom.min + began, max: axis.zoom.max + began };
  }, [axis.zoom?.min, axis.zoom?.max, began]);
  if (series === null) return <div class="skeleton-cards" role="status" aria-label="Loading system charts" />;
  if (series.length === 0)
    return run.value?.ended
      ? <Notice title="No system data"><p>The run ended before the first average, or its host was not sampled.</p></Notice>
      : <Notice title="No system data yet"><p>The first averages come about half a minute after the start.</p></Notice>;
  const { matches, isPlain } = metricMatcher(view.value.metric);
  const keys = series.map((one) => one.key).filter(matches);
  const labels = new Map(keys.map((key) => [systemLabel(key), key]));
  return (
    <>
    <div class="chart-tools" role="toolbar" aria-label="System charts">
      <SearchBox label="Search system charts (regular expression)" placeholder="Search charts" value={view.value.metric} isMain isWrong={isPlain}
        onValue={(metric) => setView({ metric })} />
      <label class="pick">
        <span>x</span>
        <select value={axis.x} aria-label="Time axis" onChange={(event) => pickX(event.currentTarget.value)}>
          <option value="wall">Wall time</option>
          <option value="relative">Relative time</option>
        </select>
      </label>
      {axis.zoom && <ZoomChip x={axis.x} zoom={axis.zoom} {...(axis.onZoom ? { onReset: () => (own.value = null) } : {})} />}
    </div>
    {keys.length === 0 && <Notice title="No chart matches"><button class="button" onClick={() => setView({ metric: "" })}>Show all charts</button></Notice>}
    <div class={`sections size-${view.value.size}`}>
      {together(sections([...labels.keys()], [])).map((section) => (
        <section class="section" key={section.name} aria-label={sectionTitle(section.name)}>
          <h2><span class="section-head is-still">{section.name === "" ? "Machine" : sectionTitle(section.name)}<span class="section-count">{section.keys.length}</span></span></h2>
          <div class="cards">{section.keys.map((label) => <SystemCard key={label} label={label} metric={labels.get(label)!} slot={slot} axis={axis} began={began} />)}</div>
        </section>
      ))}
    </div>
    </>
  );
}

interface Axis { x: string; zoom: Zoom | null; onZoom?: (zoom: Zoom | null) => void }

function SystemCard({ label, metric, slot, axis, began }: { label: string; metric: string; slot: number; axis: Axis; began: number }) {
  const series = system.value?.find((one) => one.key === metric);
  const name = run.value?.name || run.value?.id || "";
  const lines = useMemo(() => {
    if (!series) return [];
    const moved = began === 0 ? {} : {
      x: series.x.map((at) => at - began), marks: series.marks.map((mark) => ({ ...mark, x: mark.x - began })),
    };
    return [{ run: run.value?.id ?? "", name, slot, data: { ...series, ...moved, run: run.value?.id ?? "", step: [] } }];
  }, [series, name, slot, began]);
  const { x, zoom, onZoom } = axis;
  return (
    <article class="card" aria-label={label} data-metric={metric}>
      <header class="card-head"><h3 class="clip" title={metric}>{label}</h3></header>
      <Chart id={`system:${metric}`} label={label} lines={lines} height={160} {...(onZoom ? { onZoom } : {})}
        view={{ x, zoom, logX: false, logY: false, outliers: false }} />
    </article>
  );
}
