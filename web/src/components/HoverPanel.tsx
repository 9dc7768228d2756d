/** The values under the crosshair, largest first. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { hover } from "../chart/hover";
import { formatNumber, plural } from "../format/number";

const GAP = 16;

export function HoverPanel() {
  const panel = useRef<HTMLDivElement>(null);
  const at = hover.value;
  useLayoutEffect(() => {
    const element = panel.current;
    if (!element || !at) return;
    const { width, height } = element.getBoundingClientRect();
    const isRight = at.left + GAP + width < innerWidth - 8;
    const left = isRight ? at.left + GAP : Math.max(8, at.left - GAP - width);
    const top = Math.max(8, Math.min(at.top + 4, innerHeight - height - 8));
    element.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }, [at]);
  if (!at || at.rows.length === 0) return null;
  const hasBase = at.rows.some((row) => row.delta !== null);
  return (
    <div class="hover" ref={panel} role="tooltip">
      <div class="hover-head">{at.heading}</div>
      <table>
        <tbody>
          {at.rows.map((row) => (
            <tr key={`${row.run} ${row.name}`} class={row.run === at.near ? "is-near" : ""}>
              <td class="hover-key"><svg width="12" height="8" aria-hidden="true"><line x1="0" y1="4" x2="12" y2="4" stroke={row.colour} stroke-width="2.5" stroke-dasharray={row.isDashed ? "3.5 2" : "none"} /></svg></td>
              <td class="hover-name"><span class="clip">{row.name}{row.isBase && <span class="faint"> baseline</span>}</span></td>
              <td class="hover-value">{formatNumber(row.value, 5)}</td>
              {hasBase && <td class="hover-delta">{row.delta === null ? "" : `${row.delta > 0 ? "+" : ""}${formatNumber(row.delta, 3)}`}</td>}
              <td class="hover-range">
                {row.runs !== null && <span>{plural(row.runs, "run")} </span>}
                {row.raw !== null ? formatNumber(row.raw, 4) : row.low !== null && row.high !== null && row.low !== row.high
                  ? `${formatNumber(row.low, 3)} … ${formatNumber(row.high, 3)}` : ""}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {at.more > 0 && <div class="hover-more">{at.more} more</div>}
    </div>
  );
}
