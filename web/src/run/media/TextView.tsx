/** A logged text, from the record itself or from its file. */

import { blobText } from "../../api/records";
import { useResource } from "../resource";

const LIMIT = 1_000_000;

export function TextView({ text, url }: { text?: string; url?: string }) {
  const found = useResource(url ?? null, (signal) => blobText(url!, LIMIT, signal));
  if (text === undefined && found.error) return <p class="stale" role="alert">{found.error.message}</p>;
  const shown = text ?? found.data?.text;
  if (shown === undefined) return <div class="media-wait" role="status" aria-label="Loading" />;
  return (
    <>
      <pre class="media-text" tabIndex={0}>{shown}</pre>
      {found.data && !found.data.isWhole && <p class="faint small">Its first {LIMIT.toLocaleString("en-US")} bytes.</p>}
    </>
  );
}
