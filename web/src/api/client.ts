/** The one place that talks to the server: typed calls, and errors that carry the server's message and hint. */

import { learnServerTime } from "../format/time";
import type { ColumnsAnswer, GroupsAnswer, ManyAnswer, ManyChange, Me, MovedAnswer, ProjectRow, RunAnswer, RunChange, RunsAnswer, SeriesAnswer, SystemAnswer } from "./types";

/** The server's refusal, or `status` 0 when it could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly hint: string | null = null,
    /** Where reading stopped in a filter or an expression, in characters from 0. */
    readonly position: number | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }

  get isUnreachable(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

export type Query = Record<string, string | number | null | undefined | readonly string[]>;

/** `a/b` → `a%2Fb`: hostile names stay one path part. */
export const part = (name: string): string => encodeURIComponent(name);

/** Builds a query string; null and undefined are left out, arrays repeat the key. */
export function queryString(query: Query): string {
  const words = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === null || value === undefined) continue;
    if (typeof value === "object") for (const one of value) words.append(key, one);
    else words.append(key, String(value));
  }
  const text = words.toString();
  return text ? `?${text}` : "";
}

type Refused = { error?: { message?: string; hint?: string | null }; position?: number };

async function answered(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { credentials: "same-origin", headers: { Accept: "application/json" }, ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "The server cannot be reached.", "Is `outrider server` still running?");
  }
  learnServerTime(answer.headers.get("Date"));
  if (answer.ok) return answer;
  const body = (await answer.json().catch(() => ({}))) as Refused;
  throw new ApiError(answer.status, body.error?.message ?? `The server answered ${answer.status}.`, body.error?.hint, body.position);
}

export const request = async <T>(path: string, init: RequestInit = {}): Promise<T> => (await answered(path, init)).json() as Promise<T>;

const send = <T>(method: string, path: string, body: unknown, keepalive = false): Promise<T> =>
  request<T>(path, { method, keepalive, headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(body) });

export const get = <T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> =>
  request<T>(path + queryString(query), signal ? { signal } : {});

export interface LineQuery {
  key?: string;
  expression?: string;
  x: string;
  min?: number | null;
  max?: number | null;
  width: number;
  smooth?: string | null;
}
export interface SeriesQuery extends LineQuery { runs: readonly string[] }
export interface GroupsQuery extends LineQuery { by: string; filter: string | null; centre: string; band: string }

export const api = {
  me: () => get<Me>("/api/me"),

  projects: () => get<{ projects: ProjectRow[] }>("/api/projects"),

  columns: (project: string) => get<ColumnsAnswer>(`/api/projects/${part(project)}/columns`),

  runs: (project: string, query: Query, signal?: AbortSignal) =>
    get<RunsAnswer>(`/api/projects/${part(project)}/runs`, query, signal),

  run: (project: string, id: string, signal?: AbortSignal) =>
    get<RunAnswer>(`/api/projects/${part(project)}/runs/${part(id)}`, {}, signal),

  series: (project: string, query: SeriesQuery, signal?: AbortSignal) => {
    const { runs, ...rest } = query;
    return get<SeriesAnswer>(`/api/projects/${part(project)}/series`, { ...rest, run: runs }, signal);
  },

  groups: (project: string, query: GroupsQuery) => get<GroupsAnswer>(`/api/projects/${part(project)}/groups`, { ...query }),

  system: (project: string, id: string, query: Query, signal?: AbortSignal) =>
    get<SystemAnswer>(`/api/projects/${part(project)}/runs/${part(id)}/system`, query, signal),

  updateRun: (project: string, id: string, change: RunChange) =>
    send<unknown>("PATCH", `/api/projects/${part(project)}/runs/${part(id)}`, change),

  updateRuns: (project: string, runs: readonly string[], change: ManyChange) =>
    send<ManyAnswer>("PATCH", `/api/projects/${part(project)}/runs`, { runs, ...change }),

  moveRuns: (project: string, runs: readonly string[], to: string) =>
    send<MovedAnswer>("POST", `/api/projects/${part(project)}/runs/move`, { runs, to }),

  /** With `isLeaving` the request outlives the page. */
  deleteRuns: (project: string, runs: readonly string[], isLeaving = false) =>
    send<ManyAnswer>("POST", `/api/projects/${part(project)}/runs/delete`, { runs }, isLeaving),

  blob: (path: string) => answered(path).then((answer) => answer.blob()),

  logout: () => request<unknown>("/api/logout", { method: "POST" }).catch(() => undefined),
};
