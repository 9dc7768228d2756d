/** A button that opens a small panel. Closes on escape, on a click elsewhere, and gives the focus back. */

import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

interface Props { label: string; button: ComponentChildren; children: ComponentChildren; align?: "start" | "end"; isActive?: boolean; isSmall?: boolean }

export function Menu({ label, button, children, align = "start", isActive = false, isSmall = false }: Props) {
  const isOpen = useSignal(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen.value) return;
    const pressed = (event: PointerEvent): void => {
      if (!root.current?.contains(event.target as Node)) isOpen.value = false;
    };
    const typed = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      isOpen.value = false;
      root.current?.querySelector("button")?.focus();
    };
    addEventListener("pointerdown", pressed);
    // wherever the focus is: what was pressed in the panel may be gone
    addEventListener("keydown", typed, true);
    root.current?.querySelector<HTMLElement>(".menu-panel input, .menu-panel button")?.focus();
    return () => {
      removeEventListener("pointerdown", pressed);
      removeEventListener("keydown", typed, true);
    };
  }, [isOpen.value]);
  return (
    <div class="menu" ref={root}>
      <button class={`button button-quiet ${isSmall ? "button-small" : ""} ${isActive ? "is-active" : ""}`} aria-label={label} title={label} aria-haspopup="true"
        aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
        {button}
      </button>
      {isOpen.value && <div class={`menu-panel menu-${align}`} role="group" aria-label={label}>{children}</div>}
    </div>
  );
}
