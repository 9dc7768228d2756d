/** The lines of a console that have been fetched, in pages; the last page is asked for again while it grows. */

import { signal } from "@preact/signals";
import { records, type ConsoleLine } from "../../api/records";
import type { ApiError } from "../../api/client";
import { noteAnswer, noteFailure } from "../../state/store";

const PAGE = 400;
const KEPT = 60;

export type Stream = "all" | "out" | "err";

export class Lines {
  readonly total = signal<number | null>(null);
  readonly isOpen = signal(false);
  readonly error = signal<ApiError | null>(null);
  /** Changes whenever a line came. */
  readonly turn = signal(0);
  private readonly pages = new Map<number, ConsoleLine[]>();
  private readonly asked = new Set<number>();
  private readonly control = new AbortController();

  constructor(readonly project: string, readonly run: string, readonly stream: Stream) {}

  line(index: number): ConsoleLine | null {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE] ?? null;
  }

  /** Fetches what is missing of the lines `from` to `to`. */
  need(from: number, to: number): void {
    for (let page = Math.floor(from / PAGE); page <= Math.floor(to / PAGE); page++) {
      const lines = this.pages.get(page);
      const total = this.total.peek();
      const isWhole = lines !== undefined && (lines.length === PAGE || (total !== null && page * PAGE + lines.length >= total));
      if (!isWhole) void this.fetch(page);
    }
  }

  /** Asks how long the console is now, and for its last lines. */
  async grow(): Promise<void> {
    const total = this.total.peek() ?? 0;
    const last = Math.max(0, Math.floor((total - 1) / PAGE));
    await this.fetch(last);
    const now = this.total.peek() ?? 0;
    if (now > (last + 1) * PAGE) await this.fetch(Math.floor((now - 1) / PAGE));
  }

  end(): void {
    this.control.abort();
  }

  private async fetch(page: number): Promise<void> {
    if (this.asked.has(page) || this.control.signal.aborted) return;
    this.asked.add(page);
    try {
      const answer = await records.console(this.project, this.run, {
        line: page * PAGE, limit: PAGE, stream: this.stream === "all" ? null : this.stream,
      }, this.control.signal);
      this.pages.delete(page);
      this.pages.set(page, answer.lines);
      for (const old of this.pages.keys()) {
        if (this.pages.size <= KEPT) break;
        this.pages.delete(old);
      }
      this.total.value = answer.total;
      this.isOpen.value = answer.open;
      this.error.value = null;
      this.turn.value += 1;
      noteAnswer();
    } catch (failure) {
      const shown = noteFailure(failure);
      if (shown) this.error.value = shown;
    } finally {
      this.asked.delete(page);
    }
  }
}
