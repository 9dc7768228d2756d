/** Saves a chart as PNG, SVG or CSV. */

import { palette } from "../theme/theme";
import type { Pen } from "./pen";
import type { Cells, LegendEntry, Picture } from "./picture";
import { SvgPen } from "./svgPen";

const TITLE = 30;
const ROW = 18;
const RATIO = 2; // pixels of a PNG for each CSS pixel

/** The chart with its title above and its legend below, on anything; returns the height that it takes. */
export function paintWhole(pen: Pen, picture: Picture, measure = false): number {
  const { text, surface, axis, font } = palette.peek();
  const columns = Math.max(1, Math.floor((picture.width - 20) / 180));
  const height = TITLE + picture.height + Math.ceil(picture.legend.length / columns) * ROW + 12;
  if (measure) return height;
  pen.globalAlpha = 1;
  pen.fillStyle = surface;
  pen.fillRect(0, 0, picture.width, height);
  pen.fillStyle = text;
  pen.font = `600 13px ${font}`;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  pen.fillText(picture.title, 14, TITLE / 2 + 2);
  picture.paint(new Shifted(pen, TITLE).pen, picture.width, picture.height);
  picture.legend.forEach((entry, i) => {
    const left = 14 + (i % columns) * 180;
    const top = TITLE + picture.height + 6 + Math.floor(i / columns) * ROW + ROW / 2;
    paintLegend(pen, entry, left, top, { axis, font });
  });
  return height;
}

function paintLegend(pen: Pen, { name, colour, isDashed }: LegendEntry, left: number, top: number, { axis, font }: { axis: string; font: string }): void {
  pen.globalAlpha = 1;
  pen.strokeStyle = colour;
  pen.lineWidth = 2.5;
  pen.setLineDash(isDashed ? [4, 2] : []);
  pen.beginPath();
  pen.moveTo(left, top);
  pen.lineTo(left + 14, top);
  pen.stroke();
  pen.setLineDash([]);
  pen.fillStyle = axis;
  pen.font = `11px ${font}`;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  pen.fillText(name.length > 26 ? `${name.slice(0, 25)}…` : name, left + 20, top);
}

/** Draws lower down: the chart does not know of the title above it. */
class Shifted {
  readonly pen: Pen;
  constructor(on: Pen, down: number) {
    this.pen = new Proxy(on, {
      get(target, name) {
        const found = Reflect.get(target, name) as unknown;
        if (typeof found !== "function") return found;
        if (name === "moveTo" || name === "lineTo" || name === "arc" || name === "fillRect" || name === "rect")
          return (x: number, y: number, ...more: number[]) => (found as (...all: number[]) => void).call(target, x, y + down, ...more);
        if (name === "fillText") return (words: string, x: number, y: number) => target.fillText(words, x, y + down);
        return (...all: unknown[]) => (found as (...all: unknown[]) => unknown).apply(target, all);
      },
      set: (target, name, value) => Reflect.set(target, name, value),
    });
  }
}

export function toSvg(picture: Picture): string {
  const pen = new SvgPen();
  const height = paintWhole(pen, picture);
  return pen.document(picture.width, height, picture.title);
}

export async function toPng(picture: Picture): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = picture.width * RATIO;
  const context = canvas.getContext("2d")!;
  canvas.height = paintWhole(context, picture, true) * RATIO;
  context.scale(RATIO, RATIO);
  paintWhole(context, picture);
  return new Promise((found, failed) => canvas.toBlob((blob) => (blob ? found(blob) : failed(new Error("no picture"))), "image/png"));
}

/** As RFC 4180 has it; a cell that a spreadsheet would take for a formula is led by an apostrophe. */
export function toCsv({ head, rows }: Cells): string {
  const cell = (value: string | number | null): string => {
    if (value === null) return "";
    if (typeof value === "number") return String(value);
    const safe = /^[=+\-@\t\r]/.test(value) && !/^-?Infinity$/.test(value) ? `'${value}` : value;
    return /[",\n\r]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
  };
  return [head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

/** A file name that every system takes. */
export const fileName = (title: string, suffix: string): string =>
  `${title.replace(/[^\p{L}\p{N}._-]+/gu, "_").replace(/^[_.]+|_+$/g, "").slice(0, 100) || "chart"}.${suffix}`;

export async function save(picture: Picture, kind: "png" | "svg" | "csv"): Promise<void> {
  const blob = kind === "png" ? await toPng(picture)
    : kind === "svg" ? new Blob([toSvg(picture)], { type: "image/svg+xml" })
    : new Blob([toCsv(picture.cells())], { type: "text/csv" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = fileName(picture.title, kind);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
