/** Where something was scrolled to is kept in the tab: a reload and a return show the same place. */

import type { RefObject } from "preact";
import { effect } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import { route } from "../state/url";

const PATIENCE_MS = 10_000;
const SETTLED_MS = 200;

/** A page that was opened anew begins at its top; one that was reloaded, or that one came back to, does not. */
let isNew = performance.getEntriesByType("navigation").every((one) => (one as PerformanceNavigationTiming).type === "navigate");
const opened = location.pathname;
effect(() => {
  if (route.value && location.pathname !== opened) isNew = false;
});

export function useKeptScroll(box: RefObject<HTMLElement | null>, name: string): void {
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || name === "") return;
    const place = placeOf(name);
    let wanted = keptPlace(name);
    let top = wanted;
    const end = performance.now() + PATIENCE_MS;
    let frame = 0;
    const restore = (): void => {
      if (wanted > 0 && element.scrollHeight - element.clientHeight < wanted && performance.now() < end)
        frame = requestAnimationFrame(restore); // what belongs there is still on its way
      else {
        element.scrollTop = wanted;
        wanted = 0;
      }
    };
    restore();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const scrolled = (): void => {
      if (wanted > 0) return;
      top = element.scrollTop;
      clearTimeout(timer);
      timer = setTimeout(keep, SETTLED_MS);
    };
    const keep = (): void => {
      clearTimeout(timer);
      write(place, top);
    };
    const taken = (): void => void (wanted = 0); // who scrolls meanwhile is not pulled away
    element.addEventListener("scroll", scrolled, { passive: true });
    element.addEventListener("wheel", taken, { passive: true });
    element.addEventListener("pointerdown", taken);
    element.addEventListener("keydown", taken);
    addEventListener("pagehide", keep);
    return () => {
      cancelAnimationFrame(frame);
      keep();
      element.removeEventListener("scroll", scrolled);
      element.removeEventListener("wheel", taken);
      element.removeEventListener("pointerdown", taken);
      element.removeEventListener("keydown", taken);
      removeEventListener("pagehide", keep);
    };
  }, [name]);
}

/** For what does not scroll by pixels: what was kept under a name, or 0; nothing on a page that was opened anew. */
export const keptPlace = (name: string): number => (isNew ? 0 : read(placeOf(name)));
export const keepPlace = (name: string, at: number): void => write(placeOf(name), at);

const placeOf = (name: string): string => `outrider.scroll:${name}`;

function read(place: string): number {
  try {
    return Number(sessionStorage.getItem(place)) || 0;
  } catch {
    return 0;
  }
}

function write(place: string, top: number): void {
  try {
    if (top > 0) sessionStorage.setItem(place, String(Math.round(top)));
    else sessionStorage.removeItem(place);
  } catch {
    // a full or forbidden storage only costs the convenience
  }
}
