/** Groups of runs: what is asked of the server, the lines that its answer makes, and which groups there are. */

import type { Centre } from "./url";
import { signal } from "@preact/signals";
import type { GroupsAnswer, SeriesData, Value } from "../api/types";
import { formatValue } from "../format/number";
import { slotsFor } from "./colours";

export interface GroupSpec { by: string; filter: string | null; centre: Centre; band: string }

/** The name under which an entry waits for all groups at once. */
export const GROUPS = "\0groups";

export interface Group { id: string; label: string; value: Value; runs: number; of: number; members: readonly string[]; names: readonly (string | null)[]; slot: number }

/** The groups of the last answers, by project and field: the legend shows them. */
export const groups = signal<{ of: string; list: readonly Group[]; leftOut: number }>({ of: "", list: [], leftOut: 0 });

export const groupsKey = (project: string, { by, filter }: GroupSpec): string => JSON.stringify([project, by, filter]);

/** A group's id among runs' ids: no run can have it. */
export const groupId = (value: Value): string => `=${JSON.stringify(value)}`;
export const isGroup = (id: string): boolean => id.startsWith("=");

/** `config.model.lr` → `model.lr`. */
export const fieldLabel = (field: string): string => field.replace(/^(config|summary)\./, "");

export const groupLabel = (by: string, value: Value): string =>
  value === null ? `no ${fieldLabel(by)}` : by === "tags" || by === "group" ? formatValue(value) : `${fieldLabel(by)} ${formatValue(value)}`;

export function groupLines(answer: GroupsAnswer): [string, SeriesData][] {
  return answer.groups.filter((one) => one.runs > 0).map((one) => {
    const id = groupId(one.value);
    const { x, mid, low, high, n, marks, smooth } = one;
    return [id, {
      run: id, exact: false, total: one.runs, x, step: [], time: [], last: mid, mean: mid, min: low, max: high, count: n, marks,
      ...(smooth ? { smooth } : {}), isGroup: true,
    }];
  });
}

/** Takes note of the groups of an answer. A group keeps its members and colour though one metric lacks some of them. */
export function groupsOf(project: string, spec: GroupSpec, answer: GroupsAnswer): void {
  const of = groupsKey(project, spec);
  const before = groups.peek().of === of ? new Map(groups.peek().list.map((one) => [one.id, one])) : new Map<string, Group>();
  const ids = answer.groups.map((one) => groupId(one.value));
  const slots = slotsFor(project, ids.map((id) => `${spec.by}${id}`));
  const list = answer.groups.map((one, i): Group => {
    const known = before.get(ids[i]!);
    return {
      id: ids[i]!, label: groupLabel(spec.by, one.value), value: one.value, of: one.of, slot: slots.get(`${spec.by}${ids[i]}`) ?? i,
      ...(known && known.runs > one.runs ? { runs: known.runs, members: known.members, names: known.names } : { runs: one.runs, members: one.members, names: one.names }),
    };
  });
  if (JSON.stringify(list) !== JSON.stringify(groups.peek().list) || groups.peek().of !== of)
    groups.value = { of, list, leftOut: answer.left_out };
}
