/** The shapes that the page speaks of, by the names it has for them. Times are unix seconds unless a name says otherwise. */

import type { Columns } from "./columns";
import type { components, operations } from "./schema";

type Schemas = components["schemas"];
type Said<Op extends keyof operations> = operations[Op] extends { requestBody?: { content: { "application/json": infer B } } } ? B : never;

/** `running`, or how it ended: finished, failed, killed, preempted, oom, lost, crashed. */
export type RunState = Schemas["RunRow"]["state"];
export type Value = Schemas["Value"];

export type ProjectRow = Schemas["Project"];
/** `metric`: `val/acc.max` → what the metric comes down to, for the columns that were asked for; only in lists. */
export type RunRow = Omit<Schemas["RunRow"], "metric"> & Partial<Pick<Schemas["RunRow"], "metric">>;
export type RunsAnswer = Schemas["Runs"];
/** A group of rows; `rest` are those behind the first thousands of values. */
export type RowGroup = NonNullable<RunsAnswer["groups"]>[number];
export type MetricFacts = Schemas["Run"]["metrics"][number];
export type ViewRow = operations["list_views"]["responses"][200]["content"]["application/json"]["views"][number];
export type RunChange = Said<"edit_run">;
export type ManyChange = Omit<Said<"edit_runs">, "runs">;
/** What became of it, and the requests that take it back. */
export type ManyChanged = Schemas["ChangedRuns"];
export type ColumnsAnswer = Schemas["Columns"];

export type RunAnswer = Schemas["Run"];
export type EndRecord = NonNullable<RunAnswer["end"]>;

export type MemorySample = { ago: number; used: number; limit: number | null; process: number | null };

/** What the machine knew when the trainer died, as far as the page shows it. */
export interface Evidence {
  last_console?: string[] | null;
  /** Bytes as the sampler saw them, `ago` seconds before; the last one last. */
  memory?: MemorySample[] | null;
}

/** One run's line. `exact`: a value per point in `last`; otherwise a bucket per entry with min, max and mean. */
export type SeriesAnswer = Omit<Schemas["Series"], "series"> & { series: Columns<Schemas["Series"]["series"][number]>[] };
export type SeriesData = SeriesAnswer["series"][number] & {
  /** The line of a group of runs: min and max are its band, count the runs behind each place. */
  isGroup?: boolean;
};
export type Mark = SeriesData["marks"][number];

/** One group: a line through the middle of its runs, a band, and how many runs there are at each place. */
export type GroupsAnswer = Schemas["Groups"];
export type GroupLine = GroupsAnswer["groups"][number];
export type SystemAnswer = Schemas["SystemSeries"];
export type SystemSeries = SystemAnswer["series"][number];

/** An event of the stream, which is no JSON answer and so has no schema. */
export interface Change {
  project: string;
  run: string;
  kinds: string[];
  keys: string[] | null;
  state: RunState | null;
}
