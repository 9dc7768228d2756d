/** The one place that talks to the server: typed calls, and errors that carry the server's message and hint. */

import { learnServerTime } from "../format/time";
import type { paths } from "./schema";
import type { ManyChange, RunChange, SeriesAnswer } from "./types";

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
    throw refusal(0, {});
  }
  learnServerTime(answer.headers.get("Date"));
  if (answer.ok) return answer;
  throw refusal(answer.status, (await answer.json().catch(() => ({}))) as Refused);
}

function refusal(status: number, { error, position }: Refused): ApiError {
  if (status === 0) return new ApiError(0, "The server cannot be reached.", "Is `outrider server` still running?");
  return new ApiError(status, error?.message ?? `The server answered ${status}.`, error?.hint, position);
}

/** What a worker has fetched and read: the page's thread has no part in it. */
async function answeredLarge(path: string, signal?: AbortSignal): Promise<unknown> {
  const { askLarge } = await import("./large");
  const { status, date, body } = await askLarge(path, signal);
  learnServerTime(date);
  if (status < 200 || status > 299) throw refusal(status, body as Refused);
  return body;
}

/** The paths that answer a method, what they ask for and what they answer: all of it from the OpenAPI document. */
type Method = "get" | "post" | "patch" | "put" | "delete";
type Paths<M extends Method> = { [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never }[keyof paths];
type Asked<P extends keyof paths, M extends Method> = paths[P][M] extends { parameters: infer A } ? A : never;
type Body<P extends keyof paths, M extends Method> = paths[P][M] extends { requestBody?: { content: { "application/json": infer B } } } ? B : undefined;
export type Answer<P extends keyof paths, M extends Method = "get"> =
  paths[P][M] extends { responses: infer R } ? (R[keyof R] extends { content: { "application/json": infer T } } ? T : never) : never;

/** As the document says, and null or undefined leave a parameter out. */
type Loose<Q> = { [K in keyof Q]: (NonNullable<Q[K]> extends string[] ? readonly string[] : Q[K]) | null | undefined };
type Part<A, N extends string> = A extends { [K in N]?: infer V } ? NonNullable<V> : never;
export type QueryOf<P extends keyof paths, M extends Method = "get"> = Part<Asked<P, M>, "query"> extends never ? Record<string, never> : Loose<Part<Asked<P, M>, "query">>;

interface Call<P extends keyof paths, M extends Method> {
  /** The names in the path. */
  in?: Part<Asked<P, M>, "path">;
  query?: QueryOf<P, M>;
  body?: Body<P, M>;
  signal?: AbortSignal | undefined;
  /** The request outlives the page. */
  isLeaving?: boolean;
  /** The answer may be some megabytes. */
  isLarge?: boolean;
}

/** `/api/projects/{project}` with its names put in, each one path part whatever it holds. */
export const address = (template: string, names: Record<string, string | number> = {}): string =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => part(String(names[name])));

async function call<P extends keyof paths, M extends Method>(method: M, path: P, asked: Call<P, M>): Promise<Answer<P, M>> {
  const { body, signal, isLeaving = false, isLarge = false } = asked;
  const said = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers = { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
  const place = address(path, asked.in) + queryString((asked.query ?? {}) as Query);
  if (isLarge && typeof Worker !== "undefined") return (await answeredLarge(place, signal)) as Answer<P, M>;
  const answer = await answered(place, {
    method: method.toUpperCase(), headers, keepalive: isLeaving, ...said, ...(signal ? { signal } : {}),
  });
  return (await answer.json()) as Answer<P, M>;
}

export const get = <P extends Paths<"get">>(path: P, asked: Call<P, "get"> = {}): Promise<Answer<P>> => call("get", path, asked);
export const post = <P extends Paths<"post">>(path: P, asked: Call<P, "post"> = {}): Promise<Answer<P, "post">> => call("post", path, asked);
export const patch = <P extends Paths<"patch">>(path: P, asked: Call<P, "patch">): Promise<Answer<P, "patch">> => call("patch", path, asked);
export const put = <P extends Paths<"put">>(path: P, asked: Call<P, "put">): Promise<Answer<P, "put">> => call("put", path, asked);
export const remove = <P extends Paths<"delete">>(path: P, asked: Call<P, "delete">): Promise<Answer<P, "delete">> => call("delete", path, asked);

const PROJECT = "/api/projects/{project}";
const RUN = "/api/projects/{project}/runs/{run}";

/** So many lines are read in some 8 ms; a worker would first have to start. */
const MANY = 16;

export type RunsQuery = QueryOf<`${typeof PROJECT}/runs`>;
export type SeriesQuery = QueryOf<`${typeof PROJECT}/series`>;
export type ManySeriesQuery = QueryOf<`${typeof PROJECT}/series/many`>;
export type GroupsQuery = QueryOf<`${typeof PROJECT}/groups`>;

export const api = {
  me: () => get("/api/me"),

  projects: () => get("/api/projects"),

  columns: (project: string) => get(`${PROJECT}/columns`, { in: { project } }),

  runs: (project: string, query: RunsQuery, signal?: AbortSignal) => get(`${PROJECT}/runs`, { in: { project }, query, signal }),

  run: (project: string, run: string, signal?: AbortSignal) => get(RUN, { in: { project, run }, signal }),

  series: (project: string, query: SeriesQuery, signal?: AbortSignal): Promise<SeriesAnswer> =>
    get(`${PROJECT}/series`, { in: { project }, query, signal, isLarge: (query.run?.length ?? 0) > MANY }),

  /** Several metrics, in their order. */
  manySeries: async (project: string, query: ManySeriesQuery, signal?: AbortSignal): Promise<SeriesAnswer[]> =>
    (await get(`${PROJECT}/series/many`, {
      in: { project }, query, signal, isLarge: (query.key?.length ?? 0) * (query.run?.length ?? 0) > MANY,
    })).answers,

  groups: (project: string, query: GroupsQuery, signal?: AbortSignal) => get(`${PROJECT}/groups`, { in: { project }, query, signal }),

  system: (project: string, run: string, query: QueryOf<`${typeof RUN}/system`>, signal?: AbortSignal) =>
    get(`${RUN}/system`, { in: { project, run }, query, signal }),

  updateRun: (project: string, run: string, body: RunChange) => patch(RUN, { in: { project, run }, body }),

  updateRuns: (project: string, runs: readonly string[], change: ManyChange) =>
    patch(`${PROJECT}/runs`, { in: { project }, body: { runs: [...runs], ...change } }),

  moveRuns: (project: string, runs: readonly string[], to: string) =>
    post(`${PROJECT}/runs/move`, { in: { project }, body: { runs: [...runs], to } }),

  /** With `isLeaving` the request outlives the page. */
  deleteRuns: (project: string, runs: readonly string[], isLeaving = false) =>
    post(`${PROJECT}/runs/delete`, { in: { project }, body: { runs: [...runs] }, isLeaving }),

  views: (project: string) => get(`${PROJECT}/views`, { in: { project } }),

  view: (project: string, view: string) => get(`${PROJECT}/views/{view}`, { in: { project, view } }),

  keepView: (project: string, view: string, state: string) => put(`${PROJECT}/views/{view}`, { in: { project, view }, body: { state } }),

  deleteView: (project: string, view: string) => remove(`${PROJECT}/views/{view}`, { in: { project, view } }),

  blob: (path: string) => answered(path).then((answer) => answer.blob()),
};
