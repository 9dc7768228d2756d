/** Copies a text, and says that it did. */

import { useSignal } from "@preact/signals";
import { Icon } from "../components/Icon";

export function CopyButton({ text, label }: { text: string; label: string }) {
  const isDone = useSignal(false);
  const copy = (): void => void navigator.clipboard?.writeText(text).then(() => {
    isDone.value = true;
    setTimeout(() => (isDone.value = false), 1500);
  });
  return (
    <button class="edit" aria-label={label} title={isDone.value ? "Copied" : label} onClick={copy}>
      <Icon name={isDone.value ? "check" : "copy"} size={13} /><span class="unseen" aria-live="polite">{isDone.value ? "Copied" : ""}</span>
    </button>
  );
}
