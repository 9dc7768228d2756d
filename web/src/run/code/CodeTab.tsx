/** The code that ran: the commit, what differed from it, the sources that no commit has. */

import "../files/files.css";
import "./code.css";
import { useMemo } from "preact/hooks";
import { blobUrl, type FileEntry } from "../../api/records";
import type { RunAnswer } from "../../api/types";
import { ErrorNotice, Notice } from "../../components/Notice";
import { SearchBox } from "../../components/SearchBox";
import { metricMatcher } from "../../components/sections";
import { Icon } from "../../components/Icon";
import { plural } from "../../format/number";
import { CodeFacts } from "../CodeFacts";
import { bytes } from "../bytes";
import { Content } from "../files/Content";
import { place, setPlace } from "../place";
import { useResource } from "../resource";
import { DiffView } from "./DiffView";
import { captured, changesOf, patchTitle, type Captured } from "./sources";

export default function CodeTab({ record }: { record: RunAnswer }) {
  const { project, id } = record;
  const found = useResource(JSON.stringify(["code", project, id]), (signal) => captured(project, id, signal), { project, run: id, kinds: ["code", "file"] });
  if (!found.data) return found.error ? <ErrorNotice error={found.error} onRetry={found.refresh} /> : <div class="skeleton-rows" role="status" aria-label="Loading the code" />;
  const { answer, patches, sources } = found.data;
  if (!answer.code && sources.length === 0)
    return <Notice title="No code was captured"><p>It is switched off for this run (<code>OUTRIDER_DISABLE_CODE</code>), or the script ran outside of a git repository.</p></Notice>;
  const asked = place.value.file;
  const open = sources.find((one) => one.path === asked);
  return (
    <>
      {found.error && <p class="stale" role="alert">{found.error.message} What you see is as of the last update.</p>}
      {answer.code && <dl class="code-facts facts"><CodeFacts answer={answer} project={project} run={id} /></dl>}
      {patches.length === 0 && answer.code && <Notice title={answer.code.dirty ? "The changes are not here" : "No uncommitted changes"}><p>{whyNone(found.data)}</p></Notice>}
      {patches.map((one, i) => <Changes key={one.path} title={patchTitle(one)} project={project} run={id} patch={one} isFirst={i === 0} isShut={/upstream/.test(one.path)} />)}
      {sources.length > 0 && (
        <section aria-label="Sources">
          <header class="code-head"><h2>{plural(sources.length, "source file")} beside the commit</h2></header>
          <div class="sources">
            <ul class="source-list">
              {sources.map((one) => (
                <li key={one.path}>
                  <button class={`file-row ${one === open ? "is-chosen" : ""}`} aria-current={one === open ? "true" : undefined} title={one.path}
                    onClick={() => setPlace({ file: one.path }, { push: asked === null })}>
                    <Icon name="file" size={14} /><span class="clip">{one.path.replace(/^code\//, "")}</span><span class="file-size">{bytes(one.size ?? 0)}</span>
                  </button>
                </li>
              ))}
            </ul>
            {open ? (open.present ? <Content key={open.sha256} project={project} run={id} file={open} /> : <p class="faint">Not delivered yet.</p>) : <p class="faint files-hint">Choose a file to read it.</p>}
          </div>
        </section>
      )}
    </>
  );
}

function whyNone({ answer }: Captured): string {
  const state = (answer.code?.patch as { state?: string } | null | undefined)?.state;
  if (!answer.code?.dirty) return "The commit is exactly what ran.";
  return state === "local" ? "They are kept in the run's folder on the machine that trained, as the settings say." : "They have not been delivered yet, or they were left out.";
}

function Changes({ title, project, run, patch, isFirst, isShut }: { title: string; project: string; run: string; patch: FileEntry; isFirst: boolean; isShut: boolean }) {
  const { find } = place.value;
  const isThere = patch.present && patch.sha256 !== null;
  const found = useResource(isThere ? JSON.stringify(["patch", run, patch.sha256]) : null, (signal) => changesOf(project, run, patch, signal));
  const { matches } = metricMatcher(find);
  const files = useMemo(() => found.data?.files.filter((one) => matches(one.path)) ?? [], [found.data, find]);
  if (!isThere)
    return <Notice title={title}><p>{patch.state === "local" ? "They are kept in the run's folder on the machine that trained, as the settings say." : "They have not been delivered yet."}</p></Notice>;
  const all = found.data?.files ?? [];
  const sum = (key: "added" | "removed"): number => all.reduce((total, one) => total + one[key], 0);
  const body = (
    <>
      {found.error && <ErrorNotice error={found.error} onRetry={found.refresh} />}
      {!found.data && !found.error && <div class="skeleton-rows" role="status" aria-label="Loading the changes" />}
      {found.data && !found.data.isWhole && <p class="stale">The patch is longer than is shown here: download it to see all.</p>}
      {found.data && files.length === 0 && <p class="faint diff-none">{find ? "No file matches." : "The patch is empty."}</p>}
      <DiffView files={files} label={title} />
    </>
  );
  return (
    <section aria-label={title}>
      <header class="code-head">
        <h2>{title}</h2>
        {found.data && <span>{plural(all.length, "file")} <span class="diff-added">+{sum("added")}</span> <span class="diff-removed">−{sum("removed")}</span></span>}
        <a class="link" href={blobUrl(project, run, patch.sha256 ?? "", `${run}-${patch.path.split("/").pop()}`, true)} download>Download the patch</a>
        {all.length > 5 && <SearchBox label="Search changed files" placeholder="Search files" value={find} isMain={isFirst} onValue={(next) => setPlace({ find: next })} />}
      </header>
      {isShut ? <details><summary>Show</summary>{body}</details> : body}
    </section>
  );
}
