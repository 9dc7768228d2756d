/** Follows the server's event stream, with back-off, and tells the store what grew. */

import { effect } from "@preact/signals";
import type { Change } from "../api/types";
import { queryString } from "../api/client";
import { columns, project, refreshColumns, refreshSoon } from "./runs";
import { noteRunChange, refreshRun } from "./run";
import { tellBreak, tellChange } from "./changes";
import { noteGrowth, refreshSeries } from "./series";
import { connection, lastUpdate, session } from "./store";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const HIDDEN_GRACE_MS = 15_000;

/** The pause before try number `n` (from 0): doubling, capped, with up to 30 % of chance added. */
export const backOff = (n: number, chance: number = Math.random()): number =>
  Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** n) * (1 + 0.3 * chance);

let source: EventSource | null = null;
let timer: ReturnType<typeof setTimeout> | null = null;
let tries = 0;
let broken = false;

function close(): void {
  source?.close();
  source = null;
  if (timer !== null) clearTimeout(timer);
  timer = null;
}

function open(name: string): void {
  close();
  connection.value = tries === 0 ? "connecting" : "retrying";
  const stream = new EventSource(`/api/events${queryString({ project: name })}`);
  source = stream;
  stream.onopen = () => {
    tries = 0;
    connection.value = "live";
    if (broken) {
      broken = false;
      refreshAll(name);
    }
  };
  stream.onerror = () => {
    broken = true;
    close();
    connection.value = "retrying";
    timer = setTimeout(() => open(name), backOff(tries++));
  };
  stream.addEventListener("ping", () => (lastUpdate.value = Date.now()));
  stream.addEventListener("change", (event) => take(name, JSON.parse((event as MessageEvent<string>).data) as Change));
}

function take(name: string, change: Change): void {
  lastUpdate.value = Date.now();
  if (change.project !== name) return;
  if (change.kinds.includes("points")) noteGrowth(name, change.run, change.keys);
  const metrics = columns.peek()?.metrics;
  if (change.keys && metrics) {
    const have = new Set(metrics.map((one) => one.key));
    if (change.keys.some((key) => !have.has(key))) refreshColumnsSoon();
  }
  if (change.kinds.some((kind) => kind !== "points" && kind !== "system")) refreshColumnsSoon();
  refreshSoon(change.kinds.includes("run") || change.kinds.includes("end") ? 500 : 3000);
  noteRunChange(change);
  tellChange(change);
}

let columnsTimer: ReturnType<typeof setTimeout> | null = null;
function refreshColumnsSoon(): void {
  columnsTimer ??= setTimeout(() => {
    columnsTimer = null;
    void refreshColumns();
  }, 1000);
}

function refreshAll(name: string): void {
  refreshSoon(0);
  void refreshColumns();
  refreshSeries(name);
  refreshRun();
  tellBreak();
}

/** Opens the stream for the shown project, and closes it for a page that nobody sees: fifty tabs stay cheap. */
export function startLive(): void {
  let hiddenTimer: ReturnType<typeof setTimeout> | null = null;
  effect(() => {
    const name = project.value;
    tries = 0;
    broken = false;
    if (name !== null && session.value === "in" && !document.hidden) open(name);
    else {
      close();
      connection.value = "idle";
    }
  });
  document.addEventListener("visibilitychange", () => {
    if (hiddenTimer !== null) clearTimeout(hiddenTimer);
    hiddenTimer = null;
    const name = project.peek();
    if (name === null || session.peek() !== "in") return;
    if (document.hidden) {
      hiddenTimer = setTimeout(() => {
        close();
        broken = true;
        connection.value = "idle";
      }, HIDDEN_GRACE_MS);
    } else if (source === null) {
      tries = 0;
      open(name);
    }
  });
  addEventListener("online", () => {
    const name = project.peek();
    if (name !== null && session.peek() === "in" && connection.peek() !== "live") open(name);
  });
}
