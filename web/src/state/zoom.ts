/** Zooming can be undone step by step, beside the browser's own back button. */

import { signal } from "@preact/signals";
import { setView, view, type Zoom } from "./url";

const before = signal<readonly (Zoom | null)[]>([]);
const MOST = 50;

/** Shows a window of x in every chart; null shows everything. */
export function zoomTo(zoom: Zoom | null): void {
  before.value = [...before.value, view.peek().zoom].slice(-MOST);
  setView({ zoom }, { push: true });
}

/** Goes back to the window before the last zoom, or to everything. */
export function undoZoom(): void {
  const zoom = before.value.at(-1) ?? null;
  before.value = before.value.slice(0, -1);
  setView({ zoom }, { push: true });
}

/** Another x axis has other windows. */
export const forgetZooms = (): void => void (before.value = []);
