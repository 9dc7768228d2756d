/** Asks by a worker for answers of some megabytes, so that no frame waits for them. */

import type { LargeAnswer, LargeAsked } from "./unpack";

interface Waiting { resolve: (answer: LargeAnswer) => void; reject: (error: Error) => void }

let worker: Worker | null = null;
let last = 0;
const waiting = new Map<number, Waiting>();

function started(): Worker {
  const made = new Worker(new URL("./unpack.ts", import.meta.url), { type: "module", name: "outrider-unpack" });
  made.onmessage = ({ data }: MessageEvent<LargeAnswer>) => {
    waiting.get(data.id)?.resolve(data);
    waiting.delete(data.id);
  };
  made.onerror = () => {
    worker = null; // the next question starts another
    for (const [id, one] of waiting) one.resolve({ id, status: 0, date: null, body: {} });
    waiting.clear();
  };
  return made;
}

const over = (): Error => new DOMException("Nobody waits for it any more.", "AbortError");

export function askLarge(path: string, signal?: AbortSignal): Promise<LargeAnswer> {
  const mine = (worker ??= started());
  const id = ++last;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(over());
    waiting.set(id, { resolve, reject });
    signal?.addEventListener("abort", () => {
      waiting.delete(id);
      mine.postMessage({ id } satisfies LargeAsked);
      reject(over());
    }, { once: true });
    mine.postMessage({ id, path } satisfies LargeAsked);
  });
}
