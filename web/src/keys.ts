/** Keys that work everywhere on the page. Lists and fields have their own. */

import { helpIsOpen } from "./state/store";
import { undoZoom, zoomTo } from "./state/zoom";
import { go, route, setView, view, type Pane } from "./state/url";

let before: { key: string; time: number } | null = null;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName))
  && (target as HTMLInputElement).type !== "range";

function focus(selector: string): boolean {
  const field = [...document.querySelectorAll<HTMLInputElement>(selector)].find((one) => one.offsetParent !== null);
  field?.focus();
  field?.select();
  return field !== undefined;
}

export function keys(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") (event.target as HTMLElement).blur();
    return;
  }
  if (event.key === "Escape") escape();
  else if (event.key === "/" && (focus("[data-main-search]") || focus(".search input"))) event.preventDefault();
  else if (event.key === "r" && focus(".run-tools .search input")) event.preventDefault();
  else if (event.key === "?") helpIsOpen.value = !helpIsOpen.value;
  else if (event.key === "z" && view.value.zoom !== null) undoZoom();
  else if (event.key === "s" && route.value.page === "workspace") nextPane();
  else if (event.key === "p" && before?.key === "g" && Date.now() - before.time < 1000) go("/");
  else if (event.key === "p") pinCard();
  before = { key: event.key, time: Date.now() };
}

/** Pins the chart that is pointed at or has the focus, or lets it go. */
function pinCard(): void {
  const key = document.querySelector<HTMLElement>(".card[data-metric]:hover, .card[data-metric]:focus-within")?.dataset.metric;
  const { pin } = view.value;
  if (key !== undefined) setView({ pin: pin.includes(key) ? pin.filter((one) => one !== key) : [...pin, key] });
}

function escape(): void {
  const { full, zoom, only } = view.value;
  if (helpIsOpen.value) helpIsOpen.value = false;
  else if (full !== null) setView({ full: null });
  else if (zoom !== null) zoomTo(null);
  else if (only !== null) setView({ only: null });
}

function nextPane(): void {
  const order: Pane[] = ["both", "charts", "runs"];
  setView({ pane: order[(order.indexOf(view.value.pane) + 1) % order.length]! });
}
