/** A run's colour, dashed as its line is. */

import { slotColour, slotIsDashed } from "../theme/theme";

export function Swatch({ slot, isOn = true }: { slot: number; isOn?: boolean }) {
  return (
    <svg class="swatch" width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
      {slotIsDashed(slot) && isOn
        ? <circle cx="7" cy="7" r="4" fill="none" stroke={slotColour(slot)} stroke-width="2.4" stroke-dasharray="3.2 2" />
        : isOn
          ? <circle cx="7" cy="7" r="5" fill={slotColour(slot)} />
          : <circle cx="7" cy="7" r="4.3" fill="none" stroke="currentColor" stroke-width="1.3" />}
    </svg>
  );
}
