/** The changes of files, each foldable, with line numbers and coloured words. */

import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { plural } from "../../format/number";
import type { DiffLine, FileDiff, Hunk } from "./diff";
import { highlight, type Word } from "./highlight";

const OPEN_FILES = 12;
const OPEN_LINES = 600;
const MOST_LINES = 3000;

export function DiffView({ files, label }: { files: readonly FileDiff[]; label: string }) {
  let lines = 0;
  return (
    <div class="diffs" role="group" aria-label={label}>
      {files.map((file, i) => {
        lines += file.added + file.removed;
        return <FileChanges key={`${file.path}:${i}`} file={file} isOpen={i < OPEN_FILES && lines <= OPEN_LINES} />;
      })}
    </div>
  );
}

const WORDS = { modified: "", added: "new file", deleted: "deleted", renamed: "renamed", binary: "binary" };

function FileChanges({ file, isOpen: opensItself }: { file: FileDiff; isOpen: boolean }) {
  const isOpen = useSignal(opensItself);
  const isAll = useSignal(false);
  const count = file.hunks.reduce((sum, one) => sum + one.lines.length, 0);
  return (
    <details class="diff-file" open={isOpen.value} onToggle={(event) => (isOpen.value = event.currentTarget.open)}>
      <summary>
        <span class="diff-path">{file.from !== null && file.from !== file.path ? `${file.from} → ${file.path}` : file.path}</span>
        {WORDS[file.status] && <span class="badge">{WORDS[file.status]}</span>}
        {file.mode !== null && file.mode !== "100644" && <span class="badge">{file.mode === "100755" ? "executable" : `mode ${file.mode}`}</span>}
        <span class="diff-counts">
          {file.added > 0 && <span class="diff-added">+{file.added}</span>} {file.removed > 0 && <span class="diff-removed">−{file.removed}</span>}
        </span>
      </summary>
      {isOpen.value && (file.hunks.length === 0
        ? <p class="faint diff-none">{file.status === "binary" ? "Binary content is not shown." : "No line changed."}</p>
        : <Hunks hunks={file.hunks} path={file.path} most={isAll.value ? Infinity : MOST_LINES} />)}
      {isOpen.value && count > MOST_LINES && !isAll.value && <button class="button" onClick={() => (isAll.value = true)}>Show all {plural(count, "line")}</button>}
    </details>
  );
}

export function Hunks({ hunks, path, most = MOST_LINES }: { hunks: readonly Hunk[]; path: string; most?: number }) {
  const coloured = useMemo(() => hunks.map((one) => colour(one.lines, path)), [hunks, path]);
  let left = most;
  return (
    <div class="diff-scroll" tabIndex={0} role="group" aria-label={`Changes of ${path}`}>
      <table class="diff">
        <tbody>
          {hunks.map((hunk, h) => {
            if (left <= 0) return null;
            const lines = hunk.lines.slice(0, left);
            left -= lines.length;
            return (
              <>
                <tr key={`h${h}`} class="diff-hunk"><td colSpan={3}>{hunk.header}</td></tr>
                {lines.map((line, i) => (
                  <tr key={`${h}.${i}`} class={line.kind === "+" ? "is-added" : line.kind === "-" ? "is-removed" : ""}>
                    <td class="diff-number">{line.old}</td><td class="diff-number">{line.new}</td>
                    <td class="diff-text"><span class="diff-sign">{line.kind === "-" ? "−" : line.kind}</span><Words words={coloured[h]![i]!} /></td>
                  </tr>
                ))}
              </>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

export const Words = ({ words }: { words: readonly Word[] }) => <>{words.map(([text, kind], i) => (kind ? <span key={i} class={kind}>{text}</span> : text))}</>;

/** The old and the new text are coloured each as a whole, so that a string over several lines stays one. */
function colour(lines: readonly DiffLine[], path: string): Word[][] {
  const side = (kind: "+" | "-"): Word[][] => highlight(lines.filter((one) => one.kind !== (kind === "+" ? "-" : "+")).map((one) => one.text).join("\n"), path);
  const fresh = side("+");
  const old = side("-");
  let f = 0;
  let o = 0;
  return lines.map((line) => {
    const words = (line.kind === "-" ? old[o] : fresh[f]) ?? [[line.text, ""] as const];
    if (line.kind !== "+") o += 1;
    if (line.kind !== "-") f += 1;
    return words;
  });
}
