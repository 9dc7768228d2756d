/** A search field that tells its value shortly after the last key. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./Icon";

interface Props { label: string; placeholder: string; value: string; onValue: (value: string) => void; isWrong?: boolean; isMain?: boolean }

export function SearchBox({ label, placeholder, value, onValue, isWrong = false, isMain = false }: Props) {
  const typed = useSignal(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    typed.value = value;
  }, [value]);
  const tell = (next: string, wait: number): void => {
    typed.value = next;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onValue(next), wait);
  };
  return (
    <div class={`search ${isWrong ? "is-wrong" : ""}`}>
      <Icon name="search" size={14} />
      <input type="text" inputMode="search" aria-label={label} placeholder={placeholder} value={typed.value} spellcheck={false}
        autocomplete="off" aria-invalid={isWrong} data-main-search={isMain ? "" : undefined}
        onInput={(event) => tell(event.currentTarget.value, 160)}
        onKeyDown={(event) => {
          if (event.key === "Escape" && typed.value !== "") {
            event.stopPropagation();
            tell("", 0);
          }
        }} />
      {typed.value !== "" && (
        <button class="search-clear" aria-label="Clear" onClick={() => tell("", 0)}><Icon name="close" size={12} /></button>
      )}
    </div>
  );
}
