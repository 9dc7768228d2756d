/** The window that charts show, and the ways back from it. */

import { cursorText } from "../chart/axis";
import type { Zoom } from "../state/url";
import { undoZoom, zoomTo } from "../state/zoom";
import { Icon } from "./Icon";

/** `onReset` is for a window that only some charts have; the one of all charts can be undone step by step too. */
export function ZoomChip({ x, zoom, onReset }: { x: string; zoom: Zoom; onReset?: () => void }) {
  return (
    <span class="zoom">
      <button class="chip" onClick={onReset ?? (() => zoomTo(null))} title="Show everything (double-click on a chart)">
        {cursorText(x, zoom.min)} – {cursorText(x, zoom.max).replace(/^step /, "")}<Icon name="close" size={12} />
      </button>
      {!onReset && <button class="button button-quiet button-small" aria-label="Undo the zoom" title="Undo the zoom (z)" onClick={undoZoom}><Icon name="undo" size={14} /></button>}
    </span>
  );
}
