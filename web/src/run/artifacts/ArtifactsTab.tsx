/** The artifacts of a run: what was saved with metadata or aliases, in all its versions. */

import { records, blobUrl, type FileEntry } from "../../api/records";
import type { RunAnswer } from "../../api/types";
import { ErrorNotice, Notice, Snippet } from "../../components/Notice";
import { SearchBox } from "../../components/SearchBox";
import { metricMatcher } from "../../components/sections";
import { formatValue, plural } from "../../format/number";
import { formatAgo, formatTime } from "../../format/time";
import { now } from "../../state/store";
import { bytes } from "../bytes";
import { place, setPlace } from "../place";
import { useResource } from "../resource";
import { artifactsOf, type Artifact, type Version } from "./versions";

const PAGES = 20;

export default function ArtifactsTab({ record }: { record: RunAnswer }) {
  const { project, id } = record;
  const { find } = place.value;
  const all = useResource(JSON.stringify(["artifacts", project, id]), (signal) => everyVersion(project, id, signal), { project, run: id, kinds: ["file"] });
  if (!all.data)
    return all.error ? <ErrorNotice error={all.error} onRetry={all.refresh} /> : <div class="skeleton-rows" role="status" aria-label="Loading the artifacts" />;
  const { matches } = metricMatcher(find);
  const found = artifactsOf(all.data).filter((one) => matches(one.path) || one.versions.some((version) => version.aliases.some(matches)));
  if (found.length === 0 && !find)
    return (
      <Notice title="No artifacts yet">
        <p>A file that is saved with metadata or aliases is listed here, with every version of it:</p>
        <Snippet label="Python that keeps an artifact" code={'run.save("model.pt", metadata={"val/acc": 0.97}, aliases=["best"])'} />
      </Notice>
    );
  return (
    <div class="artifacts">
      {all.error && <p class="stale" role="alert">{all.error.message} The list is as of the last update.</p>}
      <SearchBox label="Search artifacts (regular expression)" placeholder="Search paths and aliases" value={find} isMain onValue={(next) => setPlace({ find: next })} />
      {found.map((one) => <ArtifactCard key={one.path} project={project} run={id} artifact={one} />)}
      {found.length === 0 && <p class="faint">No artifact matches.</p>}
    </div>
  );
}

function ArtifactCard({ project, run, artifact }: { project: string; run: string; artifact: Artifact }) {
  const { path, versions, fields } = artifact;
  return (
    <section class="facts" aria-label={path}>
      <h2><a class="link" href={`?tab=files&file=${encodeURIComponent(path)}`} title={`${path}: look at it`}>{path}</a> <span class="faint small">{plural(versions.length, "version")}</span></h2>
      <div class="table-scroll">
        <table>
          <thead><tr><th>Version</th><th>Aliases</th>{fields.map((name) => <th key={name}>{name}</th>)}<th>Size</th><th>Saved</th><th>SHA-256</th><th><span class="unseen">Download</span></th></tr></thead>
          <tbody>{versions.map((one) => <VersionRow key={one.number} project={project} run={run} version={one} fields={fields} />)}</tbody>
        </table>
      </div>
    </section>
  );
}

function VersionRow({ project, run, version, fields }: { project: string; run: string; version: Version; fields: readonly string[] }) {
  const { number, file, aliases, metadata } = version;
  const name = file.path.split("/").pop() ?? file.path;
  return (
    <tr>
      <td>v{number}</td>
      <td>{aliases.map((one) => <span class="badge" key={one}>{one}</span>)}</td>
      {fields.map((field) => <td key={field}>{field in metadata ? formatValue(metadata[field]!) : ""}</td>)}
      <td>{file.size === null ? "–" : bytes(file.size)}</td>
      <td title={formatTime(file.t)}>{formatAgo(file.t, now.value / 1000)}</td>
      <td class="mono" title={file.sha256 ?? ""}>{file.sha256?.slice(0, 12)}</td>
      <td>{file.present && file.sha256 !== null
        ? <a class="link" href={blobUrl(project, run, file.sha256, name, true)} download={name} aria-label={`Download version ${number} of ${file.path}`}>Download</a>
        : <span class="faint">{file.state === "ok" || file.state === "changed" ? "not delivered yet" : file.state}</span>}</td>
    </tr>
  );
}

async function everyVersion(project: string, run: string, signal: AbortSignal): Promise<FileEntry[]> {
  const files: FileEntry[] = [];
  let after: string | null = null;
  for (let page = 0; page < PAGES; page++) {
    const answer = await records.files(project, run, { role: "save", versions: true, after }, signal);
    files.push(...answer.files);
    after = answer.next;
    if (after === null) break;
  }
  return files;
}
