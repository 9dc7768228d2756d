/** A canvas of runs: drawn anew when it changes, it says what is under the pointer or where the keys have gone, and opens that run. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Pen } from "../chart/pen";
import { offerPicture, type Cells, type LegendEntry } from "../chart/picture";
import { highlight } from "../state/store";
import { go, runPath } from "../state/url";
import { hitWords, walk, type Spot, type Spots } from "./walk";

export interface Hit { run: string | null; title: string; facts: readonly (readonly [string, string])[] }

/** What can be drawn at any size on anything; `lit` is the run that stands out. */
export interface Drawing {
  paint: (pen: Pen, width: number, height: number, lit: string | null) => void;
  hit: (x: number, y: number, width: number, height: number) => Hit | null;
  /** Where the keys can go; `at` is the place where they are. */
  spots: (at: string | null, width: number, height: number) => Spots;
  cells: () => Cells;
  legend?: readonly LegendEntry[];
}

interface Props { project: string; id: string; cardKey: string; title: string; label: string; height: number; drawing: Drawing }

export function OwnCanvas({ project, id, cardKey, title, label, height, drawing }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useSignal(0);
  const tip = useSignal<{ hit: Hit; left: number; top: number } | null>(null);
  const at = useSignal<{ spot: Spot; index: number; count: number } | null>(null);
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
    if (at.peek() !== null && event.movementX === 0 && event.movementY === 0) return; // the page went under a pointer at rest
    at.value = null;
    const area = canvas.current!.getBoundingClientRect();
    const hit = latest.current.hit(event.clientX - area.left, event.clientY - area.top, width.peek(), height);
    tip.value = hit && { hit, left: event.clientX, top: event.clientY };
    highlight.value = hit?.run ?? null;
  };
  const left = (): void => {
    at.value = null;
    tip.value = null;
    highlight.value = null;
  };
  const stand = (spot: Spot, { down }: Spots): void => {
    const area = canvas.current!.getBoundingClientRect();
    at.value = { spot, index: down.findIndex((one) => one.id === spot.id) + 1, count: down.length };
    tip.value = { hit: spot.hit, left: area.left + spot.left, top: area.top + spot.top };
    highlight.value = spot.hit.run;
  };
  // what the keys stand on may have moved, or gone
  useEffect(() => {
    const before = at.peek()?.spot.id;
    if (before === undefined) return;
    const spots = drawing.spots(before, width.peek(), height);
    const found = spots.down.find((one) => one.id === before);
    if (found) stand(found, spots);
    else left();
  }, [drawing, height, width.value]);
  const open = (): void => {
    const to = tip.peek()?.hit.run ?? null;
    if (to !== null) go(runPath(project, to));
  };
  const typed = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && at.peek() !== null) left();
    else if (event.key === "Enter") open();
    else {
      const before = at.peek()?.spot.id ?? null;
      const spots = latest.current.spots(before, width.peek(), height);
      const next = walk(spots, before, event);
      if (next === null) return;
      stand(next, next.id === before ? spots : latest.current.spots(next.id, width.peek(), height));
    }
    event.preventDefault();
  };
  const run = tip.value?.hit.run ?? null;
  const here = at.value;
  return (
    <div class={`chart own-chart ${run !== null ? "is-pointed" : ""}`} ref={host} role="slider" tabIndex={0} aria-label={label}
      aria-valuemin={0} aria-valuemax={here?.count ?? 0} aria-valuenow={here?.index ?? 0}
      aria-valuetext={here ? hitWords(here.spot.hit) : "The arrow keys go from place to place"}
      style={{ height: `${height}px` }} onKeyDown={typed} onBlur={() => at.peek() !== null && left()}
      onPointerMove={pointed} onPointerLeave={() => at.peek() === null && left()} onClick={open}>
      <canvas ref={canvas} />
      {here && <span class="own-spot" style={{ left: `${here.spot.left}px`, top: `${here.spot.top}px` }} />}
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
