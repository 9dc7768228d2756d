/** The edge between the run list and the charts: drag it, or move it with the arrow keys. */

import { useEffect, useRef } from "preact/hooks";

const KEY = "outrider.list-width";
const LEAST = 240;

function apply(width: number): number {
  const fit = Math.round(Math.max(LEAST, Math.min(width, innerWidth - 360)));
  document.documentElement.style.setProperty("--list-width", `${fit}px`);
  return fit;
}

function keep(width: number): void {
  try {
    localStorage.setItem(KEY, String(width));
  } catch {
    // the width then lasts for this page only
  }
}

export function Splitter() {
  const width = useRef(400);
  useEffect(() => {
    try {
      const kept = Number(localStorage.getItem(KEY));
      if (kept >= LEAST) width.current = apply(kept);
    } catch {
      // the style sheet's own width stays
    }
  }, []);
  const drag = (event: PointerEvent): void => {
    const edge = event.currentTarget as HTMLElement;
    edge.setPointerCapture(event.pointerId);
    const move = (one: PointerEvent): void => {
      width.current = apply(one.clientX);
    };
    edge.addEventListener("pointermove", move);
    edge.addEventListener("pointerup", () => {
      edge.removeEventListener("pointermove", move);
      keep(width.current);
    }, { once: true });
    event.preventDefault();
  };
  const typed = (event: KeyboardEvent): void => {
    const by = event.key === "ArrowLeft" ? -24 : event.key === "ArrowRight" ? 24 : 0;
    if (by === 0) return;
    width.current = apply(width.current + by);
    keep(width.current);
    event.preventDefault();
  };
  return (
    <div class="splitter" role="separator" aria-orientation="vertical" aria-label="Width of the run list" tabIndex={0}
      aria-valuenow={width.current} onPointerDown={drag} onKeyDown={typed} />
  );
}
