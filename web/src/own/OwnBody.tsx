/** The inside of a card that a user made of runs: scatter, bars, parallel coordinates or a histogram. */

import { useMemo } from "preact/hooks";
import type { RunRow } from "../api/types";
import { ownKey, ownTitle, type OwnChart } from "../state/cards";
import { valueOf } from "../state/colouring";
import { slotsFor } from "../state/colours";
import { filterText, type Shown } from "../state/runs";
import { view } from "../state/url";
import { colourScale, rampColour, RAMPS } from "../theme/ramp";
import { isDark, palette, slotColour } from "../theme/theme";
import { plural } from "../format/number";
import { dimension } from "./dimension";
import { bars, barsOf, parallel, scatter, type Look } from "./drawings";
import { HistogramBody } from "./HistogramBody";
import { OwnCanvas, type Drawing } from "./OwnCanvas";
import { MOST_RUNS, useRows } from "./rows";

interface Props { project: string; chart: OwnChart; runs: readonly Shown[]; height: number; id: string }

export default function OwnBody(props: Props) {
  const title = ownTitle(props.chart);
  return props.chart.kind === "histogram" ? <HistogramBody {...props} title={title} /> : <RunsBody {...props} title={title} />;
}

function RunsBody({ project, chart, runs, height, id, title }: Props & { title: string }) {
  const { group, colour: viewColour, hide } = view.value;
  const colourBy = chart.colour || viewColour || "";
  const { answer, error } = useRows(project, [...chart.fields, colourBy, ...(group !== null ? [group] : [])]);
  const found = answer.value;
  const dark = isDark.value;
  const colours = palette.value;
  const drawing = useMemo(() => {
    if (!found) return null;
    const rows = found.runs.filter((row) => !hide.includes(row.id));
    const slots = new Map(runs.map((one) => [one.id, one.slot]));
    return draw(chart, rows, group, { palette: colours, colourOf: colourer(rows, colourBy, slots, dark, colours.axis) }, project);
  }, [found, JSON.stringify(chart), runs, group, colourBy, dark, colours, hide.join("\n")]);
  const shown = found ? Math.min(found.runs.length, MOST_RUNS) : 0;
  return (
    <div class="card-body">
      {drawing
        ? <OwnCanvas project={project} id={id} cardKey={ownKey(chart.id)} title={title} label={`${title}: ${plural(shown, "run")}`} height={height} drawing={drawing} />
        : <div class="chart" style={{ height: `${height}px` }} />}
      {found && found.total > MOST_RUNS && <span class="marks">newest {MOST_RUNS.toLocaleString("en-US")} of {plural(found.total, "run")}</span>}
      {error.value && <span class="card-note" role="alert">{error.value.message}</span>}
      {!found && !error.value && <span class="card-wait" role="status" aria-label="Loading" />}
      {found && drawing && drawing.cells().rows.length === 0 && <span class="card-note">{filterText.value ? "No run of the list has these values." : "No run has these values yet."}</span>}
    </div>
  );
}

function draw(chart: OwnChart, rows: readonly RunRow[], group: string | null, look: Look, project: string): Drawing {
  const [first = "", second = "", ...more] = chart.fields;
  if (chart.kind === "scatter")
    return scatter(rows, dimension(first, rows), dimension(second, rows), [...more, ...(chart.colour ? [chart.colour] : [])].map((one) => dimension(one, rows)), look);
  if (chart.kind === "parallel") return parallel(rows, chart.fields, look);
  const value = dimension(first, rows);
  const by = group === null ? null : dimension(group, rows);
  const names = by ? [...new Set(rows.map((row) => by.text(row)))] : [];
  const slots = slotsFor(project, names.map((name) => `${group}=${name}`));
  return bars(barsOf(rows, value, by, look.colourOf, (i) => slotColour(slots.get(`${group}=${names[i]}`) ?? i)), value, look);
}

/** By the chart's field on a scale; else shown runs in their own colours, the others in grey. */
function colourer(rows: readonly RunRow[], field: string, slots: ReadonlyMap<string, number>, dark: boolean, grey: string): Look["colourOf"] {
  if (!field) return (row) => (slots.has(row.id) ? slotColour(slots.get(row.id)!) : grey);
  const ramp = RAMPS[dark ? "dark" : "light"];
  const values = rows.map((row) => valueOf(row, field));
  const numbers = values.filter((one): one is number => typeof one === "number");
  const scale = colourScale(numbers);
  if (scale) return (row) => {
    const value = valueOf(row, field);
    return typeof value === "number" ? rampColour(ramp, scale.share(value)) : grey;
  };
  const words = [...new Set(values.filter((one) => one !== null).map((one) => JSON.stringify(one)))].sort();
  return (row) => {
    const i = words.indexOf(JSON.stringify(valueOf(row, field)));
    return i < 0 ? grey : slotColour(i);
  };
}
