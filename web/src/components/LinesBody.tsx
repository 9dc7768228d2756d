/** The inside of a card of lines: one metric, several of them, or an expression. */

import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { Chart, type ChartLine } from "../chart/Chart";
import { plural } from "../format/number";
import { settingOf, withSetting } from "../state/cards";
import { grouping } from "../state/grouping";
import { listError, total, type Shown } from "../state/runs";
import { setView, smoothWords, view, type Zoom } from "../state/url";
import { useLines, type Source } from "./useLines";

const DASHES: readonly (readonly number[])[] = [[], [7, 3], [2, 2.5], [8, 3, 2, 3]];

export interface LinesProps {
  project: string;
  /** Their number must not change: give the body a key that names them. */
  sources: readonly Source[];
  runs: readonly Shown[];
  cardKey: string;
  title: string;
  height: number;
  id: string;
}

export function LinesBody({ project, sources, runs, cardKey, title, height, id }: LinesProps) {
  const width = useSignal(0);
  const { x, logX, logY, outliers, cards } = view.value;
  const setting = settingOf(cards, cardKey);
  const zoom = setting.isAlone ? setting.zoom : view.value.zoom;
  const smooth = smoothWords(view.value);
  const each = sources.map((source) => useLines(project, source, runs, zoom, smooth, width.value));
  const lines = useMemo(() => joined(sources, each.map((one) => one.lines)), each.map((one) => one.lines));
  const marks = useMemo(() => countMarks(lines), [lines]);
  const markWords = marks.map(([value, count]) => `${count.toLocaleString("en-US")} ${value}`).join(", ");
  const points = lines.reduce((sum, one) => sum + one.data.x.length + one.data.marks.length, 0);
  const entries = each.map((one) => one.entry);
  const isReady = entries.every((one) => one === null || one.isReady.value);
  const error = entries.find((one) => one?.error.value)?.error.value ?? null;
  const unknown = entries.flatMap((one) => [...(one?.unknown.value ?? [])]);
  const hasRuns = runs.length > 0 || grouping.value !== null;
  const alone = (next: Zoom | null): void =>
    setView({ cards: withSetting(view.peek().cards, cardKey, { zoom: next }) }, { push: true });
  return (
    <div class="card-body">
      <Chart id={id} label={`${title}: ${plural(lines.length, "line")}`} lines={lines} height={height} exported={{ key: cardKey, title }}
        view={{ x, zoom, logX, logY: setting.logY ?? logY, outliers, low: setting.low, high: setting.high }}
        onWidth={(next) => (width.value = next)} {...(setting.isAlone ? { onZoom: alone } : {})} />
      {marks.length > 0 && (
        <span class="marks" title={`${markWords}: marked at the edge of the chart`}>{markWords}</span>
      )}
      {!isReady && !error && lines.length === 0 && hasRuns && <span class="card-wait" role="status" aria-label="Loading" />}
      {error && <span class="card-note" role="alert">{error.message}{error.hint && <><br />{error.hint}</>}</span>}
      {!hasRuns && total.value !== null && (
        <span class="card-note">{total.value === 0 ? "No run of the list to show." : "No run is shown: press an eye in the list."}</span>
      )}
      {!hasRuns && total.value === null && listError.value && (
        <span class="card-note">No lines, as the run list could not be read:<br />{listError.value.message}</span>
      )}
      {isReady && points === 0 && hasRuns && !error && (
        <span class="card-note">
          {unknown.length > 0 ? `No shown run has logged ${unknown.map(({ name, at }) => `“${name}” (at character ${at + 1})`).join(", ")}.`
            : zoom ? "Nothing in this window." : "The shown runs have not logged this."}
        </span>
      )}
    </div>
  );
}

/** The lines of all sources. Of several, each has a pattern of dashes; with one run, a colour. */
function joined(sources: readonly Source[], each: readonly (readonly ChartLine[])[]): ChartLine[] {
  if (sources.length === 1) return [...each[0]!];
  const isOne = each.every((lines) => lines.length <= 1);
  return each.flatMap((lines, i) => lines.map((line) => ({
    ...line, name: isOne ? sources[i]!.key : `${line.name} · ${sources[i]!.key}`, isBase: false,
    ...(isOne ? { slot: i, isDashed: false } : { dash: DASHES[i % DASHES.length]! }),
  })));
}

function countMarks(lines: readonly ChartLine[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { data } of lines)
    for (const { value, count } of data.marks) counts.set(value, (counts.get(value) ?? 0) + count);
  return [...counts];
}
