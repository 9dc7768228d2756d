/** The canvases over uPlot's own: all lines on one, the line that stands out on the other. */

import { drawLines, drawLoud, EDGE, type Frame, type Line } from "./draw";
import { makeScale, type Range } from "./scale";

export interface Layers {
  draw(content: { lines: readonly Line[]; x: Range; y: Range }, box: Box): void;
  /** Costs one line, whatever the number of lines: the others are dimmed by the compositor. */
  stress(run: string | null): void;
}

/** Where no GPU draws, the stroke of a long wild line costs by the square of its points: 65 ms for 2,000, 8 ms in pieces. */
const PIECE = 50;

/** The plotting area in canvas pixels, as uPlot tells it. */
export interface Box { left: number; top: number; width: number; height: number }

/** A run's lines, or that of the group it belongs to. */
function linesOf(lines: readonly Line[], run: string): Line[] {
  const own = lines.filter((one) => one.run === run);
  return own.length > 0 ? own : lines.filter((one) => one.members?.has(run));
}

export function makeLayers(before: HTMLElement, { logX, logY }: { logX: boolean; logY: boolean }): Layers {
  const [all, loud] = ["lines", "loud"].map((name) => {
    const canvas = document.createElement("canvas");
    canvas.className = `layer ${name}`;
    before.before(canvas);
    return canvas;
  }) as [HTMLCanvasElement, HTMLCanvasElement];
  let lines: readonly Line[] = [];
  let frame: Frame | null = null;
  let stressed: string | null = null;

  function clear(canvas: HTMLCanvasElement, { left, top, width, height }: Box, ratio: number): CanvasRenderingContext2D {
    const edge = EDGE * ratio;
    const wide = Math.round(width + 2 * edge);
    const high = Math.round(height);
    if (canvas.width !== wide || canvas.height !== high) {
      canvas.width = wide;
      canvas.height = high;
      canvas.style.width = `${wide / ratio}px`;
      canvas.style.height = `${high / ratio}px`;
    }
    canvas.style.left = `${(left - edge) / ratio}px`;
    canvas.style.top = `${top / ratio}px`;
    const ctx = canvas.getContext("2d")!;
    ctx.clearRect(0, 0, wide, high);
    return ctx;
  }

  let box: Box = { left: 0, top: 0, width: 0, height: 0 };
  function redrawLoud(): void {
    const found = stressed === null ? [] : linesOf(lines, stressed);
    all.classList.toggle("is-behind", found.length > 0);
    loud.hidden = found.length === 0;
    if (found.length === 0 || !frame) return;
    const ctx = clear(loud, box, frame.ratio);
    for (const line of found) drawLoud(ctx, line, frame);
  }

  return {
    draw(content, area) {
      if (area.width <= 0 || area.height <= 0) return;
      box = { left: area.left, top: area.top, width: area.width, height: area.height };
      const ratio = devicePixelRatio;
      const left = EDGE * ratio;
      lines = content.lines;
      frame = {
        left, top: 0, width: box.width, height: box.height, ratio, piece: PIECE,
        x: makeScale(content.x, left, left + box.width, logX),
        y: makeScale(content.y, box.height, 0, logY),
      };
      drawLines(clear(all, box, ratio), lines, frame);
      redrawLoud();
    },
    stress(run) {
      if (run === stressed) return;
      stressed = run;
      redrawLoud();
    },
  };
}
