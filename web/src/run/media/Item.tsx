/** One record of media: each of its parts by its kind. */

import { blobUrl, type MediaItem, type MediaPart } from "../../api/records";
import { HistogramView, type Histogram } from "./HistogramView";
import { HtmlView } from "./HtmlView";
import { ImageView } from "./ImageView";
import { PlotView } from "./PlotView";
import { Picture } from "./Picture";
import { TableView } from "./TableView";
import { TextView } from "./TextView";

export function Item({ project, run, item }: { project: string; run: string; item: MediaItem }) {
  const { type, parts, value } = item;
  if (type === "table") return <TableView key={item.seq} project={project} run={run} seq={item.seq} label={item.key} />;
  if (parts.length === 0) return <Inline type={type} value={value} />;
  return (
    <div class={`media-parts ${parts.length > 1 ? "is-many" : ""}`}>
      {parts.map((part, i) => <Part key={type === "figure" ? String(i) : `${i}:${part.sha256 ?? ""}`} project={project} run={run} type={type} part={part} label={`${item.key}, step ${item.step}${parts.length > 1 ? `, ${i + 1} of ${parts.length}` : ""}`} />)}
    </div>
  );
}

function Inline({ type, value }: { type: string; value: unknown }) {
  if (type === "histogram" && isHistogram(value)) return <HistogramView histogram={value} />;
  if (type === "text") return <TextView text={textOf(value)} />;
  return <pre class="media-text" tabIndex={0}>{JSON.stringify(value, null, 1)}</pre>;
}

const textOf = (value: unknown): string => (value !== null && typeof value === "object" && "text" in value ? String((value as { text: unknown }).text) : String(value ?? ""));
const isHistogram = (value: unknown): value is Histogram =>
  value !== null && typeof value === "object" && Array.isArray((value as Histogram).counts) && Array.isArray((value as Histogram).edges);

interface PartProps { project: string; run: string; type: string; part: MediaPart; label: string }

export function Part({ project, run, type, part, label }: PartProps) {
  const caption = part.caption ? <figcaption class="media-caption">{part.caption}</figcaption> : null;
  if (part.value !== undefined && part.value !== null && !part.sha256) return <figure class="media-part"><Inline type={type} value={part.value} />{caption}</figure>;
  if (!part.present || !part.sha256) return <figure class="media-part"><p class="faint media-missing">{missing(part)}</p>{caption}</figure>;
  const url = blobUrl(project, run, part.sha256);
  const kind = part.type ?? "";
  return <figure class="media-part">{shown()}{caption}</figure>;

  function shown() {
    if (type === "html") return <HtmlView url={url} label={label} />;
    if (type === "text") return <TextView url={url} />;
    if (type === "audio" || kind.startsWith("audio/")) return <audio controls preload="metadata" src={url} aria-label={part.caption || label} />;
    if (kind.startsWith("video/")) return <video controls loop preload="metadata" src={url} aria-label={part.caption || label} />;
    if (type === "image") return <ImageView project={project} run={run} part={part} label={part.caption || label} />;
    if (kind.startsWith("image/")) return <Picture class="media-image" url={url} type={kind} alt={part.caption || label} />;
    if (type === "figure") return <PlotView url={url} size={part.size ?? 0} label={part.caption || label} />;
    return (
      <p class="media-missing">
        There is no preview of this kind.{" "}
        <a class="link" href={blobUrl(project, run, part.sha256!, `${label}.json`, true)} download>Download</a>
      </p>
    );
  }
}

function missing(part: MediaPart): string {
  const state = String(part.state ?? "pending");
  if (state === "pending" || state === "ok") return "Not delivered yet: it appears by itself.";
  if (state === "local") return "Kept in the run's folder on the machine that trained, as the settings say.";
  return `It could not be kept: ${part.why ? String(part.why) : state}.`;
}
