/** The files as a tree to walk through with the arrow keys; of any number only the seen rows exist. */

import { useSignal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import type { FileEntry } from "../../api/records";
import { Icon } from "../../components/Icon";
import { VirtualRows } from "../../components/VirtualRows";
import { bytes } from "../bytes";
import { treeRows, type TreeRow } from "./tree";

const ROW = 30;
const OPEN_AT_FIRST = 60;

interface Props { files: readonly FileEntry[]; chosen: string | null; isSearch: boolean; onChoose: (path: string) => void; label: string }

export function FileTree({ files, chosen, isSearch, onChoose, label }: Props) {
  const turned = useSignal<ReadonlySet<string>>(new Set());
  const at = useSignal<string | null>(chosen);
  const box = useRef<HTMLDivElement>(null);
  const isFew = files.length <= OPEN_AT_FIRST;
  const rows = useMemo(
    () => treeRows(files, (folder) => (isSearch || isFew || (chosen?.startsWith(`${folder}/`) ?? false)) !== turned.value.has(folder)),
    [files, turned.value, isSearch, isFew],
  );
  const turn = (row: TreeRow): void => {
    const next = new Set(turned.value);
    if (!next.delete(row.path)) next.add(row.path);
    turned.value = next;
  };
  const press = (row: TreeRow): void => {
    at.value = row.path;
    if (row.file) onChoose(row.path);
    else turn(row);
  };
  const typed = (event: KeyboardEvent): void => {
    const now = rows.findIndex((row) => row.path === (at.value ?? chosen));
    const row = rows[now];
    const move = (to: number): void => {
      const next = rows[Math.max(0, Math.min(rows.length - 1, to))];
      if (!next) return;
      at.value = next.path;
      const list = box.current!.querySelector(".vlist")!;
      const top = rows.indexOf(next) * ROW;
      if (top < list.scrollTop) list.scrollTop = top;
      else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
    };
    if (event.key === "ArrowDown") move(now + 1);
    else if (event.key === "ArrowUp") move(now - 1);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(rows.length - 1);
    else if (event.key === "ArrowRight" && row && !row.file && !row.isOpen) turn(row);
    else if (event.key === "ArrowLeft" && row && !row.file && row.isOpen) turn(row);
    else if (event.key === "ArrowLeft" && row) move(rows.findIndex((one) => one.path === row.path.slice(0, row.path.lastIndexOf("/"))));
    else if ((event.key === "Enter" || event.key === " ") && row && event.target === box.current!.querySelector(".vlist")) press(row);
    else return;
    event.preventDefault();
  };
  return (
    <div class="file-tree" ref={box} onKeyDown={typed}>
      <VirtualRows count={rows.length} rowHeight={ROW} label={label} row={(i) => {
        const row = rows[i]!;
        return (
          <span role="gridcell">
            <button tabIndex={-1} class={`file-row ${row.file && row.path === chosen ? "is-chosen" : ""} ${row.path === at.value ? "is-active" : ""}`}
              aria-expanded={row.file ? undefined : row.isOpen} aria-current={row.path === chosen ? "true" : undefined}
              style={{ paddingLeft: `${8 + 16 * row.depth}px` }} title={row.path} onClick={() => press(row)}>
              {row.file ? <Icon name="file" size={14} /> : <span class={`turn ${row.isOpen ? "is-open" : ""}`}><Icon name="chevron" size={11} /></span>}
              <span class="clip">{row.name}</span>
              {row.file && row.file.state !== "ok" && <span class="badge badge-warn">{row.file.state}</span>}
              {row.file && row.file.state === "ok" && !row.file.present && <span class="badge">on its way</span>}
              <span class="file-size">{row.file ? bytes(row.bytes) : row.files.toLocaleString("en-US")}</span>
            </button>
          </span>
        );
      }} />
    </div>
  );
}
