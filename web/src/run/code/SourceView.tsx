/** A text file with line numbers and coloured words. */

import { useMemo } from "preact/hooks";
import { plural } from "../../format/number";
import { Words } from "./DiffView";
import { highlight } from "./highlight";

const MOST = 5000;

export function SourceView({ text, path }: { text: string; path: string }) {
  const lines = useMemo(() => highlight(text.replace(/\n$/, ""), path), [text, path]);
  return (
    <div class="diff-scroll source" tabIndex={0} role="group" aria-label={path}>
      <table class="diff">
        <tbody>
          {lines.slice(0, MOST).map((words, i) => (
            <tr key={i}><td class="diff-number">{i + 1}</td><td class="diff-text"><Words words={words} /></td></tr>
          ))}
        </tbody>
      </table>
      {lines.length > MOST && <p class="faint diff-none">{plural(lines.length - MOST, "more line")}: download the file to see all.</p>}
    </div>
  );
}
