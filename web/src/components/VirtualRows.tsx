/** A list of any length of which only the rows on the screen exist. Rows have one height. */

import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useKeptScroll } from "./useKeptScroll";

interface Props {
  count: number;
  rowHeight: number;
  overscan?: number;
  label: string;
  header?: ComponentChildren;
  /** Rows that stay in sight, below the header. */
  above?: readonly ComponentChildren[];
  minWidth?: number;
  row: (index: number) => ComponentChildren;
  onRange?: (from: number, to: number) => void;
  /** Another one means that other rows stand at the same places. */
  rangeKey?: unknown;
  /** The name under which its scroll is kept; without one it is not. */
  kept?: string;
}

export function VirtualRows({ count, rowHeight, overscan = 8, label, header, above = [], minWidth = 0, row, onRange, rangeKey, kept = "" }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useKeptScroll(box, kept);
  const top = useSignal(0);
  const height = useSignal(600);

  useEffect(() => {
    const element = box.current!;
    const measure = new ResizeObserver(() => (height.value = element.clientHeight));
    measure.observe(element);
    const scrolled = (): void => {
      // whole rows only: scrolling within a row renders nothing
      top.value = Math.floor(element.scrollTop / rowHeight) * rowHeight;
    };
    element.addEventListener("scroll", scrolled, { passive: true });
    scrolled(); // a kept place was gone to before anybody listened
    return () => {
      measure.disconnect();
      element.removeEventListener("scroll", scrolled);
    };
  }, [rowHeight]);

  const from = Math.max(0, Math.min(count - 1, Math.floor(top.value / rowHeight) - overscan));
  const to = Math.min(count, Math.ceil((top.value + height.value) / rowHeight) + overscan);
  useEffect(() => {
    if (count > 0) onRange?.(from, to - 1);
  }, [from, to, count, rangeKey]);

  const rows = [];
  for (let i = from; i < to; i++) {
    rows.push(
      <div key={i} class="vrow" role="row" aria-rowindex={i + 2} style={{ transform: `translateY(${i * rowHeight}px)`, height: `${rowHeight}px` }}>
        {row(i)}
      </div>,
    );
  }
  return (
    <div class="vlist" ref={box} role="grid" aria-label={label} aria-rowcount={count + 1} tabIndex={0}>
      {header && (
        <div class="vhead" role="rowgroup" style={{ minWidth: `${minWidth}px` }}>
          <div role="row" aria-rowindex={1}>{header}</div>
          {above.map((one, i) => <div key={i} class="vabove" role="row" style={{ height: `${rowHeight}px` }}>{one}</div>)}
        </div>
      )}
      <div class="vbody" role="rowgroup" style={{ height: `${count * rowHeight}px`, minWidth: `${minWidth}px` }}>{rows}</div>
    </div>
  );
}
