/** One event stream of several projects, with back-off. It knows no page: it runs in the browser's shared worker or in a page. */

import type { Change } from "../api/types";

export type Connection = "idle" | "connecting" | "live" | "retrying";

/** `break`: events may have been missed, anything may have changed. */
export type Told =
  | { kind: "state"; state: Connection }
  | { kind: "change"; change: Change }
  | { kind: "ping" }
  | { kind: "break" };

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

/** The pause before try number `n` (from 0): doubling, capped, with up to 30 % of chance added. */
export const backOff = (n: number, chance: number = Math.random()): number =>
  Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** n) * (1 + 0.3 * chance);

export class Stream {
  state: Connection = "idle";
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private wanted = "";
  private tries = 0;
  private isBroken = false;

  constructor(private readonly tell: (told: Told) => void) {}

  /** Follows these projects from now on; none ends the stream. The old stream goes when the new one has come. */
  want(projects: Iterable<string>): void {
    const words = new URLSearchParams([...new Set(projects)].sort().map((name) => ["project", name])).toString();
    if (words === this.wanted) return;
    const isFirst = this.wanted === "";
    this.wanted = words;
    this.tries = 0;
    if (words === "") {
      this.close();
      this.isBroken = false;
      this.be("idle");
    } else if (isFirst || this.source === null) this.open();
    else this.open(this.source);
  }

  /** Tries at once, as when the network came back. */
  hurry(): void {
    if (this.wanted !== "" && this.state !== "live") this.open();
  }

  private be(state: Connection): void {
    this.state = state;
    this.tell({ kind: "state", state });
  }

  private close(): void {
    this.source?.close();
    this.source = null;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private open(before: EventSource | null = null): void {
    if (before === null) {
      this.close();
      this.be(this.tries === 0 ? "connecting" : "retrying");
    } else this.source = null;
    const source = new EventSource(`/api/events?${this.wanted}`);
    this.source = source;
    const isOld = (): boolean => this.source !== source;
    source.onopen = () => {
      before?.close();
      if (isOld()) return source.close();
      this.tries = 0;
      this.be("live");
      if (this.isBroken) this.tell({ kind: "break" });
      this.isBroken = false;
    };
    source.onerror = () => {
      before?.close();
      source.close();
      if (isOld()) return;
      this.close();
      this.isBroken = true;
      this.be("retrying");
      this.timer = setTimeout(() => this.open(), backOff(this.tries++));
    };
    source.addEventListener("ping", () => isOld() || this.tell({ kind: "ping" }));
    source.addEventListener("resync", () => this.tell({ kind: "break" }));
    source.addEventListener("change", (event) =>
      this.tell({ kind: "change", change: JSON.parse((event as MessageEvent<string>).data) as Change }));
  }
}
