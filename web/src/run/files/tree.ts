/** A list of paths as a tree: folders first, in natural order, with what lies below them counted. */

import type { FileEntry } from "../../api/records";

export interface TreeRow {
  name: string;
  path: string;
  depth: number;
  /** null: a folder. */
  file: FileEntry | null;
  isOpen: boolean;
  files: number;
  bytes: number;
}

interface Node { folders: Map<string, Node>; files: FileEntry[]; count: number; bytes: number }

const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function grow(files: readonly FileEntry[]): Node {
  const root: Node = { folders: new Map(), files: [], count: 0, bytes: 0 };
  for (const file of files) {
    let node = root;
    node.count += 1;
    node.bytes += file.size ?? 0;
    for (const part of file.path.split("/").slice(0, -1)) {
      let next = node.folders.get(part);
      if (!next) node.folders.set(part, (next = { folders: new Map(), files: [], count: 0, bytes: 0 }));
      node = next;
      node.count += 1;
      node.bytes += file.size ?? 0;
    }
    node.files.push(file);
  }
  return root;
}

/** The rows that are seen while `isOpen` says which folders are open. */
export function treeRows(files: readonly FileEntry[], isOpen: (folder: string, depth: number) => boolean): TreeRow[] {
  const rows: TreeRow[] = [];
  const walk = (node: Node, prefix: string, depth: number): void => {
    for (const [name, folder] of [...node.folders].sort(([a], [b]) => order.compare(a, b))) {
      const path = `${prefix}${name}`;
      const open = isOpen(path, depth);
      rows.push({ name, path, depth, file: null, isOpen: open, files: folder.count, bytes: folder.bytes });
      if (open) walk(folder, `${path}/`, depth + 1);
    }
    for (const file of [...node.files].sort((a, b) => order.compare(a.path, b.path)))
      rows.push({ name: file.path.slice(prefix.length), path: file.path, depth, file, isOpen: false, files: 1, bytes: file.size ?? 0 });
  };
  walk(grow(files), "", 0);
  return rows;
}
