/** A run's captured code: its patches and sources, and their texts. */

import { blobText, blobUrl, records, type CodeAnswer, type FileEntry } from "../../api/records";
import { parseDiff, type FileDiff } from "./diff";

const LIMIT = 8_000_000;

export const isPatch = (file: FileEntry): boolean => /\.(patch|diff)$/.test(file.path);
/** The changes against the commit; those against the upstream branch are another patch. */
export const isUpstream = (file: FileEntry): boolean => isPatch(file) && /upstream/.test(file.path);

export interface Captured {
  answer: CodeAnswer;
  patch: FileEntry | null;
  upstream: FileEntry | null;
  sources: FileEntry[];
}

export async function captured(project: string, run: string, signal: AbortSignal): Promise<Captured> {
  const answer = await records.code(project, run, signal);
  return {
    answer,
    patch: answer.files.find((one) => isPatch(one) && !isUpstream(one)) ?? null,
    upstream: answer.files.find(isUpstream) ?? null,
    sources: answer.files.filter((one) => !isPatch(one)),
  };
}

export async function changesOf(project: string, run: string, patch: FileEntry, signal: AbortSignal): Promise<{ files: FileDiff[]; isWhole: boolean }> {
  const { text, isWhole } = await blobText(blobUrl(project, run, patch.sha256 ?? ""), LIMIT, signal);
  return { files: parseDiff(text), isWhole };
}
