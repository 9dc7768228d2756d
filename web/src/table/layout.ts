/** Where rows stand in the list when it is grouped: group heads and rows by place on the screen. */

import { computed } from "@preact/signals";
import type { RowGroup } from "../api/types";
import { rowGroups, total } from "../state/runs";
import { setView, view } from "../state/url";

export type Place = { row: number } | { group: RowGroup; isOpen: boolean };

interface Layout { count: number; at: (place: number) => Place; placeOf: (row: number) => number }

export const groupKey = (group: RowGroup): string => (group.rest ? "rest" : JSON.stringify(group.value));

/** How many places there are, and what stands at each. */
export function layOut(groups: readonly RowGroup[] | null, count: number, folded: ReadonlySet<string>): Layout {
  if (groups === null) return { count, at: (row) => ({ row }), placeOf: (row) => row };
  const starts: number[] = [];
  const first: number[] = [];
  let place = 0;
  let row = 0;
  for (const group of groups) {
    starts.push(place);
    first.push(row);
    place += 1 + (folded.has(groupKey(group)) ? 0 : group.runs);
    row += group.runs;
  }
  const find = (among: number[], value: number): number => {
    let low = 0;
    let high = among.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (among[middle]! <= value) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  return {
    count: place,
    at(wanted) {
      const i = find(starts, wanted);
      const group = groups[i]!;
      const inside = wanted - starts[i]!;
      return inside === 0 ? { group, isOpen: !folded.has(groupKey(group)) } : { row: first[i]! + inside - 1 };
    },
    placeOf(wanted) {
      const i = find(first, wanted);
      return folded.has(groupKey(groups[i]!)) ? starts[i]! : starts[i]! + 1 + wanted - first[i]!;
    },
  };
}

export const layout = computed(() =>
  layOut(view.value.by === null ? null : rowGroups.value, total.value ?? 0, new Set(view.value.fold)));

export function toggleGroup(group: RowGroup): void {
  const key = groupKey(group);
  const { fold } = view.value;
  setView({ fold: fold.includes(key) ? fold.filter((one) => one !== key) : [...fold, key] });
}

/** Closes all groups, or opens them when all are closed. */
export function toggleGroups(): void {
  const keys = (rowGroups.value ?? []).map(groupKey);
  setView({ fold: keys.every((one) => view.value.fold.includes(one)) ? [] : keys });
}
