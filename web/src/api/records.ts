/** Calls for what a run records beside its numbers: files, console, media, code, alerts. */

import { get, part, queryString, request, type Query } from "./client";
import type { Value } from "./types";

export interface FileEntry {
  path: string;
  sha256: string | null;
  size: number | null;
  type: string | null;
  role: string;
  state: string;
  why: string | null;
  t: number;
  present: boolean;
  meta?: Record<string, Value> | null;
}
export interface FilesAnswer { files: FileEntry[]; next: string | null }

export interface ConsoleLine { n: number; t: number; o: string; b: string; w?: string; gap?: number }
/** `next` is where the page behind this one begins, null at the end. */
export interface ConsoleAnswer { total: number; first: number; lines: ConsoleLine[]; next: number | null; open: boolean }
export interface ConsoleMatch { n: number; t: number; o: string; b: string }
export interface SearchAnswer { matches: ConsoleMatch[]; next: number | null; total: number }

export interface MediaPart {
  sha256: string | null;
  size: number;
  type: string | null;
  present: boolean;
  caption?: string | null;
  width?: number | null;
  height?: number | null;
  [more: string]: unknown;
}
export interface MediaItem {
  seq: number;
  t: number;
  step: number;
  key: string;
  type: string;
  parts: MediaPart[];
  value: unknown;
}
export interface MediaAnswer { media: MediaItem[]; next: string | null }
export interface MediaKey { key: string; type: string; count: number; first_step: number; last_step: number }

export interface CodeAnswer {
  code: Record<string, Value> | null;
  environment: Record<string, Value> | null;
  files: FileEntry[];
  web: string | null;
}

const runPath = (project: string, run: string): string => `/api/projects/${part(project)}/runs/${part(run)}`;

/** The address of a stored file; `download` asks the browser to keep it under `name`. */
export const blobUrl = (project: string, run: string, sha256: string, name?: string, download = false): string =>
  `${runPath(project, run)}/blobs/${part(sha256)}${queryString({ name, download: download ? 1 : null })}`;

const send = (method: string, path: string, body?: unknown): Promise<unknown> =>
  request(path, {
    method, headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

export const records = {
  files: (project: string, run: string, query: Query, signal?: AbortSignal) =>
    get<FilesAnswer>(`${runPath(project, run)}/files`, query, signal),

  console: (project: string, run: string, query: Query, signal?: AbortSignal) =>
    get<ConsoleAnswer>(`${runPath(project, run)}/console`, query, signal),

  search: (project: string, run: string, query: Query, signal?: AbortSignal) =>
    get<SearchAnswer>(`${runPath(project, run)}/console/search`, query, signal),

  media: (project: string, run: string, query: Query, signal?: AbortSignal) =>
    get<MediaAnswer>(`${runPath(project, run)}/media`, query, signal),

  mediaKeys: (project: string, run: string, signal?: AbortSignal) =>
    get<{ keys: MediaKey[] }>(`${runPath(project, run)}/media/keys`, {}, signal),

  table: <T>(project: string, run: string, seq: number, query: Query, signal?: AbortSignal) =>
    get<T>(`${runPath(project, run)}/tables/${seq}`, query, signal),

  code: (project: string, run: string, signal?: AbortSignal) =>
    get<CodeAnswer>(`${runPath(project, run)}/code`, {}, signal),

  alerts: <T>(project: string, run: string, query: Query, signal?: AbortSignal) =>
    get<T>(`${runPath(project, run)}/alerts`, query, signal),

  rules: <T>(project: string, signal?: AbortSignal) => get<T>(`/api/projects/${part(project)}/rules`, {}, signal),

  addRule: (project: string, rule: unknown) => send("POST", `/api/projects/${part(project)}/rules`, rule),

  deleteRule: (project: string, id: string | number) =>
    send("DELETE", `/api/projects/${part(project)}/rules/${part(String(id))}`),

  webhook: <T>(signal?: AbortSignal) => get<T>("/api/webhook", {}, signal),

  setWebhook: (body: unknown) => send("PUT", "/api/webhook", body),
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
