/** Whether charts show groups of runs, and of which runs: those of the list, less the ones that were hidden. */

import { computed } from "@preact/signals";
import { groups, groupsKey, isGroup, type Group, type GroupSpec } from "./groups";
import { filterText, project } from "./runs";
import { route, view } from "./url";

export const grouping = computed<GroupSpec | null>(() => {
  const { group, centre, band, hide, only } = view.value;
  if (group === null || route.value.page !== "workspace") return null;
  if (only !== null) return { by: group, centre, band, filter: `id = "${only}"` };
  const hidden = hide.filter((id) => !isGroup(id)).map((id) => `id != "${id}"`);
  const filter = [...(filterText.value ? [`(${filterText.value})`] : []), ...hidden].join(" and ");
  return { by: group, centre, band, filter: filter || null };
});

/** The groups that the charts have shown so far, in the order of their values. */
export const knownGroups = computed<readonly Group[]>(() => {
  const spec = grouping.value;
  return spec && project.value !== null && groups.value.of === groupsKey(project.value, spec) ? groups.value.list : [];
});
