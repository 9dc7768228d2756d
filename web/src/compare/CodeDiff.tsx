/** How the code of one run differs from the baseline's: commits, patches, sources. */

import "../run/code/code.css";
import { useMemo } from "preact/hooks";
import { blobText, blobUrl, type FileEntry } from "../api/records";
import { ErrorNotice, Notice } from "../components/Notice";
import { plural } from "../format/number";
import { diffTexts, type FileDiff } from "../run/code/diff";
import { DiffView } from "../run/code/DiffView";
import { captured, type Captured } from "../run/code/sources";
import { place, setPlace } from "../run/place";
import { useResource } from "../run/resource";
import type { Compared } from "./ComparePage";

const LIMIT = 2_000_000;

export default function CodeDiff({ project, compared }: { project: string; compared: Compared[] }) {
  const [base, ...others] = compared;
  const chosen = others.find(({ run }) => run.id === place.value.against) ?? others[0];
  if (!base || !chosen) return <Notice title="Add another run to see how its code differs" />;
  return (
    <>
      <header class="panel-head">
        <h2>Code of</h2>
        <label class="pick">
          <select aria-label="Run whose code is compared with the baseline's" value={chosen.run.id} onChange={(event) => setPlace({ against: event.currentTarget.value })}>
            {others.map(({ run }) => <option key={run.id} value={run.id}>{run.name}</option>)}
          </select>
        </label>
        <span>against the baseline {base.run.name}</span>
      </header>
      <Pair key={`${base.run.id}/${chosen.run.id}`} project={project} base={base} other={chosen} />
    </>
  );
}

interface Two { base: Captured; other: Captured; files: FileDiff[]; unread: string[]; same: number }

function Pair({ project, base, other }: { project: string; base: Compared; other: Compared }) {
  const found = useResource(JSON.stringify(["codes", project, base.run.id, other.run.id]), (signal) => compare(project, base.run.id, other.run.id, signal));
  const commits = useMemo(() => found.data && [found.data.base, found.data.other].map(({ answer }) => String(answer.code?.commit ?? "")), [found.data]);
  if (!found.data || !commits) return found.error ? <ErrorNotice error={found.error} onRetry={found.refresh} /> : <div class="skeleton-rows" role="status" aria-label="Loading the code" />;
  const { files, unread, same } = found.data;
  const [from, to] = commits as [string, string];
  return (
    <>
      <p class="code-head">
        {from === to
          ? from ? <span>Both ran commit <code>{from.slice(0, 12)}</code>.</span> : <span>Neither run has a commit.</span>
          : <span>Baseline ran <Commit text={from} web={found.data.base.answer.web} />, {other.run.name} ran <Commit text={to} web={found.data.other.answer.web} />. Their trees are not here{isCommit(from) && isCommit(to) && <>; see them with <code>git diff {from.slice(0, 12)} {to.slice(0, 12)}</code></>}.</span>}
      </p>
      <p class="code-head small">Compared is what was captured beside the commits: the patch of uncommitted changes, and source files that no commit has. {same > 0 && `${plural(same, "file")} ${same === 1 ? "is" : "are"} the same.`}</p>
      {unread.length > 0 && <p class="stale">Not compared, as they have not been delivered: {unread.join(", ")}.</p>}
      {files.length > 0 ? <DiffView files={files} label="Code that differs" /> : unread.length === 0 && <Notice title="What was captured is the same" />}
    </>
  );
}

/** Whether it is a commit and not what somebody would like to have typed into a shell. */
const isCommit = (text: string): boolean => /^[0-9a-f]{7,64}$/i.test(text);

const Commit = ({ text, web }: { text: string; web: string | null }) =>
  text === "" ? <>no commit</> : web ? <a class="link" href={web} target="_blank" rel="noreferrer noopener"><code>{text.slice(0, 12)}</code></a> : <code>{text.slice(0, 12)}</code>;

async function compare(project: string, baseId: string, otherId: string, signal: AbortSignal): Promise<Two> {
  const [base, other] = await Promise.all([captured(project, baseId, signal), captured(project, otherId, signal)]);
  const [before, after] = [base, other].map((one) => new Map(one.answer.files.map((file) => [file.path, file])));
  const files: FileDiff[] = [];
  const unread: string[] = [];
  let same = 0;
  for (const path of [...new Set([...before!.keys(), ...after!.keys()])].sort()) {
    const [a, b] = [before!.get(path), after!.get(path)];
    if (a && b && a.sha256 === b.sha256) {
      same += 1;
      continue;
    }
    if ((a && !isReadable(a)) || (b && !isReadable(b))) {
      unread.push(path);
      continue;
    }
    const [from, to] = await Promise.all([read(project, baseId, a, signal), read(project, otherId, b, signal)]);
    const hunks = diffTexts(from, to);
    const count = (kind: "+" | "-"): number => hunks.reduce((sum, hunk) => sum + hunk.lines.filter((line) => line.kind === kind).length, 0);
    files.push({ path, from: null, status: !a ? "added" : !b ? "deleted" : "modified", mode: null, hunks, added: count("+"), removed: count("-") });
  }
  return { base, other, files, unread, same };
}

const isReadable = (file: FileEntry): boolean => file.present && file.sha256 !== null;

const read = async (project: string, run: string, file: FileEntry | undefined, signal: AbortSignal): Promise<string> =>
  file ? (await blobText(blobUrl(project, run, file.sha256 ?? ""), LIMIT, signal)).text : "";
