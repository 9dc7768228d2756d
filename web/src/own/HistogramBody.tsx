/** Histograms that a run logged, over its steps; of several shown runs, the one that is chosen. */

import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { ApiError } from "../api/client";
import { records } from "../api/records";
import { ownKey, type OwnChart } from "../state/cards";
import type { Shown } from "../state/runs";
import { highlight, noteAnswer, noteFailure } from "../state/store";
import { RAMPS } from "../theme/ramp";
import { isDark, palette } from "../theme/theme";
import { columnOf, histogram, type Column } from "./histogram";
import { OwnCanvas } from "./OwnCanvas";

interface MediaAnswer { media: { step: number | null; value?: unknown }[]; next: string | null }

const MOST = 2000; // columns; more of them are less than a pixel each
const PAGE = 500;

export function HistogramBody({ project, chart, runs, height, id, title }: { project: string; chart: OwnChart; runs: readonly Shown[]; height: number; id: string; title: string }) {
  const chosen = useSignal<string | null>(null);
  const key = chart.fields[0] ?? "";
  const run = runs.find((one) => one.id === chosen.value) ?? runs[0];
  const columns = useSignal<readonly Column[] | null>(null);
  const error = useSignal<ApiError | null>(null);
  useEffect(() => {
    if (!run) return;
    let isHere = true;
    columns.value = null;
    read(project, run.id, key).then(
      (found) => {
        if (!isHere) return;
        columns.value = found;
        error.value = null;
        noteAnswer();
      },
      (failure) => isHere && (error.value = noteFailure(failure)),
    );
    return () => void (isHere = false);
  }, [project, run?.id, key]);
  const ramp = useComputed(() => (isDark.value ? RAMPS.dark : [...RAMPS.light].reverse())); // more stands out more
  const drawing = useMemo(
    () => (run && columns.value && columns.value.length > 0 ? histogram(columns.value, run, key, { palette: palette.value, ramp: ramp.value }) : null),
    [columns.value, run?.id, run?.name, palette.value, ramp.value],
  );
  if (!run) return <div class="card-body"><div class="chart" style={{ height: `${height}px` }} /><span class="card-note">No run is shown: press an eye in the list.</span></div>;
  return (
    <div class="card-body">
      {runs.length > 1 && (
        <select class="own-run" aria-label="Run of the histogram" value={run.id} onChange={(event) => (chosen.value = event.currentTarget.value)}
          onPointerEnter={() => (highlight.value = run.id)} onPointerLeave={() => (highlight.value = null)}>
          {runs.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
        </select>
      )}
      {drawing
        ? <OwnCanvas project={project} id={id} cardKey={ownKey(chart.id)} title={title} label={`${title} of ${run.name}, ${columns.value!.length} steps`} height={height} drawing={drawing} />
        : <div class="chart" style={{ height: `${height}px` }} />}
      {error.value && <span class="card-note" role="alert">{error.value.message}</span>}
      {!error.value && columns.value === null && <span class="card-wait" role="status" aria-label="Loading" />}
      {!error.value && columns.value?.length === 0 && <span class="card-note">{run.name} has logged no histogram “{key}”.</span>}
    </div>
  );
}

async function read(project: string, run: string, key: string): Promise<Column[]> {
  const found: Column[] = [];
  let after: string | null = null;
  while (found.length < MOST) {
    const answer: MediaAnswer = await records.media(project, run, { key, after, limit: PAGE });
    for (const one of answer.media) {
      const column = columnOf(one.step, one.value);
      if (column) found.push(column);
    }
    after = answer.next;
    if (after === null) break;
  }
  return found;
}
