/** A canvas of runs: drawn anew when it changes, it says what is under the pointer and opens a run when clicked. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Pen } from "../chart/pen";
import { offerPicture, type Cells, type LegendEntry } from "../chart/picture";
import { highlight } from "../state/store";
import { go, runPath } from "../state/url";

export interface Hit { run: string | null; title: string; facts: readonly (readonly [string, string])[] }

/** What can be drawn at any size on anything; `lit` is the run that stands out. */
export interface Drawing {
  paint: (pen: Pen, width: number, height: number, lit: string | null) => void;
  hit: (x: number, y: number, width: number, height: number) => Hit | null;
  cells: () => Cells;
  legend?: readonly LegendEntry[];
}

interface Props { project: string; id: string; cardKey: string; title: string; label: string; height: number; drawing: Drawing }

export function OwnCanvas({ project, id, cardKey, title, label, height, drawing }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useSignal(0);
  const tip = useSignal<{ hit: Hit; left: number; top: number } | null>(null);
  const latest = useRef(drawing);
  latest.current = drawing;
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => (width.value = Math.round(entry!.contentRect.width)));
    observer.observe(host.current!);
    return () => {
      observer.disconnect();
      if (tip.peek()?.hit.run) highlight.value = null;
    };
  }, []);
  const draw = (lit: string | null): void => {
    const element = canvas.current;
    if (!element || width.peek() < 40) return;
    const ratio = devicePixelRatio;
    element.width = width.peek() * ratio;
    element.height = height * ratio;
    element.style.width = `${width.peek()}px`;
    element.style.height = `${height}px`;
    const context = element.getContext("2d")!;
    context.scale(ratio, ratio);
    latest.current.paint(context, width.peek(), height, lit);
  };
  useEffect(() => draw(highlight.peek()), [drawing, height, width.value]);
  useSignalEffect(() => draw(highlight.value));
  useEffect(() => offerPicture(id, cardKey, () => ({
    title, width: width.peek() || 600, height, legend: latest.current.legend ?? [],
    paint: (pen, wide, high) => latest.current.paint(pen, wide, high, null), cells: () => latest.current.cells(),
  })), [id, cardKey, title, height]);
  const pointed = (event: PointerEvent): void => {
    const area = canvas.current!.getBoundingClientRect();
    const hit = latest.current.hit(event.clientX - area.left, event.clientY - area.top, width.peek(), height);
    tip.value = hit && { hit, left: event.clientX, top: event.clientY };
    highlight.value = hit?.run ?? null;
  };
  const left = (): void => {
    tip.value = null;
    highlight.value = null;
  };
  const run = tip.value?.hit.run ?? null;
  return (
    <div class={`chart own-chart ${run !== null ? "is-pointed" : ""}`} ref={host} role="img" aria-label={label} style={{ height: `${height}px` }}
      onPointerMove={pointed} onPointerLeave={left} onClick={() => run !== null && go(runPath(project, run))}>
      <canvas ref={canvas} />
      {tip.value && <Tip {...tip.value} />}
    </div>
  );
}

function Tip({ hit, left, top }: { hit: Hit; left: number; top: number }) {
  const isRight = left < innerWidth - 300;
  return (
    <div class="hover" role="tooltip" style={{ transform: `translate(${isRight ? left + 14 : left - 294}px, ${Math.min(top + 10, innerHeight - 60 - 20 * hit.facts.length)}px)`, maxWidth: "280px" }}>
      <div class="hover-head"><span class="clip">{hit.title}</span></div>
      <table><tbody>{hit.facts.map(([name, value]) => <tr key={name}><td class="hover-name"><span class="clip">{name}</span></td><td class="hover-value">{value}</td></tr>)}</tbody></table>
    </div>
  );
}
