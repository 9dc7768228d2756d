/** Charts that are on the page and can be exported: each says how it is drawn and what is in it. */

import type { Pen } from "./pen";

export interface LegendEntry { name: string; colour: string; isDashed?: boolean }
export interface Cells { head: readonly string[]; rows: readonly (readonly (string | number | null)[])[] }

/** A chart as it stands: its size in CSS pixels, a way to draw it on anything, and its values. */
export interface Picture {
  title: string;
  width: number;
  height: number;
  legend: readonly LegendEntry[];
  paint(pen: Pen, width: number, height: number): void;
  cells(): Cells;
}

const pictures = new Map<string, { key: string; take: () => Picture | Promise<Picture> }>();

/** A chart is on the page under `id`; returns the function that takes it away. */
export function offerPicture(id: string, key: string, take: () => Picture | Promise<Picture>): () => void {
  const offer = { key, take };
  pictures.set(id, offer);
  return () => {
    if (pictures.get(id) === offer) pictures.delete(id);
  };
}

/** The last chart of this metric or own chart that came onto the page (full screen comes before its card). */
export function pictureOf(key: string): (() => Picture | Promise<Picture>) | null {
  return [...pictures.values()].filter((one) => one.key === key).at(-1)?.take ?? null;
}
