/** A chart by its keys: the crosshair goes along x, and the window is halved or doubled round it. */

/** In shares of the plot's width: where the crosshair is then, or which window is shown. */
export type Keyed = { at: number } | { window: readonly [number, number] } | null;

const MIDDLE = 0.5;
const NEAR = 0.01;
const FAR = 0.1;

/** `at` is where the crosshair stands, or null where there is none. */
export function keyed({ key, shiftKey }: Pick<KeyboardEvent, "key" | "shiftKey">, at: number | null): Keyed {
  const from = at ?? MIDDLE;
  const by = shiftKey ? FAR : NEAR;
  if (key === "ArrowLeft") return { at: Math.max(0, from - by) };
  if (key === "ArrowRight") return { at: Math.min(1, from + by) };
  if (key === "Home") return { at: 0 };
  if (key === "End") return { at: 1 };
  // both leave the crosshair where it is on the screen
  if (key === "+" || key === "=") return { window: [from / 2, (1 + from) / 2] };
  if (key === "-") return { window: [-from, 2 - from] };
  return null;
}
