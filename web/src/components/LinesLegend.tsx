/** What the colours mean while lines are groups, or are coloured by a value. */

import type { Value } from "../api/types";
import { colouring, type Colouring } from "../state/colouring";
import { grouping, knownGroups } from "../state/grouping";
import { fieldLabel, groups, type Group } from "../state/groups";
import { highlight } from "../state/store";
import { setView, view } from "../state/url";
import { formatNumber, formatValue, plural } from "../format/number";
import { slotColour, slotIsDashed } from "../theme/theme";
import { Icon } from "./Icon";

export default function LinesLegend() {
  const spec = grouping.value;
  const colours = colouring.value;
  if (spec) {
    const left = groups.value.leftOut;
    return (
      <div class="legend" role="group" aria-label="Groups">
        {knownGroups.value.map((one) => <GroupChip key={one.id} group={one} />)}
        {left > 0 && <span class="faint">{plural(left, "more group")} not drawn: filter the runs</span>}
      </div>
    );
  }
  return colours ? <ColourLegend colours={colours} /> : null;
}

function GroupChip({ group }: { group: Group }) {
  const { hide, expand } = view.value;
  const value = group.id.slice(1);
  const isHidden = hide.includes(group.id);
  const isOpen = expand.includes(value);
  const toggle = (list: readonly string[], one: string): string[] => (list.includes(one) ? list.filter((other) => other !== one) : [...list, one]);
  return (
    <span class={`legend-chip ${isHidden ? "is-off" : ""}`} onPointerEnter={() => (highlight.value = group.id)} onPointerLeave={() => (highlight.value = null)}>
      <button aria-pressed={!isHidden} aria-label={`${isHidden ? "Show" : "Hide"} the group ${group.label}`} title={isHidden ? "Show" : "Hide"}
        onClick={() => setView({ hide: toggle(hide, group.id) })}>
        <Mark colour={slotColour(group.slot)} isDashed={slotIsDashed(group.slot)} />
        <span class="clip">{group.label}</span>
        <span class="faint">{plural(group.runs, "run")}{group.of > group.runs && ` of ${group.of.toLocaleString("en-US")}`}</span>
      </button>
      {group.runs > 1 && !isHidden && (
        <button class={`legend-open ${isOpen ? "is-on" : ""}`} aria-expanded={isOpen} aria-label={`${isOpen ? "Without" : "With"} the runs of ${group.label}`}
          title={isOpen ? "Without its runs" : "With its runs"} onClick={() => setView({ expand: toggle(expand, value) })}>
          <span class={`turn ${isOpen ? "is-open" : ""}`}><Icon name="chevron" size={10} /></span>
        </button>
      )}
    </span>
  );
}

function Mark({ colour, isDashed = false }: { colour: string; isDashed?: boolean }) {
  return (
    <svg width="14" height="8" aria-hidden="true">
      <line x1="0" y1="4" x2="14" y2="4" stroke={colour} stroke-width="3" stroke-dasharray={isDashed ? "4 2" : "none"} />
    </svg>
  );
}

function ColourLegend({ colours }: { colours: Colouring }) {
  const { field, scale, ramp, categories } = colours;
  const label = fieldLabel(field);
  return (
    <div class="legend" role="group" aria-label={`Colours: ${label}`}>
      <span class="faint clip">{label}</span>
      {scale && (
        <>
          <span>{formatNumber(scale.min)}</span>
          <svg class="ramp" width="140" height="10" viewBox="0 0 140 10" preserveAspectRatio="none" aria-hidden="true">
            <defs><linearGradient id="ramp">{ramp.map((one, i) => <stop key={one} offset={i / (ramp.length - 1)} stop-color={one} />)}</linearGradient></defs>
            <rect width="140" height="10" rx="3" fill="url(#ramp)" />
          </svg>
          <span>{formatNumber(scale.max)}{scale.isLog && <span class="faint"> log</span>}</span>
        </>
      )}
      {categories.map((one) => <span class="legend-chip" key={one.value}><span class="legend-item"><Mark colour={one.colour} />{formatValue(JSON.parse(one.value) as Value)}</span></span>)}
      {!scale && categories.length === 0 && <span class="faint">no shown run has it</span>}
    </div>
  );
}
