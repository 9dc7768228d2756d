/** A stored picture; an SVG is fetched and shown as a picture, where its scripts cannot run. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

interface Props { url: string; type: string; alt: string; class?: string; onSize?: (width: number, height: number) => void }

/** Pictures up to this size are shown larger, pixel by pixel. */
const SMALL = 96;

export function Picture({ url, type, alt, class: look = "", onSize }: Props) {
  const isSvg = type === "image/svg+xml";
  const own = useSignal<string | null>(null);
  const failed = useSignal(false);
  useEffect(() => {
    failed.value = false;
    if (!isSvg) return;
    const control = new AbortController();
    let made: string | null = null;
    fetch(url, { credentials: "same-origin", signal: control.signal })
      .then((answer) => (answer.ok ? answer.arrayBuffer() : Promise.reject(new Error(String(answer.status)))))
      .then((data) => (own.value = made = URL.createObjectURL(new Blob([data], { type }))))
      .catch(() => control.signal.aborted || (failed.value = true));
    return () => {
      control.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [url]);
  const isSmall = useSignal(false);
  const source = isSvg ? own.value : url;
  if (failed.value) return <p class="faint media-missing">This picture could not be loaded.</p>;
  if (source === null) return <span class="card-wait" role="status" aria-label="Loading" />;
  return (
    <img class={`${look} ${isSmall.value ? "is-pixels" : ""}`} src={source} alt={alt} loading="lazy" decoding="async" onError={() => (failed.value = true)}
      onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => {
        isSmall.value = naturalWidth > 0 && naturalWidth <= SMALL && naturalHeight <= SMALL;
        onSize?.(naturalWidth, naturalHeight);
      }} />
  );
}
