/** Lines coloured by a value of their run: fetches the values of the shown runs, and makes colours of them. */

import { computed, effect, signal } from "@preact/signals";
import { api } from "../api/client";
import type { RunRow, Value } from "../api/types";
import { colourScale, rampColour, RAMPS, type ColourScale } from "../theme/ramp";
import { isDark, slotColour } from "../theme/theme";
import { project, shown } from "./runs";
import { noteFailure } from "./store";
import { view } from "./url";

const values = signal<{ of: string; byRun: ReadonlyMap<string, Value> }>({ of: "", byRun: new Map() });

/** `config.lr` of a row, or one of the run's own fields. */
export function valueOf(row: RunRow, field: string): Value {
  const [, kind, key] = /^(config|summary)\.(.*)$/s.exec(field) ?? [];
  if (kind === undefined || key === undefined) return ((row as unknown as Record<string, Value | undefined>)[field] ?? null) as Value;
  return (kind === "config" ? row.config : row.summary)[key] ?? null;
}

/** `id = "a" or id = "b"`. */
export const idFilter = (ids: readonly string[]): string => ids.map((id) => `id = "${id}"`).join(" or ");

export interface Colouring {
  field: string;
  /** Null where the values are no numbers: each then has a colour of its own. */
  scale: ColourScale | null;
  ramp: readonly string[];
  categories: readonly { value: string; colour: string }[];
  colourOf: (run: string) => string | null;
}

export const colouring = computed<Colouring | null>(() => {
  const field = view.value.colour;
  if (field === null) return null;
  const byRun = values.value.of === `${project.value}\n${field}` ? values.value.byRun : new Map<string, Value>();
  const here = shown.value.map((one) => byRun.get(one.id)).filter((one) => one !== undefined && one !== null);
  const ramp = RAMPS[isDark.value ? "dark" : "light"];
  const numbers = here.filter((one): one is number => typeof one === "number");
  const scale = numbers.length > 0 && numbers.length === here.length ? colourScale(numbers) : null;
  const words = [...new Set(here.map((one) => JSON.stringify(one)))].sort();
  const categories = scale ? [] : words.map((value, i) => ({ value, colour: slotColour(i) }));
  return {
    field, scale, ramp, categories,
    colourOf(run) {
      const value = byRun.get(run);
      if (value === undefined || value === null) return null;
      if (scale) return typeof value === "number" ? rampColour(ramp, scale.share(value)) : null;
      return categories.find((one) => one.value === JSON.stringify(value))?.colour ?? null;
    },
  };
});

/** Follows the view: asks for the values of runs that were not asked for yet. */
export function startColouring(): void {
  effect(() => {
    const field = view.value.colour;
    const name = project.value;
    if (field === null || name === null) return;
    const of = `${name}\n${field}`;
    const known = values.peek().of === of ? values.peek().byRun : new Map<string, Value>();
    const missing = shown.value.map((one) => one.id).filter((id) => !known.has(id));
    if (missing.length > 0) void learn(name, field, of, missing);
  });
}

async function learn(name: string, field: string, of: string, ids: readonly string[]): Promise<void> {
  try {
    const columns = /^(config|summary)\./.test(field) ? [field] : [];
    const answer = await api.runs(name, { filter: idFilter(ids), columns, limit: ids.length });
    const known = values.peek().of === of ? values.peek().byRun : new Map<string, Value>();
    const found = new Map(answer.runs.map((row) => [row.id, valueOf(row, field)] as const));
    values.value = { of, byRun: new Map([...known, ...ids.map((id) => [id, found.get(id) ?? null] as const)]) };
  } catch (error) {
    noteFailure(error);
  }
}
