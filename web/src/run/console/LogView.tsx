/**
 * Lines of one height, any number of them: only those on the screen exist.
 *
 * A browser cannot make an element as high as a million lines. Beyond `TALLEST` the scroll bar stands for shares of
 * the whole: short scrolls move line by line, far ones jump, and when the hand rests the bar is put to where the lines are.
 */

import type { ComponentChild } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

const TALLEST = 8_000_000;
const OVERSCAN = 20;
const REST_MS = 160;

interface Props {
  label: string;
  total: number;
  rowHeight: number;
  row: (index: number) => ComponentChild;
  /** Where to go: a change of `turn` scrolls line `line` to the top (`end`: the last one to the bottom). */
  goal: { line: number | "end"; turn: number };
  /** Whether the end is kept in sight while lines come. */
  isFollowing: boolean;
  /** The user scrolled: the first line that is seen, and whether the last one is. */
  onScrolled: (first: number, isAtEnd: boolean) => void;
  onRange: (from: number, to: number) => void;
  onKey?: (event: KeyboardEvent) => void;
}

export function LogView({ label, total, rowHeight, row, goal, isFollowing, onScrolled, onRange, onKey }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const view = useSignal({ first: 0, base: 0, height: 600 });
  const own = useRef({ last: 0, expected: null as number | null, timer: undefined as ReturnType<typeof setTimeout> | undefined, total: 0 });
  own.current.total = total;
  const tall = Math.min(total * rowHeight, TALLEST);
  const isScaled = total * rowHeight > TALLEST;

  const put = (first: number): void => {
    const element = box.current!;
    const height = element.clientHeight;
    const most = Math.max(0, own.current.total - height / rowHeight);
    const at = Math.max(0, Math.min(first, most));
    const room = Math.max(0, Math.min(own.current.total * rowHeight, TALLEST) - height);
    const scrollTop = own.current.total * rowHeight > TALLEST ? Math.round(most === 0 ? 0 : (at / most) * room) : at * rowHeight;
    element.scrollTop = scrollTop;
    own.current.last = own.current.expected = element.scrollTop;
    view.value = { first: at, base: own.current.total * rowHeight > TALLEST ? element.scrollTop - at * rowHeight : 0, height };
  };

  useEffect(() => {
    const element = box.current!;
    const measure = new ResizeObserver(() => (view.value = { ...view.peek(), height: element.clientHeight }));
    measure.observe(element);
    return () => {
      measure.disconnect();
      clearTimeout(own.current.timer);
    };
  }, []);

  useLayoutEffect(() => put(goal.line === "end" ? total : goal.line), [goal.turn]);
  useLayoutEffect(() => {
    if (isFollowing) put(total);
    else if (isScaled) put(view.peek().first);
  }, [total, isFollowing, view.value.height]);

  const scrolled = (): void => {
    const element = box.current!;
    const { scrollTop, clientHeight } = element;
    const moved = scrollTop - own.current.last;
    own.current.last = scrollTop;
    const isOurs = own.current.expected !== null && Math.abs(scrollTop - own.current.expected) < 1;
    own.current.expected = null;
    if (isOurs) return;
    const most = Math.max(0, total - clientHeight / rowHeight);
    let { base } = view.peek();
    let first = (scrollTop - base) / rowHeight;
    if (isScaled && Math.abs(moved) > 3 * clientHeight) {
      first = (scrollTop / Math.max(1, element.scrollHeight - clientHeight)) * most;
      base = scrollTop - first * rowHeight;
    }
    first = Math.max(0, Math.min(first, most));
    if (isScaled) base = scrollTop - first * rowHeight;
    view.value = { first, base: isScaled ? base : 0, height: clientHeight };
    onScrolled(Math.floor(first + 0.01), first >= most - 0.5);
    if (!isScaled) return;
    clearTimeout(own.current.timer);
    // at an end of the bar there is no way on: it is put right at once
    const atEdge = scrollTop <= 0 || scrollTop >= element.scrollHeight - clientHeight - 1;
    own.current.timer = setTimeout(() => put(view.peek().first), atEdge ? 0 : REST_MS);
  };

  const { first, base, height } = view.value;
  const from = Math.max(0, Math.floor(first) - OVERSCAN);
  const to = Math.min(total, Math.ceil(first + height / rowHeight) + OVERSCAN);
  useEffect(() => {
    if (to > from) onRange(from, to - 1);
  }, [from, to]);
  const rows = [];
  for (let i = from; i < to; i++) rows.push(<div key={i} class="log-row" style={{ height: `${rowHeight}px` }}>{row(i)}</div>);
  return (
    <div class="log" ref={box} role="log" aria-live="off" aria-label={label} tabIndex={0} onScroll={scrolled} onKeyDown={onKey}>
      <div class="log-tall" style={{ height: `${tall}px` }}>
        <div class="log-rows" style={{ transform: `translateY(${base + from * rowHeight}px)` }}>{rows}</div>
      </div>
    </div>
  );
}
