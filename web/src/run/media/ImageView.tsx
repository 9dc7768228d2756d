/** A picture with its masks and boxes over it, each of which can be hidden. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { blobUrl, type MediaPart } from "../../api/records";
import { Picture } from "./Picture";

interface Mask extends MediaPart { labels?: Record<string, string> }
interface Box {
  position: { minX: number; maxX: number; minY: number; maxY: number };
  class_id?: number;
  caption?: string;
  scores?: Record<string, number>;
  domain?: string;
}
type BoxGroup = { boxes: Box[]; labels?: Record<string, string> };

const COLOURS = 12;
const lineColour = (n: number): string => `var(--line-${((n % COLOURS) + COLOURS) % COLOURS})`;

export function ImageView({ project, run, part, label }: { project: string; run: string; part: MediaPart; label: string }) {
  const masks = Object.entries((part.masks ?? {}) as Record<string, Mask>);
  const groups = Object.entries((part.boxes ?? {}) as unknown as Record<string, BoxGroup>);
  const hidden = useSignal<ReadonlySet<string>>(new Set());
  const size = useSignal({ width: Number(part.width) || 0, height: Number(part.height) || 0 });
  const url = blobUrl(project, run, part.sha256!);
  const toggle = (name: string): void => {
    const next = new Set(hidden.value);
    if (!next.delete(name)) next.add(name);
    hidden.value = next;
  };
  const names = [...masks.map(([name, mask]) => ({ id: `m:${name}`, name, labels: mask.labels })), ...groups.map(([name, group]) => ({ id: `b:${name}`, name, labels: group.labels }))];
  return (
    <div class="image-view">
      <a class="image-stack" href={url} target="_blank" rel="noreferrer noopener" aria-label={`${label}: open the picture alone`}>
        <Picture class="media-image" url={url} type={part.type ?? "image/png"} alt={label}
          onSize={(width, height) => (size.value = { width, height })} />
        {masks.filter(([name]) => !hidden.value.has(`m:${name}`)).map(([name, mask]) => mask.present && mask.sha256
          && <MaskLayer key={name} url={blobUrl(project, run, mask.sha256)} />)}
        {groups.filter(([name]) => !hidden.value.has(`b:${name}`)).map(([name, group]) => <Boxes key={name} group={group} size={size.value} />)}
      </a>
      {names.length > 0 && (
        <span class="overlay-tools" role="group" aria-label="Masks and boxes">
          {names.map(({ id, name, labels }) => (
            <span key={id}>
              <button class={`toggle ${hidden.value.has(id) ? "" : "is-on"}`} aria-pressed={!hidden.value.has(id)} onClick={() => toggle(id)}>{name}</button>
              {!hidden.value.has(id) && Object.entries(labels ?? {}).slice(0, 24).map(([number, word]) => (
                <span key={number} class="overlay-label"><svg width="9" height="9" aria-hidden="true"><rect width="9" height="9" rx="2" fill={lineColour(Number(number))} /></svg>{word}</span>
              ))}
            </span>
          ))}
        </span>
      )}
    </div>
  );
}

/** Class numbers as colours; class 0 is the ground, which shows through. */
function MaskLayer({ url }: { url: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let isHere = true;
    const picture = new Image();
    picture.onload = () => {
      const element = canvas.current;
      if (!isHere || !element) return;
      element.width = picture.naturalWidth;
      element.height = picture.naturalHeight;
      const context = element.getContext("2d", { willReadFrequently: true })!;
      context.drawImage(picture, 0, 0);
      const data = context.getImageData(0, 0, element.width, element.height);
      const style = getComputedStyle(element);
      const colours = Array.from({ length: COLOURS }, (_, i) => rgb(style.getPropertyValue(`--line-${i}`)));
      for (let i = 0; i < data.data.length; i += 4) {
        const number = data.data[i]!;
        const [r, g, b] = colours[number % COLOURS]!;
        data.data.set([r, g, b, number === 0 ? 0 : 140], i);
      }
      context.putImageData(data, 0, 0);
    };
    picture.src = url;
    return () => void (isHere = false);
  }, [url]);
  return <canvas class="mask-layer" ref={canvas} aria-hidden="true" />;
}

function rgb(hex: string): [number, number, number] {
  const n = parseInt(hex.trim().slice(1), 16);
  return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
}

function Boxes({ group, size }: { group: BoxGroup; size: { width: number; height: number } }) {
  return (
    <>
      {group.boxes.map((box, i) => {
        const { minX, maxX, minY, maxY } = box.position;
        const [w, h] = box.domain === "pixel" ? [size.width || 1, size.height || 1] : [1, 1];
        const colour = lineColour(box.class_id ?? 0);
        const word = box.caption ?? (box.class_id !== undefined ? group.labels?.[String(box.class_id)] : undefined);
        const scores = Object.entries(box.scores ?? {}).map(([name, score]) => `${name} ${score}`).join(", ");
        return (
          <span key={i} class="box-layer" title={[word, scores].filter(Boolean).join(": ")} style={{
            left: `${(100 * minX) / w}%`, top: `${(100 * minY) / h}%`, width: `${(100 * (maxX - minX)) / w}%`, height: `${(100 * (maxY - minY)) / h}%`, borderColor: colour,
          }}>{word && <span class="box-word" style={{ borderColor: colour }}>{word}</span>}</span>
        );
      })}
    </>
  );
}
