/** The media that were logged under a key: fetched when first seen, and what is new when they grow. */

import { signal, type Signal } from "@preact/signals";
import type { ApiError } from "../../api/client";
import { records, type MediaItem } from "../../api/records";
import { noteAnswer, noteFailure } from "../../state/store";

const PAGE = 500;
const MOST = 10_000;

/** What one key holds, by step; of several records at one step the last one stands. */
export class Series {
  readonly items: Signal<readonly MediaItem[]> = signal([]);
  readonly isReady = signal(false);
  readonly isCut = signal(false);
  readonly error = signal<ApiError | null>(null);
  private busy = false;
  private again = false;
  private readonly control = new AbortController();

  constructor(readonly project: string, readonly run: string, readonly key: string) {}

  async load(): Promise<void> {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    try {
      const found = new Map<number, MediaItem>();
      let after: string | null = null;
      let count = 0;
      do {
        const answer = await records.media(this.project, this.run, { key: this.key, after, limit: PAGE }, this.control.signal);
        for (const item of answer.media) found.set(item.step, item);
        after = answer.next;
        count += answer.media.length;
      } while (after !== null && count < MOST);
      this.items.value = [...found.values()].sort((a, b) => a.step - b.step);
      this.isCut.value = after !== null;
      this.isReady.value = true;
      this.error.value = null;
      noteAnswer();
    } catch (failure) {
      const shown = noteFailure(failure);
      if (shown) this.error.value = shown;
    } finally {
      this.busy = false;
      if (this.again) {
        this.again = false;
        void this.load();
      }
    }
  }

  end(): void {
    this.control.abort();
  }
}

/** The item at a step or, where there is none, the last one before it; null: the last of all. */
export function itemAt(items: readonly MediaItem[], step: number | null): MediaItem | null {
  if (items.length === 0) return null;
  if (step === null) return items[items.length - 1]!;
  let low = -1;
  let high = items.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (items[middle]!.step <= step) low = middle;
    else high = middle - 1;
  }
  return low < 0 ? null : items[low]!;
}
