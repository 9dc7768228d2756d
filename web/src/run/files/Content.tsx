/** A file's content, by its type; what is neither picture, sound, video nor text is only offered for download. */

import { useSignal } from "@preact/signals";
import { blobText, blobUrl, type FileEntry } from "../../api/records";
import { Notice } from "../../components/Notice";
import { bytes } from "../bytes";
import { Lazy } from "../Lazy";
import { useResource } from "../resource";
import { Picture } from "../media/Picture";

const LIMIT = 400_000;
const loadSource = () => import("../code/SourcePart");

export function Content({ project, run, file }: { project: string; run: string; file: FileEntry }) {
  const url = blobUrl(project, run, file.sha256 ?? "", file.path.split("/").pop());
  const type = file.type ?? "";
  if (type.startsWith("image/")) return <Picture class="preview-image" url={url} type={type} alt={file.path} />;
  if (type.startsWith("audio/")) return <audio class="preview-player" controls preload="metadata" src={url} aria-label={file.path} />;
  if (type.startsWith("video/")) return <video class="preview-player" controls preload="metadata" src={url} aria-label={file.path} />;
  return <TextContent url={url} file={file} />;
}

function TextContent({ url, file }: { url: string; file: FileEntry }) {
  const wantsMore = useSignal(false);
  const limit = wantsMore.value ? LIMIT * 10 : LIMIT;
  const found = useResource(`${url} ${limit}`, (signal) => blobText(url, limit, signal));
  if (found.error) return <Notice title="The content could not be read" tone="bad"><p>{found.error.message}</p><button class="button" onClick={found.refresh}>Try again</button></Notice>;
  if (!found.data) return <div class="skeleton-rows" role="status" aria-label="Loading the file" />;
  const { text, isWhole } = found.data;
  if (text === "") return <Notice title="This file is empty" />;
  if (isBinary(text)) return <Notice title="There is no preview of this kind of file"><p>It holds {bytes(file.size ?? 0)} that are no text. Download it to open it.</p></Notice>;
  return (
    <>
      <Lazy load={loadSource} text={isWhole ? text : text.slice(0, text.lastIndexOf("\n") + 1) || text} path={file.path} />
      {!isWhole && (
        <p class="faint">This is the beginning of {bytes(file.size ?? 0)}.
          {!wantsMore.value && <> <button class="button" onClick={() => (wantsMore.value = true)}>Show more</button></>}
        </p>
      )}
    </>
  );
}

/** NUL, or many characters that no text has, in its beginning. */
export function isBinary(text: string): boolean {
  const head = text.slice(0, 4000);
  if (head.includes("\0")) return true;
  const odd = [...head].filter((one) => one === "\ufffd" || (one < " " && !"\n\r\t\f\x1b\b".includes(one))).length;
  return odd > head.length / 20;
}
