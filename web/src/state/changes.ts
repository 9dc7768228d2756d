/** Passes what the event stream says on to whoever shows something that may have grown. */

import type { Change } from "../api/types";

/** `null`: the connection was broken, anything may have changed. */
type Listener = (change: Change | null) => void;

const listeners = new Set<Listener>();

/** Returns the function that ends the listening. */
export function onChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export const tellChange = (change: Change): void => listeners.forEach((one) => one(change));
export const tellBreak = (): void => listeners.forEach((one) => one(null));
