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
      const answer = await records.search(this.project, this.run, {
        q: this.text, from: this.from, limit: TOGETHER, stream: this.stream === "all" ? null : this.stream,
      }, this.control.signal);
      this.places.value = [...this.places.peek(), ...answer.matches.map((one) => one.n)];
      this.from = answer.next;
      this.isDone.value = answer.next === null;
      this.error.value = null;
      noteAnswer();
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
