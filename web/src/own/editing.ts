/** Which of the user's charts is being made or changed: the dialog follows it. */

import { signal } from "@preact/signals";
import type { OwnChart } from "../state/cards";

export const edited = signal<OwnChart | null>(null);

export const editOwn = (chart: OwnChart): void => void (edited.value = chart);

export const newOwn = (): OwnChart =>
  ({ id: Math.random().toString(36).slice(2, 8), kind: "lines", title: "", fields: [], expression: "", colour: "" });
