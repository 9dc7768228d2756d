/** An own chart by its keys: from place to place, as the eye would go. */

import type { Hit } from "./OwnCanvas";

/** What can be pointed at, where it is in CSS pixels, and what is said of it. */
export interface Spot { id: string; left: number; top: number; hit: Hit }

/** The places of a chart in the order in which the arrows go: left to right, and top to bottom. */
export interface Spots { across: readonly Spot[]; down: readonly Spot[] }

const FAST = 10;
const WAYS: Readonly<Record<string, readonly [keyof Spots, number]>> = {
  ArrowRight: ["across", 1], ArrowLeft: ["across", -1], ArrowDown: ["down", 1], ArrowUp: ["down", -1],
  Home: ["across", -Infinity], End: ["across", Infinity],
};

/** Where a key leads from the place `at`, or from outside; null where it leads nowhere. */
export function walk(spots: Spots, at: string | null, { key, shiftKey }: Pick<KeyboardEvent, "key" | "shiftKey">): Spot | null {
  const way = WAYS[key];
  if (!way) return null;
  const [order, by] = way;
  const all = spots[order];
  const here = all.findIndex((one) => one.id === at);
  const from = here >= 0 ? here : by > 0 ? -1 : all.length;
  return all[Math.max(0, Math.min(from + by * (shiftKey && here >= 0 ? FAST : 1), all.length - 1))] ?? null;
}

/** In the order of one side; what shares it stands in the order of the other. */
export function inOrder(spots: readonly Spot[], side: "left" | "top"): Spot[] {
  const other = side === "left" ? "top" : "left";
  return [...spots].sort((a, b) => a[side] - b[side] || a[other] - b[other]);
}

/** `run-3: lr 0.1, acc 0.9`. */
export const hitWords = ({ title, facts }: Hit): string => `${title}: ${facts.map(([name, value]) => `${name} ${value}`).join(", ") || "nothing"}`;
