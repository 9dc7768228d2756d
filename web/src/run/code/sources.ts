/** A run's captured code: its patches and sources, and their texts. */

import { blobText, blobUrl, records, type CodeAnswer, type FileEntry } from "../../api/records";
import { parseDiff, type FileDiff } from "./diff";

const LIMIT = 8_000_000;

export const isPatch = (file: FileEntry): boolean => /\.(patch|diff)$/.test(file.path);

const TITLES: Record<string, string> = {
  "diff.patch": "Uncommitted changes",
  "untracked.patch": "Files that git does not track",
  "upstream.patch": "Changes against the upstream branch",
};
const ORDER = Object.keys(TITLES);

/** What a patch holds, in words; of one with another name, the name. */
export const patchTitle = (file: FileEntry): string => TITLES[nameOf(file)] ?? nameOf(file);
const nameOf = (file: FileEntry): string => file.path.split("/").pop() ?? file.path;
const rank = (file: FileEntry): number => (ORDER.includes(nameOf(file)) ? ORDER.indexOf(nameOf(file)) : ORDER.length);

export interface Captured {
  answer: CodeAnswer;
  patches: FileEntry[];
  sources: FileEntry[];
}

export async function captured(project: string, run: string, signal: AbortSignal): Promise<Captured> {
  const answer = await records.code(project, run, signal);
  return {
    answer,
    patches: answer.files.filter(isPatch).sort((a, b) => rank(a) - rank(b)),
    sources: answer.files.filter((one) => !isPatch(one)),
  };
}

export async function changesOf(project: string, run: string, patch: FileEntry, signal: AbortSignal): Promise<{ files: FileDiff[]; isWhole: boolean }> {
  const { text, isWhole } = await blobText(blobUrl(project, run, patch.sha256 ?? ""), LIMIT, signal);
  return { files: parseDiff(text), isWhole };
}
