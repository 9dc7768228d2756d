/** The shapes of the server's answers. Times are unix seconds unless a name says otherwise. */

export type RunState =
  | "running" | "finished" | "failed" | "killed" | "preempted" | "oom" | "lost" | "crashed" | (string & {});

export type Scalar = string | number | boolean | null;
export type Value = Scalar | Value[] | { [key: string]: Value };

export interface ProjectRow { name: string; runs: number; running: number; updated: number | null }

export interface RunRow {
  id: string;
  project: string;
  name: string | null;
  state: RunState;
  attempt: number;
  created: number;
  started: number | null;
  ended: number | null;
  updated: number | null;
  duration: number | null;
  group: string | null;
  job_type: string | null;
  tags: string[];
  notes: string | null;
  host: string | null;
  gaps: number;
  archived?: boolean;
  config: Record<string, Value>;
  summary: Record<string, Value>;
  /** `val/acc.max` → what the metric comes down to, for the columns that were asked for. */
  metric?: Record<string, Value>;
}

/** A group of rows; `rest` are those behind the first thousands of values. */
export interface RowGroup { value: Value; runs: number; rest?: boolean }
export interface RunsAnswer { total: number; runs: RunRow[]; groups?: RowGroup[] }
export interface RunChange { name?: string; tags?: string[]; notes?: string; archived?: boolean }
export interface ManyChange { archived?: boolean; add_tags?: string[]; remove_tags?: string[] }
export interface ManyAnswer { runs: number; missing: string[] }
export interface MovedAnswer extends ManyAnswer { taken: string[] }

export interface Column { key: string; types: string[]; runs: number }
export interface MetricColumn { key: string; runs: number; points: number; hidden?: boolean; step?: string | null }
export interface ColumnsAnswer { config: Column[]; summary: Column[]; metrics: MetricColumn[]; system: MetricColumn[] }

export interface EndRecord {
  state: RunState;
  code?: number | null;
  signal?: number | null;
  why?: { type: string; message: string; traceback?: string | null } | null;
  evidence?: Evidence | null;
  /** All of it in one sentence, made by the server. */
  sentence?: string;
  t?: number;
}

export type MemorySample = { ago: number; used: number; limit: number | null; process: number | null };

/** What the machine knew when the trainer died. */
export interface Evidence {
  oom_kills?: number | null;
  machine_oom_kills?: number | null;
  xid?: { gpu: number; xid: number; ago: number }[] | null;
  last_console?: string[] | null;
  /** Bytes as the sampler saw them, `ago` seconds before; the last one last. */
  memory?: MemorySample[] | null;
  signal_from?: { [key: string]: Value } | null;
  [more: string]: Value | undefined;
}

/** Which of a run's tabs have something to show. */
export interface Has { console?: boolean; media?: boolean; files?: number; code?: boolean; alerts?: number }

export interface MetricFacts {
  key: string;
  points: number;
  last: Scalar;
  min: Scalar;
  max: Scalar;
  nonfinite: number;
  step: string | null;
  summary: string | null;
  goal: string | null;
  hidden: boolean;
}

export interface WriterFacts {
  writer: string;
  host: string | null;
  pid: number | null;
  role: string;
  attempt: number;
  state: RunState | null;
  end: EndRecord | null;
}

export interface RunAnswer extends RunRow {
  metrics: MetricFacts[];
  writers: WriterFacts[];
  hosts: Record<string, Record<string, Value>>;
  end: EndRecord | null;
  attempts: { a: number; rewind: number | null; t: number }[];
  program: string | null;
  argv: string[] | null;
  python: string | null;
  url: string | null;
  cwd?: string | null;
  has?: Has;
}

export interface Mark { x: number; step: number; value: string; count: number }

/** One run's line. `exact`: a value per point in `last`; otherwise a bucket per entry with min, max and mean. */
export interface SeriesData {
  run: string;
  exact: boolean;
  total: number;
  x: number[];
  step: number[];
  time: number[];
  last: number[];
  min?: number[];
  max?: number[];
  mean?: number[];
  count?: number[];
  smooth?: number[];
  marks: Mark[];
  /** The line of a group of runs: min and max are its band, count the runs behind each place. */
  isGroup?: boolean;
}

export interface SeriesAnswer { key: string; x: string; series: SeriesData[]; missing?: string[]; unknown?: { name: string; at: number }[] }

/** One group: a line through the middle of its runs, a band, and how many runs there are at each place. */
export interface GroupLine {
  value: Value;
  runs: number;
  of: number;
  members: string[];
  names: (string | null)[];
  x: number[];
  mid: number[];
  low: number[];
  high: number[];
  n: number[];
  smooth?: number[];
  marks: Mark[];
}

export interface GroupsAnswer { key: string; x: string; runs: number; groups: GroupLine[]; left_out: number }
export interface ViewRow { name: string; updated: number; by: string; state?: string }
export interface SystemSeries extends Omit<SeriesData, "run"> { key: string }
export interface SystemAnswer { series: SystemSeries[] }

export interface Change {
  project: string;
  run: string;
  kinds: string[];
  keys: string[] | null;
  state: RunState | null;
}

export interface Me { role: string; projects: string[] | null; name: string }
