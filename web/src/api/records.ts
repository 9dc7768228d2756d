/** Calls for what a run records beside its numbers: files, console, media, code, alerts. */

import { address, get, post, put, queryString, remove, type Answer, type QueryOf } from "./client";
import type { components, operations } from "./schema";

const RUN = "/api/projects/{project}/runs/{run}";
const RULES = "/api/projects/{project}/rules";
export type NewRule = NonNullable<operations["add_rule"]["requestBody"]>["content"]["application/json"];
type Of<Rest extends string> = `${typeof RUN}${Rest}`;

export type FileEntry = components["schemas"]["File"];
/** `next` is where the page behind this one begins, null at the end. */
export type ConsoleAnswer = Answer<Of<"/console">>;
export type ConsoleLine = ConsoleAnswer["lines"][number];
export type ConsoleMatch = Answer<Of<"/console/search">>["matches"][number];
export type MediaAnswer = Answer<Of<"/media">>;
export type MediaItem = MediaAnswer["media"][number];
export type MediaPart = MediaItem["parts"][number];
export type MediaKey = Answer<Of<"/media/keys">>["keys"][number];
export type TableAnswer = Answer<Of<"/tables/{seq}">>;
export type CodeAnswer = Answer<Of<"/code">>;
export type Alert = Answer<Of<"/alerts">>["alerts"][number];

/** The address of a stored file; `download` asks the browser to keep it under `name`. */
export const blobUrl = (project: string, run: string, sha256: string, name?: string, download = false): string =>
  address(`${RUN}/blobs/{sha256}`, { project, run, sha256 }) + queryString({ name, download: download ? 1 : null });

export const records = {
  files: (project: string, run: string, query: QueryOf<Of<"/files">>, signal?: AbortSignal) =>
    get(`${RUN}/files`, { in: { project, run }, query, signal }),

  console: (project: string, run: string, query: QueryOf<Of<"/console">>, signal?: AbortSignal) =>
    get(`${RUN}/console`, { in: { project, run }, query, signal }),

  search: (project: string, run: string, query: QueryOf<Of<"/console/search">>, signal?: AbortSignal) =>
    get(`${RUN}/console/search`, { in: { project, run }, query, signal }),

  media: (project: string, run: string, query: QueryOf<Of<"/media">>, signal?: AbortSignal) =>
    get(`${RUN}/media`, { in: { project, run }, query, signal }),

  mediaKeys: (project: string, run: string, signal?: AbortSignal) => get(`${RUN}/media/keys`, { in: { project, run }, signal }),

  table: (project: string, run: string, seq: number, query: QueryOf<Of<"/tables/{seq}">>, signal?: AbortSignal) =>
    get(`${RUN}/tables/{seq}`, { in: { project, run, seq }, query, signal }),

  code: (project: string, run: string, signal?: AbortSignal) => get(`${RUN}/code`, { in: { project, run }, signal }),

  alerts: (project: string, run: string, query: QueryOf<Of<"/alerts">>, signal?: AbortSignal) =>
    get(`${RUN}/alerts`, { in: { project, run }, query, signal }),

  rules: (project: string, signal?: AbortSignal) => get(RULES, { in: { project }, signal }),

  addRule: (project: string, body: NewRule) => post(RULES, { in: { project }, body }),

  deleteRule: (project: string, rule: string) => remove(`${RULES}/{rule}`, { in: { project, rule } }),

  webhook: (signal?: AbortSignal) => get("/api/webhook", { signal }),

  setWebhook: (url: string | null) => put("/api/webhook", { body: { url } }),
};

/** The text of a stored file, or its beginning. Throws what `fetch` throws. */
export async function blobText(url: string, limit: number, signal?: AbortSignal): Promise<{ text: string; isWhole: boolean }> {
  const answer = await fetch(url, { credentials: "same-origin", headers: { Range: `bytes=0-${limit - 1}` }, ...(signal ? { signal } : {}) });
  if (answer.status === 416) return { text: "", isWhole: true };
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  const whole = Number(/\/(\d+)$/.exec(answer.headers.get("Content-Range") ?? "")?.[1] ?? NaN);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return {
    text: new TextDecoder("utf-8").decode(bytes.subarray(0, limit)),
    isWhole: Number.isNaN(whole) ? bytes.length <= limit : whole <= limit,
  };
}
