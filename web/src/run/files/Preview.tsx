/** One file: what it is, its content where a browser can show it, its versions, a download. */

import { records, blobUrl, type FileEntry } from "../../api/records";
import { Icon } from "../../components/Icon";
import { Notice } from "../../components/Notice";
import { formatTime } from "../../format/time";
import { CopyButton } from "../CopyButton";
import { bytes } from "../bytes";
import { useResource } from "../resource";
import { Content } from "./Content";

const STATES: Record<string, string> = {
  changed: "It was changed while it was copied, each time it was tried: this is how it was at the last try.",
  vanished: "It was gone before it could be copied.",
  unreadable: "It could not be read.",
  local: "It was kept in the run's folder on the machine that trained, as the settings say.",
};

export function Preview({ project, run, file, onClose }: { project: string; run: string; file: FileEntry; onClose: () => void }) {
  const name = file.path.split("/").pop() ?? file.path;
  const versions = useResource(JSON.stringify(["versions", project, run, file.path]), async (signal) =>
    (await records.files(project, run, { prefix: file.path, versions: true, limit: 200 }, signal)).files.filter((one) => one.path === file.path),
  { project, run, kinds: ["file"] });
  const isHere = file.present && file.sha256 !== null;
  return (
    <section class="preview" aria-label={file.path}>
      <header class="preview-head">
        <h2 class="clip" title={file.path}>{name}</h2>
        {isHere && <a class="button" href={blobUrl(project, run, file.sha256 ?? "", name, true)} download={name}><Icon name="download" size={14} />Download</a>}
        <button class="button button-quiet preview-close" aria-label="Close the preview" onClick={onClose}><Icon name="close" size={14} /></button>
      </header>
      <p class="faint small">
        {file.path} · {bytes(file.size ?? 0)}{file.type && ` · ${file.type}`} · {formatTime(file.t)}
        {file.sha256 && <> · <span class="mono" title={file.sha256}>sha256 {file.sha256.slice(0, 12)}</span><CopyButton text={file.sha256} label="Copy the SHA-256" /></>}
      </p>
      {file.state !== "ok" && <p class="stale">{STATES[file.state] ?? file.state}{file.why && ` (${file.why})`}</p>}
      {isHere
        ? <Content key={file.sha256} project={project} run={run} file={file} />
        : file.state === "ok" || file.state === "changed"
          ? <Notice title="Not delivered yet"><p>It appears by itself when the streamer has sent it. If the streamer is gone: <code>outrider sync</code> in the run's folder sends what is left.</p></Notice>
          : null}
      {versions.data && versions.data.length > 1 && (
        <details class="versions">
          <summary>{versions.data.length} versions</summary>
          <ul>
            {versions.data.map((one, i) => (
              <li key={i}>
                <span>{formatTime(one.t)}</span><span class="faint">{bytes(one.size ?? 0)}</span><code>{one.sha256?.slice(0, 12)}</code>
                {one.present && one.sha256 && <a class="link" href={blobUrl(project, run, one.sha256, name, true)} download={name}>Download</a>}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}
