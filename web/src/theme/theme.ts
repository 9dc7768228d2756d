/** The theme: the system's, or the one that was chosen. Charts read their colours from the same custom properties. */

import { computed, effect, signal } from "@preact/signals";
import { SLOTS } from "../state/colours";

export type Choice = "system" | "light" | "dark";

const KEY = "outrider.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(system.matches);
system.addEventListener("change", (event) => (systemIsDark.value = event.matches));

const chosen = document.documentElement.dataset.theme;
export const choice = signal<Choice>(chosen === "light" || chosen === "dark" ? chosen : "system");
export const isDark = computed(() => (choice.value === "system" ? systemIsDark.value : choice.value === "dark"));

effect(() => {
  if (choice.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice.value;
});

export function chooseTheme(next: Choice): void {
  choice.value = next;
  try {
    if (next === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // the choice then lasts for this page only
  }
}

export interface Palette { lines: string[]; text: string; surface: string; axis: string; grid: string; font: string }

/** The colours of canvas drawings, read anew when the theme changes. */
export const palette = computed<Palette>(() => {
  void isDark.value;
  const style = getComputedStyle(document.documentElement);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return {
    lines: Array.from({ length: SLOTS }, (_, i) => read(`--line-${i}`)),
    text: read("--text"),
    surface: read("--surface"),
    axis: read("--faint"),
    grid: read("--grid"),
    font: read("--font"),
  };
});

export const slotColour = (slot: number): string => palette.value.lines[slot % SLOTS] ?? "currentColor";
export const slotIsDashed = (slot: number): boolean => slot >= SLOTS;
