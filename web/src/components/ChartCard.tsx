/** A metric's card: its name, its chart once it has been scrolled to, its marks and its two buttons. */

import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Chart, type ChartLine } from "../chart/Chart";
import { plural } from "../format/number";
import { listError, total, type Shown } from "../state/runs";
import { entryFor, watch, type Lines } from "../state/series";
import { setView, view } from "../state/url";
import { Icon } from "./Icon";

const HEIGHTS = { s: 148, m: 208, l: 320 };
const FEW_HEIGHT = 264;
const NEAR = "400px 0px";

interface Props { project: string; metric: string; runs: readonly Shown[]; inSection: string; height?: number; isFew?: boolean }

export function ChartCard({ project, metric, runs, inSection, height, isFew = false }: Props) {
  const card = useRef<HTMLElement>(null);
  const isNear = useSignal(false);
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => (isNear.value = entry!.isIntersecting), { rootMargin: NEAR });
    observer.observe(card.current!);
    return () => observer.disconnect();
  }, []);
  const tall = height ?? (isFew && view.value.size === "m" ? FEW_HEIGHT : HEIGHTS[view.value.size]);
  const isPinned = view.value.pin.includes(metric);
  const leaf = inSection !== "" && metric.startsWith(`${inSection}/`) ? metric.slice(inSection.length + 1) : metric;
  const togglePin = (): void => {
    const { pin } = view.value;
    setView({ pin: isPinned ? pin.filter((one) => one !== metric) : [...pin, metric] });
  };
  return (
    <article class="card" ref={card} aria-label={metric} data-metric={metric}>
      <header class="card-head">
        <h3 class="clip" title={metric}>{leaf}</h3>
        <span class="card-tools">
          <button class="button button-quiet button-small" aria-pressed={isPinned} aria-label={`${isPinned ? "Unpin" : "Pin"} ${metric}`}
            title={isPinned ? "Unpin" : "Pin on top"} onClick={togglePin}><Icon name="pin" size={14} /></button>
          <button class="button button-quiet button-small" aria-label={`Enlarge ${metric}`} title="Enlarge"
            onClick={() => setView({ full: view.value.full === metric ? null : metric }, { push: true })}><Icon name="expand" size={14} /></button>
        </span>
      </header>
      {isNear.value
        ? <CardChart project={project} metric={metric} runs={runs} height={tall} id={`${inSection}:${metric}:${height ?? ""}`} />
        : <div class="chart" style={{ height: `${tall}px` }} />}
    </article>
  );
}

function CardChart({ project, metric, runs, height, id }: { project: string; metric: string; runs: readonly Shown[]; height: number; id: string }) {
  const width = useSignal(0);
  const { x, zoom, smooth, logX, logY, outliers } = view.value;
  // a width in steps of 200 pixels: resizing the window a little asks for nothing new
  const buckets = Math.max(400, Math.ceil(width.value / 200) * 200);
  const entry = useMemo(
    () => entryFor({ project, key: metric, x, zoom, width: buckets, smooth }),
    [project, metric, x, zoom?.min, zoom?.max, buckets, smooth],
  );
  useEffect(() => (width.value > 0 ? watch(entry, runs.map((one) => one.id)) : undefined), [entry, runs, width.value > 0]);

  // until a new window or smoothing has come, the lines that were there stay
  const before = useRef<{ lines: Lines; x: string }>({ lines: new Map(), x });
  if (entry.isReady.value) before.current = { lines: entry.lines.value, x };
  const lines = before.current.x === x ? before.current.lines : new Map();
  const chartLines = useMemo<ChartLine[]>(
    () => runs.flatMap((one) => {
      const data = lines.get(one.id);
      return data ? [{ run: one.id, name: one.name, slot: one.slot, data }] : [];
    }),
    [lines, runs],
  );
  const marks = useMemo(() => countMarks(chartLines), [chartLines]);
  const points = chartLines.reduce((sum, one) => sum + one.data.x.length + one.data.marks.length, 0);
  const nothing = entry.isReady.value && points === 0;
  return (
    <div class="card-body">
      <Chart id={id} label={`${metric}: ${plural(chartLines.length, "line")}`} lines={chartLines} height={height}
        view={{ x, zoom, logX, logY, outliers }} onWidth={(next) => (width.value = next)} />
      {marks.length > 0 && (
        <span class="marks" title="Values that are no number are marked at the edge of the chart">
          {marks.map(([value, count]) => `${count.toLocaleString("en-US")} ${value}`).join(", ")}
        </span>
      )}
      {!entry.isReady.value && !entry.error.value && chartLines.length === 0 && runs.length > 0 && <span class="card-wait" role="status" aria-label="Loading" />}
      {entry.error.value && <span class="card-note" role="alert">{entry.error.value.message}</span>}
      {runs.length === 0 && total.value !== null && <span class="card-note">No run is shown: press an eye in the list.</span>}
      {runs.length === 0 && total.value === null && listError.value && <span class="card-note">There are no lines until the run list can be read.</span>}
      {nothing && runs.length > 0 && !entry.error.value && (
        <span class="card-note">{zoom ? "Nothing in this window." : "The shown runs have not logged this."}</span>
      )}
    </div>
  );
}

function countMarks(lines: readonly ChartLine[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { data } of lines)
    for (const { value, count } of data.marks) counts.set(value, (counts.get(value) ?? 0) + count);
  return [...counts];
}
