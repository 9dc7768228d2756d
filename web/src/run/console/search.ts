/** A search through a console: the server looks, by a regular expression; places come page by page. */

import { signal } from "@preact/signals";
import { ApiError } from "../../api/client";
import { records } from "../../api/records";
import { noteAnswer, noteFailure } from "../../state/store";
import type { Stream } from "./lines";

const TOGETHER = 500;

export class Search {
  readonly places = signal<readonly number[]>([]);
  readonly isDone = signal(false);
  readonly isBusy = signal(false);
  /** How much of the console has been looked through, from 0 to 1. */
  readonly share = signal(0);
  readonly error = signal<string | null>(null);
  readonly pattern: RegExp | null;
  private from: number | null = 0;
  private readonly control = new AbortController();

  constructor(readonly project: string, readonly run: string, readonly stream: Stream, readonly text: string) {
    this.pattern = compile(text);
  }

  /** Finds the next places, behind those that are known. */
  async more(): Promise<void> {
    if (this.isBusy.peek() || this.from === null || this.control.signal.aborted) return;
    this.isBusy.value = true;
    try {
      // an answer stops after a second: without a match yet, the search goes on
      for (let found = 0; found === 0 && this.from !== null; ) {
        const answer = await records.search(this.project, this.run, { q: this.text, from: this.from, limit: TOGETHER }, this.control.signal);
        const matches = answer.matches.filter((one) => this.stream === "all" || one.o === this.stream);
        this.places.value = [...this.places.peek(), ...matches.map((one) => one.n)];
        this.from = answer.next;
        this.share.value = answer.next === null ? 1 : answer.next / Math.max(1, answer.total);
        found = matches.length;
        noteAnswer();
      }
      this.isDone.value = this.from === null;
      this.error.value = null;
    } catch (failure) {
      const shown = noteFailure(failure);
      if (shown) this.error.value = shown instanceof ApiError && shown.hint ? `${shown.message} ${shown.hint}` : shown.message;
    } finally {
      this.isBusy.value = false;
    }
  }

  end(): void {
    this.control.abort();
  }
}

/** The same expression in the browser's dialect, to mark places; null where that is not possible. */
function compile(text: string): RegExp | null {
  const flags = /^\(\?([a-z]+)\)/.exec(text);
  try {
    return new RegExp(flags ? text.slice(flags[0].length) : text, flags?.[1]?.includes("i") ? "gi" : "g");
  } catch {
    return null;
  }
}
