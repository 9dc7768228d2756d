/** The keys, on demand. */

import { useEffect, useRef } from "preact/hooks";
import { helpIsOpen } from "../state/store";

const KEYS: [string, string][] = [
  ["/", "Search metrics"], ["r", "Search runs"], ["?", "This help"], ["esc", "Close, clear, leave the zoom"],
  ["↑ ↓  or  j k", "Move in the run list"], ["space", "Show or hide the run"], ["shift space", "Show only this run"],
  ["enter", "Open the run"], ["x", "Select the run; shift ↓ selects on"], ["ctrl a", "Select all runs"],
  ["e  t  n", "Edit the run's name, tags, notes"], ["alt ← →", "Move the column; with shift: resize"], ["p", "Pin the run, or the chart under the pointer"], ["g p", "All projects"], ["s", "Runs, charts or both"],
  ["tab", "To a chart; there:"], ["← →", "Move the crosshair; with shift: faster"], ["+  -", "Zoom in and out round it"],
  ["← → ↑ ↓", "In a chart of runs, from run to run; enter opens it"],
  ["drag", "Zoom; all charts follow, in full detail"], ["double click", "Leave the zoom"], ["z", "Undo the last zoom"],
];

export default function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (helpIsOpen.value && !dialog.current?.open) dialog.current?.showModal();
  }, [helpIsOpen.value]);
  if (!helpIsOpen.value) return null;
  return (
    <dialog class="help" ref={dialog} aria-label="Keyboard and help" onClose={() => (helpIsOpen.value = false)}
      onClick={(event) => event.target === dialog.current && (helpIsOpen.value = false)}>
      <h2>Keyboard and pointer</h2>
      <dl>{KEYS.map(([key, what]) => <div key={key}><dt>{key.split("  ").map((one) => <kbd key={one}>{one}</kbd>)}</dt><dd>{what}</dd></div>)}</dl>
      <p class="faint">Everything you set is in the address: a copied link shows the same view.</p>
      <button class="button" onClick={() => (helpIsOpen.value = false)}>Close</button>
    </dialog>
  );
}
