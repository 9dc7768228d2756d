/** The lines of a console that have been fetched: pages of all of it, or all lines of one stream as far as they were read. */

import { signal } from "@preact/signals";
import type { ApiError } from "../../api/client";
import { records, type ConsoleAnswer, type ConsoleLine } from "../../api/records";
import { noteAnswer, noteFailure } from "../../state/store";

export type Stream = "all" | "out" | "err";

const PAGE = 400;
const KEPT = 60;
/** Progress bars change lines that are not the last: so many are asked for again while the run prints. */
const UNSETTLED = 40;
const FILTER_PAGE = 2000;
const MOST_FILTERED = 300_000;

abstract class Lines {
  readonly total = signal<number | null>(null);
  readonly isOpen = signal(false);
  readonly error = signal<ApiError | null>(null);
  /** Changes whenever a line came. */
  readonly turn = signal(0);
  /** What else there is to say, such as how far a filter has read. */
  readonly note = signal("");
  protected readonly control = new AbortController();

  constructor(readonly project: string, readonly run: string) {}

  abstract line(index: number): ConsoleLine | null;
  /** Where the line of a number is in this list. */
  abstract indexOf(n: number): number;
  /** Fetches what is missing of the lines `from` to `to`. */
  abstract need(from: number, to: number): void;
  /** Asks how long the console is now, and for its last lines. */
  abstract grow(): Promise<void>;

  end(): void {
    this.control.abort();
  }

  protected ask(line: number, limit: number, stream: Stream): Promise<ConsoleAnswer> {
    return records.console(this.project, this.run, { line, limit, stream: stream === "all" ? null : stream }, this.control.signal);
  }

  protected failed(failure: unknown): void {
    const shown = noteFailure(failure);
    if (shown) this.error.value = shown;
  }

  protected arrived(): void {
    this.error.value = null;
    this.turn.value += 1;
    noteAnswer();
  }
}

/** Every line: pages are fetched where one looks. */
export class AllLines extends Lines {
  private readonly pages = new Map<number, ConsoleLine[]>();
  private readonly asked = new Set<number>();

  line(index: number): ConsoleLine | null {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE] ?? null;
  }

  indexOf(n: number): number {
    return n;
  }

  need(from: number, to: number): void {
    for (let page = Math.floor(from / PAGE); page <= Math.floor(to / PAGE); page++) {
      const lines = this.pages.get(page);
      const total = this.total.peek();
      const isWhole = lines !== undefined && (lines.length === PAGE || (total !== null && page * PAGE + lines.length >= total));
      if (!isWhole) void this.fetch(page);
    }
  }

  async grow(): Promise<void> {
    const total = this.total.peek();
    if (total === null) await this.fetch(0);
    const before = total ?? this.total.peek() ?? 0;
    for (let page = Math.floor(Math.max(0, before - UNSETTLED) / PAGE); ; page++) {
      await this.fetch(page);
      if ((page + 1) * PAGE >= (this.total.peek() ?? 0)) return;
      // far behind: only the last page is wanted
      page = Math.max(page, Math.floor(Math.max(0, (this.total.peek() ?? 0) - UNSETTLED) / PAGE) - 1);
      if (this.error.peek() || this.control.signal.aborted) return;
    }
  }

  private async fetch(page: number): Promise<void> {
    if (this.asked.has(page) || this.control.signal.aborted) return;
    this.asked.add(page);
    try {
      const lines: ConsoleLine[] = [];
      let next: number | null = page * PAGE;
      let answer: ConsoleAnswer | null = null;
      // an answer of very long lines is cut: the page goes on where it ended
      while (next !== null && next < (page + 1) * PAGE) {
        answer = await this.ask(next, (page + 1) * PAGE - next, "all");
        lines.push(...answer.lines);
        next = answer.next;
      }
      this.pages.delete(page);
      this.pages.set(page, lines);
      for (const old of this.pages.keys()) {
        if (this.pages.size <= KEPT) break;
        this.pages.delete(old);
      }
      if (answer) {
        this.total.value = answer.total;
        this.isOpen.value = answer.open;
      }
      this.arrived();
    } catch (failure) {
      this.failed(failure);
    } finally {
      this.asked.delete(page);
    }
  }
}

/** The lines of one stream, read through from the beginning. */
export class StreamLines extends Lines {
  private lines: ConsoleLine[] = [];
  private from: number | null = 0;
  private busy = false;

  constructor(project: string, run: string, readonly stream: "out" | "err") {
    super(project, run);
  }

  line(index: number): ConsoleLine | null {
    return this.lines[index] ?? null;
  }

  indexOf(n: number): number {
    let low = 0;
    let high = this.lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.lines[middle]!.n < n) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  need(): void {
    // everything is being read anyway
  }

  async grow(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    const settled = Math.max(0, this.lines.length - UNSETTLED);
    this.from = this.lines[settled]?.n ?? this.from ?? 0;
    this.lines = this.lines.slice(0, settled);
    try {
      while (this.from !== null && this.lines.length < MOST_FILTERED && !this.control.signal.aborted) {
        const answer: ConsoleAnswer = await this.ask(this.from, FILTER_PAGE, this.stream);
        this.lines.push(...answer.lines);
        this.from = answer.next;
        this.total.value = this.lines.length;
        this.isOpen.value = answer.open;
        this.note.value = answer.next === null ? "" : this.lines.length < MOST_FILTERED
          ? `${Math.floor((100 * answer.next) / Math.max(1, answer.total))} % read` : `the first ${MOST_FILTERED.toLocaleString("en-US")}`;
        this.arrived();
      }
    } catch (failure) {
      this.failed(failure);
    } finally {
      this.busy = false;
    }
  }
}

export type AnyLines = AllLines | StreamLines;

export const linesOf = (project: string, run: string, stream: Stream): AnyLines =>
  stream === "all" ? new AllLines(project, run) : new StreamLines(project, run, stream);
