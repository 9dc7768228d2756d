/** What the whole page shares: who is logged in, how fresh it is, what is pointed at. */

import { signal } from "@preact/signals";
import { ApiError } from "../api/client";
import type { Connection } from "../live/stream";


/** `out`: the server wants a login. `unknown`: nothing answered yet. */
export const session = signal<"unknown" | "in" | "out">("unknown");
export const connection = signal<Connection>("idle");
/** Browser time in ms of the last answer or event that the page shows. */
export const lastUpdate = signal<number | null>(null);
/** The run that is pointed at, in the list or on a chart: it stands out everywhere. */
export const highlight = signal<string | null>(null);
export const helpIsOpen = signal(false);
/** Ticks once a second while the page is seen: durations and "ago" texts follow it. */
export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);

/** Notes what an answer says about the session and the connection; returns the error for showing. */
export function noteFailure(error: unknown): ApiError | null {
  if (error instanceof DOMException && error.name === "AbortError") return null;
  const shown = error instanceof ApiError ? error : new ApiError(0, String(error));
  if (shown.status === 401) session.value = "out";
  else if (shown.status >= 400 && shown.status < 500) session.value = "in"; // it answered us, if only with a no
  return shown;
}

export function noteAnswer(): void {
  session.value = "in";
  lastUpdate.value = Date.now();
}
