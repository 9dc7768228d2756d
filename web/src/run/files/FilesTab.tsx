/** The files that a run kept: a tree, a preview beside it. */

import "./files.css";
import { useMemo } from "preact/hooks";
import { records, type FileEntry } from "../../api/records";
import type { RunAnswer } from "../../api/types";
import { ErrorNotice, Notice, Snippet } from "../../components/Notice";
import { SearchBox } from "../../components/SearchBox";
import { metricMatcher } from "../../components/sections";
import { plural } from "../../format/number";
import { bytes } from "../bytes";
import { place, setPlace } from "../place";
import { useResource } from "../resource";
import { FileTree } from "./FileTree";
import { Preview } from "./Preview";

const PAGES = 50;

export default function FilesTab({ record }: { record: RunAnswer }) {
  const { project, id } = record;
  const { find, file: chosen } = place.value;
  const all = useResource(JSON.stringify(["files", project, id]), (signal) => allFiles(project, id, signal), { project, run: id, kinds: ["file"] });
  const { matches } = metricMatcher(find);
  const found = useMemo(() => all.data?.files.filter((one) => matches(one.path)) ?? [], [all.data, find]);
  if (!all.data)
    return all.error ? <ErrorNotice error={all.error} onRetry={all.refresh} /> : <div class="skeleton-rows" role="status" aria-label="Loading the files" />;
  const { files } = all.data;
  if (files.length === 0)
    return (
      <Notice title="This run kept no files">
        <p>Nothing is stored unless the script names it:</p>
        <Snippet label="Python that keeps files" code={'run.save("checkpoints/*.pt")'} />
      </Notice>
    );
  const open = files.find((one) => one.path === chosen);
  return (
    <>
      {all.error && <p class="stale" role="alert">{all.error.message} The list is as of the last update.</p>}
      <div class={`files ${open ? "has-open" : ""}`}>
        <div class="files-list">
          <SearchBox label="Search files (regular expression)" placeholder="Search files" value={find} isMain onValue={(next) => setPlace({ find: next })} />
          <p class="faint small files-sum" aria-live="polite">
            {find ? `${found.length.toLocaleString("en-US")} of ` : ""}{plural(files.length, "file")}, {bytes(files.reduce((sum, one) => sum + (one.size ?? 0), 0))}
            {all.data.isCut && "; there are more: name a file in `outrider files`"}
          </p>
          {found.length > 0 ? <FileTree files={found} chosen={chosen} isSearch={find !== ""} label="Files" onChoose={(path) => setPlace({ file: path }, { push: chosen === null })} />
            : <p class="faint">No file matches.</p>}
        </div>
        {open ? <Preview key={open.path} project={project} run={id} file={open} onClose={() => setPlace({ file: null })} />
          : chosen !== null ? <Notice title="This file is not here"><p>{chosen}</p><button class="button" onClick={() => setPlace({ file: null })}>All files</button></Notice>
          : <p class="faint files-hint">Choose a file to look at it.</p>}
      </div>
    </>
  );
}

/** What `save()` kept, page by page; code and media are on their own tabs. */
async function allFiles(project: string, run: string, signal: AbortSignal): Promise<{ files: FileEntry[]; isCut: boolean }> {
  const files: FileEntry[] = [];
  let after: string | null = null;
  for (let page = 0; page < PAGES; page++) {
    const answer = await records.files(project, run, { role: "save", after }, signal);
    files.push(...answer.files);
    after = answer.next;
    if (after === null) break;
  }
  return { files, isCut: after !== null };
}
