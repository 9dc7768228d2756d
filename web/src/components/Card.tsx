/** The frame of a chart: its title, its tools, and the edges by which it is moved and resized. */

import type { ComponentChildren } from "preact";
import { signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { HEIGHTS, MOST_SPAN, settingOf, withMove, withSetting } from "../state/cards";
import { setView, view } from "../state/url";
import { Icon } from "./Icon";
import { Menu } from "./Menu";
import { NEAR } from "./near";
import { Lazy } from "../run/Lazy";
import { PINNED } from "./sections";

const loadMenu = () => import("./CardMenu");

/** Where a card stands: its section, the cards of it in their order, and how many columns there are. */
export interface CardPlace { section: string; order: readonly string[]; columns: number }

interface Props {
  cardKey: string;
  /** The whole name, for people who do not see the section. */
  label: string;
  title: string;
  place: CardPlace | null;
  height: number;
  children: (height: number) => ComponentChildren;
}

const dragged = signal<{ key: string; section: string } | null>(null);

/** Moves a card before another one of its section ("" is the end). */
export function moveCard(key: string, before: string, section: string): void {
  if (section === `\0${PINNED}`) {
    const pin = view.value.pin.filter((one) => one !== key);
    pin.splice(before === "" ? pin.length : pin.indexOf(before), 0, key);
    setView({ pin });
  } else setView({ moves: withMove(view.value.moves, [key, before]) });
}

export function Card({ cardKey, label, title, place, height, children }: Props) {
  const card = useRef<HTMLElement>(null);
  const isNear = useSignal(false);
  const side = useSignal<"" | "before" | "after">("");
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => (isNear.value = entries.at(-1)!.isIntersecting), NEAR);
    observer.observe(card.current!);
    return () => observer.disconnect();
  }, []);
  const { pin, cards } = view.value;
  const setting = settingOf(cards, cardKey);
  const isFull = place === null;
  const tall = isFull ? height : (setting.height ?? height);
  const span = isFull ? 1 : Math.min(setting.span ?? 1, place.columns);
  const isPinned = pin.includes(cardKey);

  const over = (event: DragEvent): void => {
    if (!place || dragged.value?.section !== place.section || dragged.value.key === cardKey) return;
    event.preventDefault();
    const { left, width } = card.current!.getBoundingClientRect();
    side.value = event.clientX < left + width / 2 ? "before" : "after";
  };
  const drop = (event: DragEvent): void => {
    if (!place || side.value === "" || !dragged.value) return;
    event.preventDefault();
    const others = place.order.filter((one) => one !== dragged.value!.key);
    const before = side.value === "before" ? cardKey : (others[others.indexOf(cardKey) + 1] ?? "");
    moveCard(dragged.value.key, before, place.section);
    side.value = "";
  };
  return (
    <article class={`card ${side.value ? `drop-${side.value}` : ""} ${dragged.value?.key === cardKey && place ? "is-dragged" : ""}`} ref={card}
      aria-label={label} data-metric={cardKey} style={{ gridColumn: span > 1 ? `span ${span}` : "" }}
      onDragOver={over} onDragLeave={() => (side.value = "")} onDrop={drop}>
      <header class="card-head" draggable={!isFull}
        onDragStart={(event) => {
          if (!place) return;
          event.dataTransfer?.setData("text/plain", label);
          dragged.value = { key: cardKey, section: place.section };
        }}
        onDragEnd={() => (dragged.value = null)}>
        <h3 class="clip" title={label}>{title}</h3>
        <span class="card-tools">
          <button class="button button-quiet button-small" aria-pressed={isPinned} aria-label={`${isPinned ? "Unpin" : "Pin"} ${label}`}
            title={isPinned ? "Unpin" : "Pin on top"}
            onClick={() => setView({ pin: isPinned ? pin.filter((one) => one !== cardKey) : [...pin, cardKey] })}><Icon name="pin" size={14} /></button>
          {!isFull && <button class="button button-quiet button-small" aria-label={`Enlarge ${label}`} title="Enlarge"
            onClick={() => setView({ full: cardKey }, { push: true })}><Icon name="expand" size={14} /></button>}
          <Menu label={`Settings of ${label}`} align="end" isSmall button={<Icon name="more" size={14} />}>
            <Lazy load={loadMenu} cardKey={cardKey} place={place} />
          </Menu>
          {isFull && <button class="button button-quiet button-small" aria-label={`Close ${label}`} title="Close (esc)" onClick={() => setView({ full: null })}><Icon name="close" size={14} /></button>}
        </span>
      </header>
      {isNear.value ? children(tall) : <div class="chart" style={{ height: `${tall}px` }} />}
      {place && <Grip cardKey={cardKey} label={label} tall={tall} span={span} columns={place.columns} card={card} />}
    </article>
  );
}

interface GripProps { cardKey: string; label: string; tall: number; span: number; columns: number; card: { current: HTMLElement | null } }

/** The corner that resizes: by the pointer, or by the arrow keys. */
function Grip({ cardKey, label, tall, span, columns, card }: GripProps) {
  const set = (height: number, wide: number): void => setView({
    cards: withSetting(view.peek().cards, cardKey, {
      height: Math.round(Math.min(HEIGHTS.most, Math.max(HEIGHTS.least, height))),
      span: Math.min(MOST_SPAN, columns, Math.max(1, wide)),
    }),
  });
  const pressed = (event: PointerEvent): void => {
    event.preventDefault();
    const grip = event.currentTarget as HTMLElement;
    grip.setPointerCapture(event.pointerId);
    const from = { x: event.clientX, y: event.clientY, one: card.current!.getBoundingClientRect().width / span };
    const move = (to: PointerEvent): void => set(tall + to.clientY - from.y, Math.round(span + (to.clientX - from.x) / from.one));
    grip.addEventListener("pointermove", move);
    grip.addEventListener("lostpointercapture", () => grip.removeEventListener("pointermove", move), { once: true });
  };
  const typed = (event: KeyboardEvent): void => {
    const steps: Record<string, [number, number]> = { ArrowDown: [20, 0], ArrowUp: [-20, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    set(tall + step[0], span + step[1]);
  };
  return (
    <span class="grip" role="separator" tabIndex={0} aria-label={`Size of ${label}`} aria-valuenow={tall} aria-valuemin={HEIGHTS.least}
      aria-valuemax={HEIGHTS.most} title="Drag to resize; double-click for the usual size" onPointerDown={pressed} onKeyDown={typed}
      onDblClick={() => setView({ cards: withSetting(view.peek().cards, cardKey, { height: null, span: null }) })} />
  );
}
