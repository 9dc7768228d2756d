/** What was just done, with the way back, at the foot of the list. */

import { Icon } from "../components/Icon";
import { plural } from "../format/number";
import { now } from "../state/store";
import { held, told, undo } from "./going";

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {held.value.map((batch) => (
        <div class="toast" key={batch.until}>
          <span>{plural(batch.ids.length, "run")} deleted</span>
          <span class="toast-left" aria-hidden="true">{Math.max(0, Math.ceil((batch.until - Math.max(now.value, Date.now())) / 1000))} s</span>
          <button class="button button-small" onClick={() => undo(batch)}>Undo</button>
        </div>
      ))}
      {told.value && (
        <div class={`toast ${told.value.isBad ? "is-bad" : ""}`}>
          <span>{told.value.text}</span>
          {told.value.undo && <button class="button button-small" onClick={told.value.undo}>Undo</button>}
          <button class="button button-quiet button-small" aria-label="Close" onClick={() => (told.value = null)}><Icon name="close" size={12} /></button>
        </div>
      )}
    </div>
  );
}
