/** Saved files that say what they are: their versions, aliases and metadata, from the list of a run's files. */

import type { FileEntry } from "../../api/records";
import type { Value } from "../../api/types";

export interface Version {
  /** From 1, by time. */
  number: number;
  file: FileEntry;
  aliases: readonly string[];
  metadata: Readonly<Record<string, Value>>;
}

export interface Artifact { path: string; versions: readonly Version[]; fields: readonly string[] }

const words = (value: Value | undefined): string[] => (Array.isArray(value) ? value.filter((one) => typeof one === "string") : []);

/**
 * Every path of which some version has metadata or aliases, versions newest first. An alias belongs to the last
 * version that was saved with it: `best` wanders from checkpoint to checkpoint, also between paths.
 */
export function artifactsOf(files: readonly FileEntry[]): Artifact[] {
  const byPath = new Map<string, FileEntry[]>();
  for (const file of files) byPath.set(file.path, [...(byPath.get(file.path) ?? []), file]);
  const holders = new Map<string, FileEntry>();
  for (const file of [...files].sort((a, b) => a.t - b.t)) for (const alias of words(file.meta.aliases)) holders.set(alias, file);
  const found: Artifact[] = [];
  for (const [path, all] of byPath) {
    if (all.every((one) => Object.keys(one.meta).length === 0)) continue;
    const versions = all.map((file, i): Version => {
      const { aliases, ...metadata } = file.meta;
      return { number: i + 1, file, aliases: words(aliases).filter((one) => holders.get(one) === file), metadata };
    }).reverse();
    found.push({ path, versions, fields: [...new Set(versions.flatMap((one) => Object.keys(one.metadata)))] });
  }
  return found.sort((a, b) => b.versions[0]!.file.t - a.versions[0]!.file.t);
}
