/** Follows what the server tells of the shown project, over one stream for all pages of the browser. */

import { effect } from "@preact/signals";
import { api } from "../api/client";
import type { Change } from "../api/types";
import { Stream, type Told } from "../live/stream";
import type { Asked } from "../live/worker";
import { dropFromSelection } from "../table/selection";
import { columns, forgetRun, project, refreshColumns, refreshSoon } from "./runs";
import { noteRunChange, refreshRun } from "./run";
import { tellBreak, tellChange } from "./changes";
import { noteGrowth, refreshSeries } from "./series";
import { connection, lastUpdate, noteFailure, session } from "./store";
import { route } from "./url";

const HIDDEN_GRACE_MS = 15_000;

/** Says what is followed: to the worker, or, where the browser has none, to a stream of this page. */
function connect(): (asked: Asked) => void {
  if (typeof SharedWorker === "undefined") {
    const stream = new Stream(hear);
    return (asked) => (asked === "hurry" ? stream.hurry() : stream.want(asked.project === null ? [] : [asked.project]));
  }
  const worker = new SharedWorker(new URL("../live/worker.ts", import.meta.url), { type: "module", name: "outrider-live" });
  worker.port.onmessage = ({ data }: MessageEvent<Told>) => hear(data);
  return (asked) => worker.port.postMessage(asked);
}

let say: ((asked: Asked) => void) | null = null;
let followed: string | null = null;
/** The page was not told of changes for some time. */
let wasAway = false;

function follow(name: string | null): void {
  if (name === followed) return;
  followed = name;
  if (name === null && say === null) return;
  connection.value = name === null ? "idle" : "connecting";
  (say ??= connect())({ project: name });
}

/** Does not wait for the next try. */
export const tryNow = (): void => say?.("hurry");

function hear(told: Told): void {
  const name = followed;
  if (name === null) return;
  if (told.kind === "state") {
    connection.value = told.state;
    if (told.state === "retrying") askWhy();
    if (told.state === "live" && wasAway) {
      wasAway = false;
      refreshAll(name);
    }
  } else if (told.kind === "break") refreshAll(name);
  else {
    lastUpdate.value = Date.now();
    if (told.kind === "change") take(name, told.change);
  }
}

/** A stream that is refused does not say why: a token that was revoked ends the session, whatever else is waited for. */
function askWhy(): void {
  if (!document.hidden) api.me().catch((error: unknown) => noteFailure(error));
}

function take(name: string, change: Change): void {
  if (change.project !== name) return;
  if (change.kinds.includes("deleted") && route.peek().page === "workspace") {
    forgetRun(change.run);
    dropFromSelection([change.run]);
  }
  if (change.kinds.includes("points")) noteGrowth(name, change.run, change.keys);
  const metrics = columns.peek()?.metrics;
  if (change.keys && metrics) {
    const have = new Set(metrics.map((one) => one.key));
    if (change.keys.some((key) => !have.has(key))) refreshColumnsSoon();
  }
  if (change.kinds.some((kind) => kind !== "points" && kind !== "system")) refreshColumnsSoon();
  refreshSoon(change.kinds.some((kind) => kind === "run" || kind === "end" || kind === "deleted") ? 500 : 3000);
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

/** Follows the shown project while the page is seen and somebody is logged in. */
export function startLive(): void {
  let hiddenTimer: ReturnType<typeof setTimeout> | null = null;
  const wanted = (): string | null => (session.value === "in" ? project.value : null);
  effect(() => {
    const name = wanted();
    if (name !== followed) wasAway = false; // what is shown of another project is asked for anew
    if (document.hidden) wasAway = name !== null;
    follow(document.hidden ? null : name);
  });
  document.addEventListener("visibilitychange", () => {
    if (hiddenTimer !== null) clearTimeout(hiddenTimer);
    hiddenTimer = null;
    if (!document.hidden) follow(wanted());
    else
      hiddenTimer = setTimeout(() => {
        wasAway = followed !== null;
        follow(null);
      }, HIDDEN_GRACE_MS);
  });
  addEventListener("pagehide", () => {
    wasAway = followed !== null;
    follow(null); // a worker is not told that a page is gone
  });
  addEventListener("pageshow", (event) => event.persisted && follow(wanted()));
  addEventListener("online", tryNow);
}
