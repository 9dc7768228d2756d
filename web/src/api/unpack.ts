/**
 * Fetches and reads large answers off the page's thread, which the JSON of fifty lines would hold for three frames or
 * more. What it hands over are columns of doubles, without a copy.
 */

import { COLUMNS } from "./columns";

declare const self: { onmessage: ((event: MessageEvent<LargeAsked>) => void) | null; postMessage(message: LargeAnswer, handed: Transferable[]): void };

/** What is asked, or, without a path, that nobody waits for it any more. */
export interface LargeAsked { id: number; path?: string }
/** `status` 0: the server was not reached. `body` is the JSON, also of a refusal. */
export interface LargeAnswer { id: number; status: number; date: string | null; body: unknown }

type Line = Record<string, unknown>;

const running = new Map<number, AbortController>();

self.onmessage = ({ data: { id, path } }) => {
  if (path === undefined) running.get(id)?.abort();
  else void ask(id, path);
};

async function ask(id: number, path: string): Promise<void> {
  const control = new AbortController();
  running.set(id, control);
  try {
    const answer = await fetch(path, { credentials: "same-origin", headers: { Accept: "application/json" }, signal: control.signal });
    const body: unknown = await answer.json().catch(() => ({}));
    self.postMessage({ id, status: answer.status, date: answer.headers.get("Date"), body }, answer.ok ? inColumns(body) : []);
  } catch {
    self.postMessage({ id, status: 0, date: null, body: {} }, []);
  } finally {
    running.delete(id);
  }
}

/** Puts the numbers of lines into columns, and returns what is handed over. */
function inColumns(body: unknown): Transferable[] {
  const handed: Transferable[] = [];
  const { series, answers } = body as { series?: Line[]; answers?: { series: Line[] }[] };
  for (const line of series ?? answers?.flatMap((one) => one.series) ?? [])
    for (const name of COLUMNS) {
      const column = line[name];
      // one that holds anything else, such as null, stays as it is
      if (!Array.isArray(column) || column.length === 0 || !column.every((one) => typeof one === "number")) continue;
      const doubles = Float64Array.from(column as number[]);
      line[name] = doubles;
      handed.push(doubles.buffer);
    }
  return handed;
}
